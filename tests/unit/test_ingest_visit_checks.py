"""Scans of a visit that contradict each other: enhancement in reverse, phases only numbered."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from pipeline.config.checks import Checks
from pipeline.config.cohort import CohortConfig
from pipeline.domain.cohort import Cohort, ScanRow
from pipeline.domain.problem import Problem
from pipeline.domain.scan import Modality, Timepoint
from pipeline.ingest.checks import find_problems
from pipeline.ingest.visit_checks import (
    Attenuation,
    find_exchanged_phases,
    find_unnamed_phases,
    find_unverified_phases,
)

ROW = ScanRow(
    patient_id="P1",
    timepoint=Timepoint.PREOP,
    modality=Modality.CT,
    phase="native",
    image="native.nii.gz",
    mask="mask.nii.gz",
    liver_mask="liver.nii.gz",
)


def scan(phase: str, **median_hu: float) -> Attenuation:
    return Attenuation(replace(ROW, phase=phase, image=f"{phase}.nii.gz"), median_hu)


def changed(item: Attenuation, **fields: Any) -> Attenuation:
    return replace(item, row=replace(item.row, **fields))


def judged(*scans: Attenuation) -> list[tuple[int, bool, str]]:
    found = find_exchanged_phases(list(enumerate(scans)), Checks())
    return [(number, problem.is_error, problem.got) for number, problem in found]


def test_phases_in_order() -> None:
    assert (
        judged(
            scan("native", aorta=40, portal_vein=42, liver=57, tumour=40),
            scan("arterial", aorta=320, portal_vein=120, liver=70, tumour=90),
            scan("portal", aorta=150, portal_vein=170, liver=115, tumour=80),
            scan("delayed", aorta=110, portal_vein=115, liver=95, tumour=60),
        )
        == []
    )


@pytest.mark.parametrize(
    ("native", "other", "is_error"),
    [
        ({"liver": 60}, {"liver": 55}, None),  # as much as calibration drifts
        ({"liver": 66}, {"liver": 57}, False),
        ({"liver": 110}, {"liver": 57}, True),
        ({"aorta": 320}, {"aorta": 40}, True),
        ({"portal_vein": 160}, {"portal_vein": 45}, True),
        ({"tumour": 59}, {"tumour": 40}, None),  # the mask may have moved
        ({"tumour": 90}, {"tumour": 40}, False),
        ({"liver": 66, "tumour": 90}, {"liver": 57, "tumour": 40}, True),  # two signs
        ({"liver": 66}, {"tumour": 57}, None),
    ],
)
@pytest.mark.parametrize("phase", ["arterial", "portal", "delayed"])
def test_native_more_enhanced(
    phase: str, native: dict[str, float], other: dict[str, float], is_error: bool | None
) -> None:
    found = judged(scan(phase, **other), scan("native", **native))
    assert [(number, sure) for number, sure, _ in found] == (
        [] if is_error is None else [(1, is_error)]
    )


def test_what_was_measured_is_said() -> None:
    ((_, _, got),) = judged(scan("native", portal_vein=160), scan("arterial", portal_vein=45))
    assert got == "portal vein 160 HU native and 45 HU arterial"


def test_arterial_and_portal_exchanged() -> None:
    found = judged(scan("arterial", liver=115, aorta=150), scan("portal", liver=70, aorta=320))
    assert found == [
        (0, True, "liver 115 HU arterial and 70 HU portal"),
        (1, True, "aorta 320 HU portal and 150 HU arterial"),
    ]


def test_only_one_visit_and_one_lesion_are_compared() -> None:
    native, arterial = scan("native", tumour=120), scan("arterial", tumour=30)
    assert len(judged(native, arterial)) == 1
    assert judged(native, changed(arterial, lesion_id="2")) == []
    assert judged(native, changed(arterial, patient_id="P2")) == []
    assert judged(native, changed(arterial, timepoint=Timepoint.BASELINE)) == []


@pytest.mark.parametrize(
    ("phases", "found"),
    [
        (["portal", "t2", "unknown_sequence"], []),
        (["unknown1", "portal"], [(0, False)]),
        (["unknown1", "portal", "unknown2"], [(0, True), (2, True)]),
    ],
)
def test_phases_that_an_import_could_not_tell(
    phases: list[str], found: list[tuple[int, bool]]
) -> None:
    rows = [replace(ROW, phase=phase, image=phase) for phase in phases]
    problems = list(find_unnamed_phases(rows))
    assert [(number, problem.is_error) for number, problem in problems] == found
    assert all((p.code, p.column) == ("phase-unknown", "phase") for _, p in problems)


def test_lesions_of_one_scan_are_one_unknown_phase() -> None:
    rows = [replace(ROW, phase="unknown1", lesion_id=lesion) for lesion in ("1", "2")]
    assert [problem.is_error for _, problem in find_unnamed_phases(rows)] == [False, False]


def test_phases_that_nothing_verifies_are_counted_once() -> None:
    def scan(patient: str, phase: str, **regions: float) -> Attenuation:
        row = replace(ROW, patient_id=patient, phase=phase, image=f"{patient}{phase}")
        return Attenuation(replace(row, liver_mask=""), regions)

    measured = [
        scan("P1", "native", liver=55.0),
        scan("P1", "arterial", liver=70.0),
        scan("P2", "native", tumour=40.0),
        scan("P2", "portal", tumour=90.0),
        scan("P3", "portal"),  # a single phase is exchanged with none
        replace(scan("P4", "native"), in_header=True),
        replace(scan("P4", "portal"), in_header=True),
        scan("P5", "t1"),
        scan("P5", "early"),
    ]
    found = list(find_unverified_phases(list(enumerate(measured)), Checks()))
    assert [(n, p.code, p.is_error, p.got) for n, p in found] == [
        (2, "phase-unverified", False, "neither in 1 of 4 visits")
    ]
    assert list(find_unverified_phases(list(enumerate(measured)), Checks(phase_hu={}))) == []


def _write(folder: Path, name: str, voxels: np.ndarray) -> None:
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing((1.0, 1.0, 2.0))
    sitk.WriteImage(image, str(folder / name))


def _check(folder: Path, *rows: ScanRow, unmasked: tuple[ScanRow, ...] = ()) -> list[Problem]:
    patients = pd.DataFrame({"patient_id": ["P1", "P2"], "complete": [1, 0]})
    config = CohortConfig.model_validate(
        {
            "root": ".",
            "outcome": {"column": "complete", "positive": "== 1"},
            "checks": {"min_liver_ml": 0},  # a liver of 2 mL
        }
    )
    cohort = Cohort(folder, rows, patients, pd.DataFrame(), unmasked=unmasked)
    return find_problems(cohort, config, jobs=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write two phases, in which the liver has 57 and 66 HU and the tumour 38 and 84."""
    shape = (12, 20, 20)
    liver, mask = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    liver[2:10, 3:15, 7:19] = 1
    mask[4:8, 5:10, 8:18] = 1
    _write(tmp_path, "liver.nii.gz", liver)
    _write(tmp_path, "mask.nii.gz", mask)
    for name, liver_hu, tumour_hu in (("native", 57, 38), ("arterial", 66, 84)):
        voxels = np.where(mask == 1, tumour_hu, np.where(liver == 1, liver_hu, -80))
        voxels[:, :, :6] = -1000
        _write(tmp_path, f"{name}.nii.gz", voxels.astype(np.int16))
    return tmp_path


def test_exchanged_images_are_found_in_the_files(folder: Path) -> None:
    native = replace(ROW, phase="native", image="native.nii.gz")
    arterial = replace(ROW, phase="arterial", image="arterial.nii.gz")
    assert _check(folder, native, arterial) == []
    (problem,) = _check(
        folder, replace(native, image=arterial.image), replace(arterial, image=native.image)
    )
    assert (problem.code, problem.is_error) == ("phase-contradicted", True)
    assert problem.file == "arterial.nii.gz"
    assert problem.got == (
        "liver 66 HU native and 57 HU arterial, tumour 84 HU native and 38 HU arterial"
    )


def test_images_without_a_mask_are_checked(folder: Path) -> None:
    sound = replace(ROW, image="native.nii.gz")
    bare = replace(ROW, phase="arterial", image="arterial.nii.gz", mask="", liver_mask="")
    (problem,) = _check(folder, sound, unmasked=(bare,))  # there is no liver either
    assert (problem.code, problem.is_error) == ("phase-unverified", False)
    image = sitk.ReadImage(str(folder / "arterial.nii.gz"))
    sitk.WriteImage(image + 1024, str(folder / "arterial.nii.gz"))
    lost = replace(bare, phase="portal", image="absent.nii.gz")
    copied = replace(bare, patient_id="P2", phase="unknown1", image="copy.nii.gz")
    (folder / "copy.nii.gz").write_bytes((folder / "native.nii.gz").read_bytes())
    problems = _check(folder, sound, unmasked=(bare, lost, copied))
    assert sorted((str(p.code), p.file) for p in problems) == [
        ("file-missing", "absent.nii.gz"),
        ("image-duplicate", "copy.nii.gz"),
        ("image-duplicate", "native.nii.gz"),
        ("phase-unknown", "copy.nii.gz"),
        ("values-implausible", "arterial.nii.gz"),
    ]


def test_exchanged_columns_are_one_error(folder: Path) -> None:
    row = replace(ROW, image="mask.nii.gz", mask="native.nii.gz")
    (problem,) = _check(folder, row)
    assert (problem.code, problem.is_error) == ("image-is-mask", True)
    assert "columns image and mask" in problem.next_step
