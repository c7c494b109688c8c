"""Rows on one image know each other's lesions."""

from dataclasses import replace

from pipeline.domain.cohort import Drawing, ScanRow
from pipeline.domain.lesions import UNION_ID, link_lesions, unite_lesions
from pipeline.domain.scan import Modality, Timepoint

ONE = ScanRow(
    patient_id="P1",
    timepoint=Timepoint.BASELINE,
    modality=Modality.CT,
    phase="arterial",
    image="a.nii.gz",
    mask="one.nii.gz",
)
TWO = replace(ONE, lesion_id="2", mask="two.nii.gz", mask_label="5")
THREE = replace(ONE, lesion_id="3", mask_label="3")
ELSEWHERE = replace(TWO, image="b.nii.gz")
OTHER_PHASE = replace(TWO, phase="portal")


def test_a_row_is_told_of_the_other_lesions_on_its_image_only() -> None:
    rows = [TWO, ELSEWHERE, ONE, OTHER_PHASE, THREE]
    linked = link_lesions(rows)
    assert [replace(row, others=()) for row in linked] == rows
    one, two, three = Drawing("one.nii.gz"), Drawing("two.nii.gz", "5"), Drawing("one.nii.gz", "3")
    assert [row.others for row in linked] == [(one, three), (), (two, three), (), (two, one)]


def test_lesions_of_an_image_are_united_and_a_single_one_is_not() -> None:
    (united,) = unite_lesions([TWO, ELSEWHERE, ONE, OTHER_PHASE, THREE])
    assert (united.lesion_id, united.image, united.united) == (UNION_ID, "a.nii.gz", True)
    drawn = [Drawing(united.mask, united.mask_label), *united.others]
    assert drawn == [
        Drawing("two.nii.gz", "5"),
        Drawing("one.nii.gz"),
        Drawing("one.nii.gz", "3"),
    ]


def test_an_image_is_one_however_its_path_is_written() -> None:
    other = replace(TWO, image="./x/../a.nii.gz")
    assert [row.others for row in link_lesions([ONE, other])] == [
        (Drawing("two.nii.gz", "5"),),
        (Drawing("one.nii.gz"),),
    ]


def test_phases_that_lack_a_lesion_of_the_visit_have_no_union() -> None:
    phases = {"arterial": "12", "portal": "213", "native": "1", "delayed": "123"}
    rows = [
        replace(ONE, phase=phase, image=phase, lesion_id=lesion)
        for phase, lesions in phases.items()
        for lesion in lesions
    ]
    assert [row.phase for row in unite_lesions(rows)] == ["portal", "delayed"]
    later = [replace(row, timepoint=Timepoint.PREOP) for row in rows if row.phase == "arterial"]
    assert [row.timepoint for row in unite_lesions([*rows, *later])] == [
        *(Timepoint.BASELINE, Timepoint.BASELINE),
        Timepoint.PREOP,
    ]
