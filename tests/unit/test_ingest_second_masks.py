"""A second reader's masks: what is wrong with the file is listed, all at once."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline.domain.cohort import Cohort, ScanRow
from pipeline.domain.errors import CohortError
from pipeline.domain.scan import Modality, Timepoint
from pipeline.ingest.second_masks import read_second_masks

HEADER = "patient_id,timepoint,modality,phase,lesion_id,mask,mask_label\n"


def row(patient_id: str, lesion_id: str = "1") -> ScanRow:
    return ScanRow(
        patient_id=patient_id,
        timepoint=Timepoint.PREOP,
        modality=Modality.CT,
        phase="portal",
        image="i.nii",
        mask="first.nii",
        mask_label="7",
        lesion_id=lesion_id,
    )


@pytest.fixture
def cohort(tmp_path: Path) -> Cohort:
    for name in ("i.nii", "first.nii", "second.nii"):
        (tmp_path / name).write_bytes(b"")
    scans = (row("P1"), row("P2", "a"), row("P2", "b"))
    return Cohort(tmp_path, scans, pd.DataFrame(), pd.DataFrame())


def read(cohort: Cohort, text: str) -> list[tuple[ScanRow, ScanRow]]:
    file = cohort.root / "second.csv"
    file.write_text(text)
    return read_second_masks(file, cohort, allow_outside=False)


def test_rows_differ_in_mask_and_label_only(cohort: Cohort) -> None:
    lines = "P2,preop,CT,portal,b,second.nii,2\nP1,preop,CT,portal,,second.nii,\n"
    (first, second), (other_first, other_second) = read(cohort, HEADER + lines)
    assert first == cohort.scans[2]
    assert (second.mask, second.mask_label) == ("second.nii", "2")
    assert (second.case_id, second.image) == (first.case_id, first.image)
    assert other_first == cohort.scans[0]
    assert other_second.mask_label is None


def test_everything_that_is_wrong_is_listed(cohort: Cohort) -> None:
    lines = (
        "P1,preop,CT,portal,1,second.nii,1\n"
        "P1,preop,CT,portal,,second.nii,1\n"
        "P9,preop,CT,portal,1,second.nii,1\n"
        "P2,preop,CT,portal,a, ,1\n"
        "P2,preop,CT,portal,b,../second.nii,1\n"
    )
    with pytest.raises(CohortError, match=r"4 problem\(s\)") as caught:
        read(cohort, HEADER + lines)
    found = {(problem.patient_id, str(problem.code)) for problem in caught.value.problems}
    assert found == {
        ("P1", "row-duplicate"),
        ("P9", "value-not-allowed"),
        ("P2", "value-missing"),
        ("P2", "path-outside"),
    }


def test_a_second_mask_that_shows_no_second_reading_is_an_error(cohort: Cohort) -> None:
    lines = (
        "P1,preop,CT,portal,1,./first.nii,7\n"  # the first reader's file and label
        "P2,preop,CT,portal,a,first.nii,8\n"  # another label of it, which is fine
        "P2,preop,CT,portal,b,i.nii,7\n"
    )
    with pytest.raises(CohortError, match="is that of the first reader") as caught:
        read(cohort, HEADER + lines)
    found = [(problem.patient_id, str(problem.code)) for problem in caught.value.problems]
    assert found == [("P1", "value-not-allowed"), ("P2", "mask-is-image")]


def test_labels_follow_the_rules_of_the_scans_table(cohort: Cohort) -> None:
    lines = "P1,preop,CT,portal,1,second.nii,0\nP2,preop,CT,portal,a,second.nii,1.5\n"
    with pytest.raises(CohortError, match=r"second\.csv") as caught:
        read(cohort, HEADER + lines)
    found = [(problem.file, str(problem.code)) for problem in caught.value.problems]
    assert found == [("second.csv", "label-background"), ("second.csv", "label-not-an-integer")]


def test_columns_and_file_are_checked(cohort: Cohort) -> None:
    with pytest.raises(CohortError, match=r"column maske: .*Did you mean mask"):
        read(cohort, HEADER.replace(",mask,", ",maske,") + "P1,preop,CT,portal,1,second.nii,1\n")
    with pytest.raises(CohortError, match="a required column is missing"):
        read(cohort, "patient_id,mask\nP1,second.nii\n")
    with pytest.raises(CohortError, match="table-missing"):
        read_second_masks(cohort.root / "no.csv", cohort, allow_outside=False)
