"""The evaluate and report stages on made-up predictions: files, text, bytes, user errors."""

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.domain.errors import PipelineError
from pipeline.report.contents import (
    check_declared,
    count_problems,
    describe_best,
    describe_procedure,
    describe_safe,
)
from pipeline.report.sources import read_table
from pipeline.stages import evaluate, report

CONFIG = Path(__file__).parents[2] / "configs" / "evaluate.yaml"


TRAINED = {
    "outer_folds": 5,
    "candidates": ["elastic_net"],
    "declared": {"feature_set": "all", "candidate": "average"},
    "skipped": {"afp_response": "columns absent: afp_log_ratio"},
    "warnings": ["8 patients with the outcome are few"],
}


def write_inputs(folder: Path, *, synthetic: bool, outcome: str = "complete <response>") -> None:
    rng = np.random.default_rng(0)
    y = (np.arange(40) < 8).astype(int)
    columns = {
        "repeat": 0,
        "fold": np.arange(40) % 5,
        "patient_id": [f"P{i:02d}" for i in range(40)],
        "y": y,
    }
    frames = [
        pd.DataFrame(
            {"feature_set": name, "candidate": "average", **columns, "p": rng.uniform(size=40)}
        )
        for name in ("all", "size")
    ]
    for name in ("train", "cohort"):
        (folder / name).mkdir()
    pd.concat(frames).to_parquet(folder / "train" / "predictions.parquet")
    write(folder / "train" / "train.json", TRAINED)
    about = {"column": "necrosis_percent", "positive": ">= 100", "name": outcome}
    write(
        folder / "cohort" / "cohort.json", {"synthetic": synthetic, "outcome": about, "excluded": 1}
    )
    write(folder / "cohort" / "problems.json", [])
    reason = "patient_id,code,reason\n007,mask-empty,no voxel in <tumour>\n"
    (folder / "cohort" / "exclusions.csv").write_text(reason)


def write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content))


def run_both(folder: Path, out: Path) -> None:
    inputs = ["--cohort", str(folder / "cohort" / "cohort.json")]
    predictions = ["--predictions", str(folder / "train" / "predictions.parquet")]
    place = ["--config", str(CONFIG), "--out", str(out / "evaluation")]
    assert evaluate.main([*inputs, *predictions, *place]) == 0
    assert report.main(report_arguments(folder, out)) == 0


def report_arguments(folder: Path, out: Path) -> list[str]:
    places = {
        "--evaluation": out / "evaluation",
        "--train": folder / "train",
        "--cohort": folder / "cohort",
        # Read only by tracking, which the integration tests run.
        "--features": folder / "features.parquet",
        "--bundle": folder / "bundle",
        "--configs": CONFIG.parent,
        "--out": out / "report",
    }
    return ["--no-tracking", *(str(part) for pair in places.items() for part in pair)]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    write_inputs(folder, synthetic=True)
    run_both(folder, folder)
    return folder


class TagCheck(HTMLParser):
    """Remembers unclosed tags and addresses that point outside."""

    VOID = frozenset({"meta", "img", "br", "hr"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_inventory(results: Path) -> None:
    stems = {
        f"{name}.{kind}"
        for name in ("roc", "calibration", "decision")
        for kind in ("png", "svg", "csv")
    }
    others = {"metrics.json", "acceptance.json", "summary.json", "sets.csv", "comparisons.csv"}
    found = {file.name for file in (results / "evaluation").iterdir()}
    assert found == stems | others | {"operating_points.csv", "roc_band.csv"}
    assert {file.name for file in (results / "report").iterdir()} == {"index.html", "MODEL_CARD.md"}


def test_metrics_are_flat_finite_numbers(results: Path) -> None:
    metrics = json.loads((results / "evaluation" / "metrics.json").read_text())
    assert all(isinstance(value, int | float) for value in metrics.values())
    assert (metrics["patients"], metrics["events"]) == (40, 8)


def test_page_is_one_well_formed_file(results: Path) -> None:
    check = TagCheck()
    check.feed((results / "report" / "index.html").read_text())
    assert check.open == []
    assert len(check.addresses) == 3
    assert all(address.startswith("data:image/svg+xml;base64,") for address in check.addresses)


def test_page_says_interval_events_chance_and_synthetic(results: Path) -> None:
    page = (results / "report" / "index.html").read_text()
    text = " ".join(re.sub("<[^>]+>", " ", page).split())
    assert re.search(r"AUC 0\.\d\d \(0\.\d\d to 0\.\d\d\)", text)
    assert "8 patients with complete &lt;response&gt; among 40" in text
    assert "Not distinguishable from chance: the interval includes 0.5." in text
    assert "Synthetic, not evidence" in text
    assert "no safe threshold. It would take at least 36 patients" in text
    assert text.count("not available in this cohort") == 9
    assert "not available in this cohort: columns absent: afp_log_ratio" in text
    assert "8 patients with the outcome are few" in text


def test_everything_of_the_cohort_is_escaped(results: Path) -> None:
    page = (results / "report" / "index.html").read_text()
    assert "no voxel in &lt;tumour&gt;" in page
    assert '<th scope="row">007</th>' in page
    assert "<tumour>" not in page
    assert "<response>" not in page


def test_pictures_of_a_synthetic_cohort_are_labelled(results: Path, tmp_path: Path) -> None:
    # Letters are drawn as outlines, so compare with the picture of a cohort that is not synthetic.
    write_inputs(tmp_path, synthetic=False)
    run_both(tmp_path, tmp_path)
    page = (tmp_path / "report" / "index.html").read_text()
    assert "not evidence" not in page
    for name in ("roc", "calibration", "decision"):
        labelled = (results / "evaluation" / f"{name}.svg").read_text()
        assert "<!-- " in labelled
        assert "synthetic, not evidence" in labelled
        assert "synthetic" not in (tmp_path / "evaluation" / f"{name}.svg").read_text()


def test_same_inputs_give_the_same_bytes(results: Path, tmp_path: Path) -> None:
    run_both(results, tmp_path)
    for folder in ("evaluation", "report"):
        for file in sorted((tmp_path / folder).iterdir()):
            assert file.read_bytes() == (results / folder / file.name).read_bytes(), file.name


def test_card_states_performance_and_what_it_is_not_for(results: Path) -> None:
    card = (results / "report" / "MODEL_CARD.md").read_text()
    assert "## Not intended" in card
    assert re.search(r"\| AUC \(DeLong interval\) \| 0\.\d\d \(0\.\d\d to 0\.\d\d\) \|", card)
    assert "Synthetic, not evidence" in card


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("evaluation/metrics.json", "metrics.json: cannot be read"),
        ("evaluation/roc.svg", "roc.svg: cannot be read"),
        ("cohort/exclusions.csv", "exclusions.csv: cannot be read"),
    ],
)
def test_a_missing_file_is_named_without_a_traceback(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str, message: str
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(results, folder)
    (folder / file).unlink()
    assert report.main(report_arguments(folder, folder)) == 1
    assert message in capsys.readouterr().err


def test_broken_json_is_named(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(results, folder)
    (folder / "train" / "train.json").write_text("{")
    assert report.main(report_arguments(folder, folder)) == 1
    assert "train.json: expected JSON" in capsys.readouterr().err


def test_judging_another_predictor_than_the_model_is_refused() -> None:
    trained = {"declared": {"feature_set": "clinical", "candidate": "average"}}
    summary = {"declared": {"feature_set": "all", "candidate": "average"}}
    check_declared({}, summary)
    with pytest.raises(PipelineError, match=r"train\.yaml says clinical/average"):
        check_declared(trained, summary)


def test_procedure_tolerates_missing_keys() -> None:
    assert describe_procedure({}) == []
    found = describe_procedure({"feature_sets": {"size": {"features": 3}}, "seed": 7})
    assert found == [("Seed", "7"), ("Features in each set", "tumour size: 3")]


def test_no_simple_comparator_is_said() -> None:
    absent = {"kind": "simple", "available": False, "feature_set": "size"}
    assert "No simple comparator" in describe_best([absent])


def test_problems_are_counted_by_code() -> None:
    problem = {"severity": "error", "code": "mask-empty", "what": "w", "next_step": "n"}
    (row,) = count_problems([problem, problem])
    assert row["count"] == 2


def test_a_safe_threshold_is_given_with_its_value_and_patients() -> None:
    value = {"value": 1.0, "low": 0.91, "high": 1.0}
    found = {"bound": 0.9, "needed_without_miss": 36, "threshold": 0.83, "value": value}
    line = describe_safe({**found, "called": 40})
    assert (line["threshold"], line["value"]) == ("0.83", "100 % (91 to 100 %)")


def test_tables_empty_or_unreadable(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("")
    assert read_table(tmp_path / "empty.csv").empty
    (tmp_path / "bad.parquet").write_text("no parquet")
    with pytest.raises(PipelineError, match=r"bad\.parquet: cannot be read"):
        read_table(tmp_path / "bad.parquet", pd.read_parquet)
