"""A case file becomes a cohort of one patient, unknown names included."""

import csv
from pathlib import Path

import pytest

from pipeline.domain.errors import ConfigError
from pipeline.scoring.case_file import write_as_cohort
from pipeline.scoring.output import file_stem

CASE = """
patient_id: P001
scans:
  - {timepoint: preop, modality: CT, phase: arterial, image: a.nii.gz, mask: m.nii.gz, fase: x}
biomarkers:
  - {analyte: AFP, value: "<5", unit: ng/mL, drawn_on: 2026-05-20, timepoint: preop}
covariates: {age: 61, sex: M}
"""


def read(path: Path) -> dict[str, str]:
    with path.open(newline="") as stream:
        (row,) = csv.DictReader(stream)
    return row


def test_the_tables_hold_what_the_case_says(tmp_path: Path) -> None:
    (tmp_path / "case.yaml").write_text(CASE)
    write_as_cohort(tmp_path / "case.yaml", tmp_path)
    assert read(tmp_path / "patients.csv") == {"patient_id": "P001", "age": "61", "sex": "M"}
    marker = read(tmp_path / "biomarkers.csv")
    assert (marker["value"], marker["drawn_on"]) == ("<5", "2026-05-20")
    scan = read(tmp_path / "scans.csv")
    assert scan["image"] == "a.nii.gz"
    assert scan["fase"] == "x"  # kept, so that the cohort's checks name it


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("patient_id: P1", "key scans: missing"),
        ("patient_id: P1\nscans: []", "key scans: "),
        ("patient_id: P1\nscan: []", "Did you mean scans"),
        ("- 1", "expected keys and values, got list"),
    ],
)
def test_what_is_no_case_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "case.yaml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        write_as_cohort(tmp_path / "case.yaml", tmp_path)


def test_file_names_are_safe_and_distinct() -> None:
    assert file_stem("DEMO_001") == "DEMO_001"
    assert "/" not in file_stem("../a/b")
    assert len({file_stem(name) for name in ("a/b", "a_b", "a b", "a%2Fb")}) == 4
