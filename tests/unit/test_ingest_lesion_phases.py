"""Visits whose phases do not show the same lesions are named."""

from dataclasses import replace

from pipeline.domain.cohort import ScanRow
from pipeline.domain.scan import Modality, Timepoint
from pipeline.ingest.codes import Code
from pipeline.ingest.lesion_phases import find_differing_lesions

ROW = ScanRow(
    patient_id="P1",
    timepoint=Timepoint.PREOP,
    modality=Modality.CT,
    phase="arterial",
    image="a.nii.gz",
    mask="m.nii.gz",
)


def _rows(patient_id: str, **lesions: str) -> list[ScanRow]:
    return [
        replace(ROW, patient_id=patient_id, phase=phase, image=phase, lesion_id=lesion)
        for phase, drawn in lesions.items()
        for lesion in drawn
    ]


def test_a_lesion_that_is_not_on_all_phases_is_named_once_a_visit() -> None:
    sound = _rows("P1", arterial="12", portal="21")
    rows = [*sound, *_rows("P2", arterial="12", portal="1", native="123")]
    ((number, problem),) = find_differing_lesions(rows)
    assert number == len(sound)
    assert (problem.code, problem.patient_id) == (Code.LESIONS_DIFFER, "P2")
    drawn = "arterial: 1, 2; portal: 1; native: 1, 2, 3"
    assert problem.got == f"at preop on CT lesions {drawn}"
    assert not problem.is_error


def test_other_times_modalities_and_scans_without_a_mask_need_not_have_them() -> None:
    first, second = _rows("P1", arterial="12")
    other = [
        replace(first, timepoint=Timepoint.BASELINE, phase="portal"),
        replace(first, modality=Modality.MR, phase="portal"),
        replace(first, mask="", phase="delayed"),
    ]
    assert list(find_differing_lesions([first, second, *other])) == []
