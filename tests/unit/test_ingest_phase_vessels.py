"""Liver and vessels drawn beside the tumour in a DICOM SEG tell the phase of its image."""

from pathlib import Path

import numpy as np
import pytest
from dicom_trees import PLANTED, Study, region, write_ct, write_seg

from pipeline.domain.cohort import ScanRow
from pipeline.domain.reading import DEFAULT_READING
from pipeline.domain.scan import Modality, Timepoint
from pipeline.ingest.image_checks import ImageGroup, examine_image_group
from pipeline.ingest.phase.vessels import read_landmarks
from pipeline.ingest.volume import read_scan


def write_case(folder: Path, description: str, phase: str) -> Path:
    """Write ``CT_4`` and a SEG on it, whose path is returned."""
    study = Study(patient_id="PLANTED_ID", date="20100102", folder=folder)
    return write_seg(study, write_ct(study, 4, description, phase))


def test_segments_are_found_by_name(tmp_path: Path) -> None:
    mask = write_case(tmp_path, "LIVER", "portal")
    scan = read_scan(tmp_path / "CT_4", Modality.CT)
    found = read_landmarks(mask, scan, DEFAULT_READING)
    assert list(found) == ["aorta", "portal_vein", "liver"]
    for name in ("aorta", "portal_vein"):
        np.testing.assert_array_equal(found[name].inside, region(name))


def test_other_masks_hold_no_names(tmp_path: Path) -> None:
    write_case(tmp_path, "LIVER", "portal")
    scan = read_scan(tmp_path / "CT_4", Modality.CT)
    (tmp_path / "mask.nii.gz").write_bytes(b"no DICOM")
    for name in ("mask.nii.gz", "CT_4", "absent.dcm"):
        assert read_landmarks(tmp_path / name, scan, DEFAULT_READING) == {}


@pytest.mark.parametrize(
    ("declared", "description", "real", "found"),
    [
        ("portal", "LIVER 3 PHASE (AP)", "portal", []),
        ("native", "LIVER 3 PHASE (AP)", "portal", [(True, "aorta 150 HU")]),
        ("portal", "LIVER 3 PHASE (AP)", "arterial", [(True, "aorta 320 HU")]),
        ("arterial", "LIVER 3 PHASE (AP)", "arterial", []),
        ("native", "PRE LIVER", "native", []),
        # Both the header and the voxels contradict; the header names a phase surely or probably.
        ("arterial", "Portal phase", "portal", [(True, "portal: "), (False, "aorta 150 HU")]),
        ("arterial", "PRE LIVER", "arterial", [(False, "native: 'pre' in the header's text")]),
        ("phase2", "Portal phase", "native", []),
    ],
)
def test_contradictions_of_a_declared_phase(
    tmp_path: Path, declared: str, description: str, real: str, found: list[tuple[bool, str]]
) -> None:
    mask = write_case(tmp_path, f"{description} PLANTED_TEXT", real)
    row = ScanRow(
        patient_id="P1",
        timepoint=Timepoint.PREOP,
        modality=Modality.CT,
        phase=declared,
        image="CT_4",
        mask=mask.name,
        mask_label="Mass",
    )
    problems = [
        p for _, p in examine_image_group(ImageGroup(tmp_path, ((0, row),), 100.0)).problems
    ]
    assert [p.is_error for p in problems] == [is_error for is_error, _ in found]
    for problem, (_, start) in zip(problems, found, strict=True):
        assert problem.code == "phase-contradicted"
        assert problem.got.startswith(start)
        assert not any(text in str(problem) for text in ["PLANTED", *PLANTED.values()])
