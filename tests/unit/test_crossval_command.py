"""``python -m pipeline.crossval``: its files, its folds, its refusals."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from pipeline.crossval import main

CONFIG = """
outer_folds: 3
repeats: 1
candidates: [lightgbm, random_forest]
declared: {feature_set: all, candidate: average}
feature_sets: {all: [radiomics]}
lightgbm: {max_trees: 5}
random_forest: {trees: 5}
"""
ROWS = 36


def make_table() -> pd.DataFrame:
    rng = np.random.default_rng(21)
    table = pd.DataFrame(rng.normal(size=(ROWS, 4)), columns=list("abcd"))
    table.insert(0, "case", [f"{row:03d}" for row in range(ROWS)])
    table["patient"] = np.repeat(np.arange(ROWS // 2), 2)
    table["outcome"] = np.repeat(np.tile([0, 1], ROWS // 4), 2)
    return table


def call(folder: Path, table: pd.DataFrame, *more: str) -> int:
    table.to_csv(folder / "table.csv", index=False)
    (folder / "train.yaml").write_text(CONFIG)
    return main(
        [str(folder / "table.csv"), "--target", "outcome", "--id", "case",
         "--config", str(folder / "train.yaml"), "--out", str(folder / "out"), *more]
    )  # fmt: skip


def read_predictions(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "out/predictions.csv", dtype={"id": str})


def test_files_and_figures_are_as_promised(tmp_path: Path) -> None:
    table = make_table().drop(columns="patient")
    assert call(tmp_path, table) == 0
    predictions = read_predictions(tmp_path)
    assert list(predictions.columns) == ["id", "repeat", "fold", "y", "p"]
    truth = table.set_index("case")["outcome"]
    assert truth[predictions["id"]].tolist() == predictions["y"].tolist()
    assert sorted(predictions["id"]) == table["case"].tolist()
    metrics = json.loads((tmp_path / "out/metrics.json").read_text())
    aucs = [roc_auc_score(fold["y"], fold["p"]) for _, fold in predictions.groupby("fold")]
    assert metrics["auc"] == pytest.approx(np.mean(aucs))
    assert metrics["brier"] == pytest.approx(brier_score_loss(predictions["y"], predictions["p"]))
    assert (metrics["n"], metrics["events"]) == (ROWS, ROWS // 2)
    assert {"log_loss", "calibration_slope"} <= metrics.keys()


def test_a_patients_rows_stay_in_one_fold(tmp_path: Path) -> None:
    assert call(tmp_path, make_table(), "--group", "patient") == 0
    predictions = read_predictions(tmp_path)
    patient = predictions["id"].astype(int) // 2
    assert predictions.groupby(patient)["fold"].nunique().max() == 1


@pytest.mark.parametrize("ending", ["csv.gz", "parquet"])
def test_other_formats_give_the_same_predictions(tmp_path: Path, ending: str) -> None:
    table = make_table()
    assert call(tmp_path, table, "--group", "patient") == 0
    expected = read_predictions(tmp_path)
    other = tmp_path / f"table.{ending}"
    if ending == "parquet":
        table.to_parquet(other)
    else:
        table.to_csv(other, index=False)
    columns = ["--target", "outcome", "--id", "case", "--group", "patient"]
    files = ["--config", str(tmp_path / "train.yaml"), "--out", str(tmp_path / "out")]
    assert main([str(other), *columns, *files]) == 0
    pd.testing.assert_frame_equal(read_predictions(tmp_path), expected)


def test_given_folds_are_used(tmp_path: Path) -> None:
    table = make_table().drop(columns="patient")
    ids = table["case"].tolist()
    folds = [[ids[0::4] + ids[1::4], ids[2::4] + ids[3::4]], [ids[:18], ids[18:]]]
    (tmp_path / "folds.json").write_text(json.dumps({"repeats": folds}))
    table["outcome"] = np.tile([0, 1, 1, 0], ROWS // 4)
    assert call(tmp_path, table, "--folds", str(tmp_path / "folds.json")) == 0
    used = read_predictions(tmp_path).groupby(["repeat", "fold"])["id"].agg(set)
    assert used[(1, 2)] == set(folds[0][1])
    assert used[(2, 1)] == set(folds[1][0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"outcome": ["yes", "no"] * (ROWS // 2)}, "column outcome: expected 0 or 1"),
        ({"outcome": [1, 2] * (ROWS // 2)}, "got also 2"),
        ({"outcome": [0, 1, None] * (ROWS // 3)}, "got also nan"),
        ({"case": ["same"] * ROWS}, "several for same"),
        ({"a": ["text"] * ROWS}, "columns a: expected numbers"),
        ({"post_b": list(range(ROWS))}, "column post_b"),
        ({"outcome": [1] * ROWS}, "expected both classes"),
    ],
)
def test_unfit_tables_are_refused_without_a_traceback(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, list[object]],
    message: str,
) -> None:
    table = make_table().drop(columns="patient")
    for name, column in change.items():
        table[name] = pd.Series(column)
    assert call(tmp_path, table) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_true_and_false_are_accepted(tmp_path: Path) -> None:
    table = make_table().drop(columns="patient")
    table["outcome"] = table["outcome"] == 1
    assert call(tmp_path, table) == 0
    assert set(read_predictions(tmp_path)["y"]) == {0, 1}


def test_a_wrong_column_name_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(tmp_path, make_table(), "--group", "person") == 1
    assert "lacking person" in capsys.readouterr().err


def test_no_process_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="2"):
        call(tmp_path, make_table(), "--jobs", "0")


def test_an_absent_table_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "train.yaml").write_text(CONFIG)
    assert main([str(tmp_path / "none.csv"), "--target", "y", "--id", "i", "--out", "o"]) == 1
    assert "none.csv: cannot be read" in capsys.readouterr().err
