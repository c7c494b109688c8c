"""Stage ``validate``: the policies, and what is written."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from pipeline.config.cohort import CohortConfig
from pipeline.domain.cohort import Cohort, ScanRow
from pipeline.domain.errors import CohortError
from pipeline.domain.problem import Problem, Severity
from pipeline.domain.scan import Modality, Timepoint
from pipeline.ingest.cohort import read_checked_cohort
from pipeline.stages.validate import main, run, summarise

CONFIGS = Path(__file__).parents[2] / "configs"
PATIENT_IDS = ("P1", "P2", "P3", "P4")
OUTCOMES = [1, 0, None, 0]


def make_config(policy: str) -> CohortConfig:
    return CohortConfig.model_validate(
        {"root": ".", "policy": policy, "outcome": {"column": "complete", "positive": "== 1"}}
    )


def make_cohort() -> Cohort:
    scans = tuple(
        ScanRow(
            patient_id=patient,
            timepoint=Timepoint.PREOP,
            modality=Modality.CT,
            phase="portal",
            image=f"{patient}.nii",
            mask=f"{patient}_mask.nii",
        )
        for patient in PATIENT_IDS
    )
    patients = pd.DataFrame({"patient_id": PATIENT_IDS, "complete": OUTCOMES})
    biomarkers = pd.DataFrame({"patient_id": ["P2", "P1"], "value": ["<1.3", "7"]})
    return Cohort(Path(), scans, patients, biomarkers)


def problem(patient: str, severity: Severity = Severity.ERROR) -> Problem:
    return Problem(
        code="bad", what="it is wrong", expected="one", got="two", next_step="Mend it.",
        patient_id=patient, severity=severity,
    )  # fmt: skip


def test_strict_stops_at_any_error_and_lists_all() -> None:
    with pytest.raises(CohortError, match=r"2 problem\(s\)") as caught:
        run(make_cohort(), [problem("P2"), problem("P4")], make_config("strict"))
    assert [item.patient_id for item in caught.value.problems] == ["P2", "P4"]


def test_warnings_stop_nothing() -> None:
    checked = run(make_cohort(), [problem("P2", Severity.WARNING)], make_config("strict"))
    assert len(checked.cohort.scans) == 4
    assert checked.exclusions.empty
    assert len(checked.problems) == 1


def test_exclude_drops_the_patient_from_every_table() -> None:
    checked = run(make_cohort(), [problem("P2"), problem("P2")], make_config("exclude"))
    assert [scan.patient_id for scan in checked.cohort.scans] == ["P1", "P3", "P4"]
    assert checked.cohort.patients["patient_id"].tolist() == ["P1", "P3", "P4"]
    assert checked.cohort.biomarkers["patient_id"].tolist() == ["P1"]
    assert checked.exclusions.to_dict("list") == {
        "patient_id": ["P2"],
        "code": ["bad"],
        "reason": ["[bad] patient P2: it is wrong: expected one, got two. Mend it."],
    }


def test_exclude_still_stops_at_what_is_nobodys() -> None:
    with pytest.raises(CohortError, match="it is wrong"):
        run(make_cohort(), [problem("P2"), problem("")], make_config("exclude"))


def test_exclude_stops_where_one_class_remains() -> None:
    with pytest.raises(CohortError, match="not both classes"):
        run(make_cohort(), [problem("P1")], make_config("exclude"))


def test_exclude_stops_where_no_scan_remains() -> None:
    cohort = make_cohort()
    few = replace(cohort, scans=cohort.scans[3:])
    with pytest.raises(CohortError, match="patient P4"):
        run(few, [problem("P4")], make_config("exclude"))


def test_summary_counts() -> None:
    config = make_config("exclude")
    checked = run(make_cohort(), [problem("P2")], config)
    assert summarise(checked, config, synthetic=True) == {
        "synthetic": True,
        "outcome": {"column": "complete", "positive": "== 1", "name": "positive"},
        "patients": 3,
        "with_outcome": 2,
        "positive": 1,
        "excluded": 1,
        "scans": 3,
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a cohort in ``raw``: P1 is sound, the files of P9 are missing."""
    root = tmp_path / "raw"
    root.mkdir()
    mask = np.zeros((8, 10, 12), np.int16)
    mask[2:6, 3:7, 4:8] = 1
    for name, voxels in (("i1.nii", 100 * mask - 50), ("m1.nii", mask)):
        image = sitk.GetImageFromArray(voxels)
        image.SetSpacing((2, 2, 2))
        sitk.WriteImage(image, str(root / name))
    (root / "scans.csv").write_text(
        "patient_id,timepoint,modality,phase,image,mask\n"
        "P1,preop,CT,portal,i1.nii,m1.nii\n"
        "P9,preop,CT,portal,i9.nii,m9.nii\n"
    )
    (root / "patients.csv").write_text(
        "patient_id,complete,hbv,code\nP1,1,1,007\nP2,0,,1\nP3,0,0,2\nP9,0,1,3\n"
    )
    (root / "SYNTHETIC.md").write_text("synthetic, not evidence\n")
    return tmp_path


def stage(folder: Path, policy: str) -> int:
    config = folder / "cohort.yaml"
    config.write_text(
        f"root: {folder / 'raw'}\npolicy: {policy}\n"
        "outcome: {column: complete, positive: '== 1'}\n"
    )
    biomarkers = CONFIGS / "biomarkers.yaml"
    options = ["--config", config, "--biomarkers", biomarkers, "--out", folder / "out"]
    return main([*map(str, options), "--jobs", "1"])


def test_strict_writes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert stage(folder, "strict") == 1
    assert not (folder / "out").exists()
    assert capsys.readouterr().err.count("[file-missing]") == 2


def test_exclude_writes_a_cohort_that_reads_again(folder: Path) -> None:
    assert stage(folder, "exclude") == 0
    out = folder / "out"
    assert sorted(path.name for path in out.iterdir()) == [
        "biomarkers.csv", "cohort.json", "exclusions.csv", "patients.csv", "problems.json",
        "scans.csv",
    ]  # fmt: skip
    assert (out / "patients.csv").read_text() == (
        "patient_id,complete,hbv,code\nP1,1,1,007\nP2,0,,1\nP3,0,0,2\n"
    )
    summary = json.loads((out / "cohort.json").read_text())
    assert (summary["patients"], summary["excluded"], summary["synthetic"]) == (3, 1, True)
    exclusions = pd.read_csv(out / "exclusions.csv")
    assert exclusions["code"].tolist() == ["file-missing", "file-missing"]
    codes = [item["code"] for item in json.loads((out / "problems.json").read_text())]
    assert codes.count("patient-without-scans") == 2
    assert [scan.image for scan in read_checked_cohort(out, folder / "raw").scans] == ["i1.nii"]
