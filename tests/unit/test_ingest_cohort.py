"""The three tables become a cohort; each slip in them is listed, none is mended."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline.domain.cohort import BIOMARKER_COLUMNS, SCAN_COLUMNS
from pipeline.domain.errors import CohortError
from pipeline.domain.problem import Problem
from pipeline.domain.scan import Modality, Timepoint
from pipeline.ingest.cohort import read_checked_cohort, read_cohort
from pipeline.ingest.scan_rows import scan_table

SCANS = """patient_id,timepoint,modality,phase,image,mask,mask_label
P1,preop,CT,portal,i1.nii,m1.nii,2
P2,baseline,MR,t1,i2.nii,m2.nii,
"""
PATIENTS = """patient_id,necrosis_percent,age,code,sex,surgery_date
P1,100,61,007,M,2023-05-01
P2,,58.5,12,,
"""


def write_cohort(
    folder: Path, scans: str = SCANS, patients: str = PATIENTS, biomarkers: str | None = None
) -> Path:
    (folder / "scans.csv").write_text(scans)
    (folder / "patients.csv").write_text(patients)
    if biomarkers is not None:
        (folder / "biomarkers.csv").write_text(biomarkers)
    return folder


def codes(problems: list[Problem]) -> list[str]:
    return [str(problem.code) for problem in problems]


def scans_with(**changes: str) -> str:
    """Return the scans with fields of the first row replaced."""
    first = dict(
        zip(SCANS.splitlines()[0].split(","), SCANS.splitlines()[1].split(","), strict=True)
    )
    first.update(changes)
    header = ",".join(first)
    second = SCANS.splitlines()[2] + "," * (len(first) - 7)
    return f"{header}\n{','.join(first.values())}\n{second}\n"


def test_a_sound_cohort(tmp_path: Path) -> None:
    cohort, problems = read_cohort(write_cohort(tmp_path))
    assert problems == []
    first, second = cohort.scans
    assert (first.patient_id, first.timepoint, first.modality) == ("P1", "preop", Modality.CT)
    assert (first.mask_label, first.lesion_id, first.liver_mask) == ("2", "1", "")
    assert (second.timepoint, second.mask_label) == (Timepoint.BASELINE, None)
    assert list(cohort.biomarkers.columns) == list(BIOMARKER_COLUMNS)
    assert cohort.biomarkers.empty
    assert cohort.path(first.image) == tmp_path / "i1.nii"


def test_columns_are_numbers_only_where_all_fields_are(tmp_path: Path) -> None:
    patients = read_cohort(write_cohort(tmp_path))[0].patients
    assert patients["necrosis_percent"].isna().tolist() == [False, True]
    assert patients["age"].tolist() == [61.0, 58.5]
    assert patients["code"].tolist() == ["007", "12"]
    assert patients["sex"].isna().tolist() == [False, True]


def test_whole_numbers_without_gaps_stay_integers_and_ids_text(tmp_path: Path) -> None:
    tables = write_cohort(
        tmp_path,
        scans="patient_id,timepoint,modality,phase,image,mask\n1,preop,CT,portal,i.nii,m.nii\n",
        patients="patient_id,hbv,note\n1,1,NA\n",
    )
    cohort, problems = read_cohort(tables)
    assert problems == []
    assert cohort.patients["patient_id"].tolist() == ["1"]
    assert pd.api.types.is_integer_dtype(cohort.patients["hbv"])
    assert cohort.patients["note"].tolist() == ["NA"]


def test_images_may_lie_elsewhere(tmp_path: Path) -> None:
    cohort, _ = read_cohort(write_cohort(tmp_path), images=Path("elsewhere"))
    assert cohort.path("i1.nii") == Path("elsewhere/i1.nii")


@pytest.mark.parametrize(
    ("changes", "code", "step"),
    [
        ({"patient_id": ""}, "value-missing", "Fill"),
        ({"patient_id": "P1 "}, "id-not-plain", "same way"),
        ({"patient_id": "P3"}, "patient-unknown", "patients.csv"),
        ({"timepoint": "pre-op"}, "value-not-allowed", "Did you mean preop?"),
        ({"modality": "ct"}, "value-not-allowed", "Did you mean CT?"),
        ({"phase": "Portal"}, "value-not-allowed", "Did you mean portal?"),
        ({"phase": ""}, "value-not-allowed", "Correct"),
        ({"image": ""}, "value-missing", "Fill"),
        ({"mask": " "}, "value-missing", "Draw"),
        ({"mask_label": "1.5"}, "label-not-an-integer", "voxel value"),
        ({"mask_label": "0"}, "label-background", "voxel value"),
        ({"mask_label": "0.0"}, "label-background", "voxel value"),
        ({"mask_label": "-1"}, "label-not-an-integer", "voxel value"),
        ({"lesion_id": "a b"}, "id-not-plain", "same way"),
        ({"lesion_id": "all"}, "value-not-allowed", "Rename the lesion"),
        ({"liver_mask": " "}, "value-not-allowed", "Empty the field"),
        ({"vessel_mask": " "}, "value-not-allowed", "Empty the field"),
        ({"muscle_mask": "  "}, "value-not-allowed", "Empty the field"),
        ({"scan_date": "1.5.2023"}, "date-invalid", "form"),
    ],
)
def test_a_row_with_a_problem_is_listed_and_left_out(
    tmp_path: Path, changes: dict[str, str], code: str, step: str
) -> None:
    cohort, problems = read_cohort(write_cohort(tmp_path, scans=scans_with(**changes)))
    errors = [problem for problem in problems if problem.is_error]
    assert codes(errors) == [code]
    assert step in errors[0].next_step
    assert [scan.patient_id for scan in cohort.scans] == ["P2"]


@pytest.mark.parametrize("column", ["vessel_mask", "muscle_mask"])
def test_masks_of_organs_are_read_and_a_slip_in_the_name_is_explained(
    tmp_path: Path, column: str
) -> None:
    cohort, problems = read_cohort(write_cohort(tmp_path, scans=scans_with(**{column: "o.nii"})))
    assert problems == []
    assert [getattr(scan, column) for scan in cohort.scans] == ["o.nii", ""]
    assert scan_table(cohort.scans)[column].tolist() == ["o.nii", ""]
    slip = column.replace("_", "s_")
    cohort, problems = read_cohort(write_cohort(tmp_path, scans=scans_with(**{slip: "o.nii"})))
    assert [(p.code, p.next_step) for p in problems] == [
        ("column-unknown", f"Did you mean {column}?")
    ]


def test_a_row_that_only_lacks_its_mask_is_kept_apart(tmp_path: Path) -> None:
    cohort, problems = read_cohort(write_cohort(tmp_path, scans=scans_with(mask="")))
    assert [(p.code, p.column, p.got) for p in problems] == [
        ("value-missing", "mask", "an empty field in line 2")
    ]
    assert [(row.patient_id, row.mask) for row in cohort.unmasked] == [("P1", "")]
    assert [row.patient_id for row in cohort.listed_scans] == ["P2", "P1"]
    cohort, problems = read_cohort(write_cohort(tmp_path, scans=scans_with(mask="", phase="?")))
    assert [p.column for p in problems if p.is_error] == ["phase", "mask"]
    assert cohort.unmasked == ()


def test_an_identifier_that_is_not_plain_is_listed_once_a_table(tmp_path: Path) -> None:
    row = SCANS.splitlines()[1].replace("P1", "P 1")
    other = row.replace("portal", "native")
    _, problems = read_cohort(write_cohort(tmp_path, f"{SCANS}{row}\n{other}\n"))
    assert [(p.code, p.got) for p in problems] == [("id-not-plain", "'P 1'")]


def test_spaces_around_the_name_of_a_column(tmp_path: Path) -> None:
    cohort, problems = read_cohort(write_cohort(tmp_path, SCANS.replace(",image,", ",image ,")))
    (problem,) = problems
    assert (problem.code, problem.is_error, problem.column) == ("column-name-spaces", True, "image")
    assert (problem.expected, problem.got) == ("'image'", "'image '")
    assert len(cohort.scans) == 2  # what else is wrong is found at once


def test_all_problems_of_a_row_are_listed_together(tmp_path: Path) -> None:
    scans = scans_with(timepoint="x", modality="y", mask_label="z")
    _, problems = read_cohort(write_cohort(tmp_path, scans=scans))
    assert [problem.column for problem in problems if problem.is_error] == [
        "timepoint",
        "modality",
        "mask_label",
    ]


def test_the_same_lesion_twice(tmp_path: Path) -> None:
    cohort, problems = read_cohort(write_cohort(tmp_path, SCANS + SCANS.splitlines()[1] + "\n"))
    assert codes(problems) == ["row-duplicate"]
    assert problems[0].what == "lines 2 and 4 describe the same lesion on the same scan"
    assert len(cohort.scans) == 2


def test_columns_of_scans(tmp_path: Path) -> None:
    scans = SCANS.replace("phase", "Phase").replace("mask_label", "mask_labels")
    cohort, problems = read_cohort(write_cohort(tmp_path, scans=scans))
    assert [(problem.code, problem.column) for problem in problems] == [
        ("column-missing", "phase"),
        ("column-unknown", "Phase"),
        ("column-unknown", "mask_labels"),
    ]
    assert problems[2].next_step == "Did you mean mask_label?"
    assert cohort.scans == ()


def test_a_patient_twice(tmp_path: Path) -> None:
    patients = PATIENTS + "P1,0,61,007,M,2023-05-01\n"
    _, problems = read_cohort(write_cohort(tmp_path, patients=patients))
    assert codes(problems) == ["row-duplicate"]
    assert "lines 2, 4" in problems[0].what


def test_a_patient_without_scans_is_a_warning(tmp_path: Path) -> None:
    patients = PATIENTS + "P3,0,61,1,M,2023-05-01\n"
    _, problems = read_cohort(write_cohort(tmp_path, patients=patients))
    assert [(p.code, p.patient_id, p.is_error) for p in problems] == [
        ("patient-without-scans", "P3", False)
    ]


def test_dates_of_patients(tmp_path: Path) -> None:
    patients = PATIENTS.replace("2023-05-01", "2023-02-30")
    _, problems = read_cohort(write_cohort(tmp_path, patients=patients))
    assert [(p.code, p.column) for p in problems] == [("date-invalid", "surgery_date")]


def test_patients_without_their_id(tmp_path: Path) -> None:
    _, problems = read_cohort(write_cohort(tmp_path, patients="ID,age\nP1,60\n"))
    assert [(p.code, p.column) for p in problems] == [("column-missing", "patient_id")]


def test_missing_tables_are_listed_together(tmp_path: Path) -> None:
    cohort, problems = read_cohort(tmp_path)
    assert [(p.code, p.file) for p in problems] == [
        ("table-missing", "scans.csv"),
        ("table-missing", "patients.csv"),
    ]
    assert cohort.patients.empty


def test_biomarkers(tmp_path: Path) -> None:
    biomarkers = """patient_id,analyte,value,unit,drawn_on
P1,AFP,<1.3,ng/mL,2023-04-01
P9,AFP,12,ng/mL,2023-04-01
P1,AFP,7,ng/mL,
"""
    cohort, problems = read_cohort(write_cohort(tmp_path, biomarkers=biomarkers))
    assert [(p.code, p.patient_id) for p in problems] == [
        ("patient-unknown", "P9"),
        ("date-invalid", "P1"),
    ]
    assert cohort.biomarkers["value"].tolist() == ["<1.3", "12", "7"]
    assert cohort.biomarkers["timepoint"].tolist() == ["", "", ""]


def test_timepoints_and_columns_of_biomarkers(tmp_path: Path) -> None:
    header = "patient_id,analyte,value,unit,drawn_on,timepoint"
    row = "P1,AFP,1,ng/mL,2023-04-01,before"
    _, problems = read_cohort(write_cohort(tmp_path, biomarkers=f"{header}\n{row}\n"))
    assert [(p.code, p.got) for p in problems] == [("value-not-allowed", "'before' in line 2")]
    wrong = f"{header.replace('unit', 'units')}\n{row}\n"
    _, problems = read_cohort(write_cohort(tmp_path, biomarkers=wrong))
    assert codes(problems) == ["column-missing", "column-unknown"]


def test_not_a_folder(tmp_path: Path) -> None:
    with pytest.raises(CohortError, match=r"cohort-not-a-folder.*nothing at this path"):
        read_cohort(tmp_path / "absent")


def test_a_checked_cohort_is_read_or_refused(tmp_path: Path) -> None:
    write_cohort(tmp_path, biomarkers="patient_id,analyte,value,unit,drawn_on\n")
    assert len(read_checked_cohort(tmp_path).scans) == 2
    write_cohort(tmp_path, scans=scans_with(modality="x"))
    with pytest.raises(CohortError, match="value-not-allowed"):
        read_checked_cohort(tmp_path)


def test_rows_as_a_table_have_all_columns_as_text(tmp_path: Path) -> None:
    table = scan_table(read_cohort(write_cohort(tmp_path))[0].scans)
    assert list(table.columns) == list(SCAN_COLUMNS)
    assert table["mask_label"].tolist() == ["2", ""]
    assert scan_table(()).empty
