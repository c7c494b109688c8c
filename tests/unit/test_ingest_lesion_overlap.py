"""Regions listed twice and overlapping lesions are found on one image, and copies across images."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import SimpleITK as sitk

from pipeline.config.checks import Checks
from pipeline.config.cohort import CohortConfig
from pipeline.domain.cohort import Cohort, ScanRow
from pipeline.domain.geometry import Geometry
from pipeline.domain.problem import Problem
from pipeline.domain.scan import Modality, Region, Scan, Timepoint
from pipeline.ingest.checks import find_problems
from pipeline.ingest.lesion_overlap import Crop, count_common, crop_region, find_lesion_overlaps
from pipeline.ingest.lesion_places import Place, find_copied_masks, find_moved_lesions, locate

SHAPE = (12, 20, 20)
ROW = ScanRow(
    patient_id="P1",
    timepoint=Timepoint.PREOP,
    modality=Modality.CT,
    phase="portal",
    image="image.nii.gz",
    mask="mask.nii.gz",
)
OTHER = replace(ROW, lesion_id="2", mask="other.nii.gz")
Mask = npt.NDArray[np.bool_]


def grid(size: tuple[int, int, int] = (20, 20, 12), x_mm: float = 0.0) -> Geometry:
    turned = (0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)  # x voxels run along y of the patient
    return Geometry(size, (1.0, 2.0, 5.0), (x_mm, 0.0, 0.0), turned)


def block(first_x: int, width: int = 10) -> Mask:
    """Mask 4 x 5 x ``width`` voxels less one corner, so that it is no box."""
    mask = np.zeros(SHAPE, np.bool_)
    mask[4:8, 5:10, first_x : first_x + width] = True
    mask[4, 5, first_x] = False
    return mask


def crop(mask: Mask) -> Crop:
    return crop_region(Region(mask, grid(), "tumour"))


def place(row: ScanRow, mask: Mask, geometry: Geometry | None = None, frame: str = "") -> Place:
    scan = Scan(np.zeros(SHAPE, np.int16), geometry or grid(), Modality.CT, frame)
    return locate(row, scan, crop(mask))


@pytest.mark.parametrize("x", [0, 3, 9, 10])
def test_common_voxels_are_those_of_the_whole_masks(x: int) -> None:
    one, other = block(0), np.roll(block(x), 1, axis=0)
    assert count_common(crop(one), crop(other)) == np.count_nonzero(one & other)


@pytest.mark.parametrize(
    ("first_x", "found"),
    [
        (10, []),  # beside it
        (9, [("lesion-overlap", False, "10% (19 voxels)")]),  # 19 of 199: its corner is missing
        (2, [("lesion-overlap", True, "80% (159 voxels)")]),
        (0, [("lesion-duplicate", True, "the voxels of lesion 1 (mask.nii.gz) for lesion 2")]),
    ],
)
def test_two_lesions_of_one_scan(first_x: int, found: list[tuple[str, bool, str]]) -> None:
    drawn = [(3, ROW, crop(block(0))), (7, OTHER, crop(block(first_x)))]
    problems = list(find_lesion_overlaps(drawn, Checks()))
    assert [(n, p.code, p.is_error, p.file) for n, p in problems] == [
        (7, code, is_error, "other.nii.gz") for code, is_error, _ in found
    ]
    assert all(p.got.startswith(text) for (_, p), (_, _, text) in zip(problems, found, strict=True))


def test_a_lesion_inside_another_is_an_error() -> None:
    drawn = [(0, ROW, crop(block(0))), (1, OTHER, crop(block(3, width=2)))]
    ((_, problem),) = find_lesion_overlaps(drawn, Checks())
    assert (problem.code, problem.is_error) == ("lesion-overlap", True)
    assert problem.got.startswith("100% (39 voxels)")


def test_the_shares_are_settings() -> None:
    drawn = [(0, ROW, crop(block(0))), (1, OTHER, crop(block(2)))]
    assert list(find_lesion_overlaps(drawn, Checks(lesion_overlap_warning=0.81))) == []
    ((_, problem),) = find_lesion_overlaps(drawn, Checks(lesion_overlap_error=0.81))
    assert not problem.is_error


def test_one_lesion_on_an_image_of_two_patients_is_not_this_problem() -> None:
    drawn = [(0, ROW, crop(block(0))), (1, replace(OTHER, patient_id="P2"), crop(block(0)))]
    assert list(find_lesion_overlaps(drawn, Checks())) == []


def test_the_centre_is_in_the_patient() -> None:
    mask = np.zeros(SHAPE, np.bool_)
    mask[3, 4, 7] = True
    mask[3, 4, 9] = True
    # z 3 of 5 mm; y 4 of 2 mm runs along -x; x 8 of 1 mm runs along y; the origin is at 100 mm.
    assert place(ROW, mask, grid(x_mm=100.0)).centre_mm == (92.0, 8.0, 15.0)


def test_masks_with_the_voxels_of_others() -> None:
    rows = [
        ROW,
        replace(ROW, phase="arterial", image="b"),  # one mask for the phases of a visit
        replace(ROW, timepoint=Timepoint.BASELINE, image="c"),
        replace(ROW, patient_id="P2", image="d", mask="p2.nii.gz"),
        replace(OTHER, image="e"),  # another lesion, on a copy of the image
    ]
    same = [(number, place(row, block(1))) for number, row in enumerate(rows)]
    found = [(n, str(p.code), p.is_error) for n, p in find_copied_masks(same[:4][::-1])]
    assert sorted(found) == [
        (0, "mask-duplicate", True),
        (1, "mask-duplicate", True),
        (2, "mask-duplicate", False),
        (2, "mask-duplicate", True),
        (3, "mask-duplicate", True),
    ]
    assert list(find_copied_masks(same[:2])) == []
    assert [(n, str(p.code)) for n, p in find_copied_masks([same[0], same[4]])] == [
        (4, "lesion-duplicate")
    ]
    moved = (5, place(rows[3], block(2)))
    assert list(find_copied_masks([same[0], moved])) == []


def test_a_box_has_no_shape_of_its_own() -> None:
    mask = np.zeros(SHAPE, np.bool_)
    mask[2:6, 3:7, 4:8] = True
    rows = (ROW, replace(ROW, patient_id="P2"))
    assert list(find_copied_masks([(n, place(row, mask)) for n, row in enumerate(rows)])) == []


@pytest.mark.parametrize(
    ("columns", "geometry", "frames", "found"),
    [
        (5, None, ("", ""), []),  # 5 x 1 mm
        (8, None, ("", ""), ["22 mm from mask.nii.gz (portal)"]),
        (8, grid(x_mm=1.0), ("", ""), []),  # another grid, and no frame: not comparable
        (8, grid(x_mm=1.0), ("1.2", "1.2"), ["22 mm from mask.nii.gz (portal)"]),
        (8, None, ("1.2", "1.3"), []),
    ],
)
def test_one_lesion_at_two_places(
    columns: int, geometry: Geometry | None, frames: tuple[str, str], found: list[str]
) -> None:
    first = place(ROW, block(0), frame=frames[0])
    # Along z by 4 slices of 5 mm where the columns are 8: sqrt(20^2 + 8^2) = 21.5 mm.
    moved = np.roll(block(columns), 4 if columns == 8 else 0, axis=0)
    second = place(replace(ROW, phase="arterial", image="b"), moved, geometry, frames[1])
    problems = list(find_moved_lesions([(0, first), (4, second)], Checks()))
    assert [(n, p.code, p.is_error) for n, p in problems] == [(4, "lesion-moved", False)] * len(
        found
    )
    assert [problem.got for _, problem in problems] == found


def test_only_the_mask_that_differs_from_the_first_is_named() -> None:
    far = np.roll(block(0), 4, axis=0)
    far = np.roll(far, 8, axis=2)
    rows = [replace(ROW, phase=phase, image=phase) for phase in ("native", "arterial", "portal")]
    places = [(n, place(row, far if n == 1 else block(0))) for n, row in enumerate(rows)]
    assert [number for number, _ in find_moved_lesions(places, Checks())] == [1]


def test_the_check_of_a_cohort_lists_them(tmp_path: Path) -> None:
    for number, name in enumerate(("image", "second")):
        noise = np.random.default_rng(number).normal(50, 60, SHAPE).astype(np.int16)
        sitk.WriteImage(sitk.GetImageFromArray(noise), str(tmp_path / f"{name}.nii.gz"))
    mask = sitk.GetImageFromArray(block(3).astype(np.uint8))
    for name in ("mask", "other"):
        sitk.WriteImage(mask, str(tmp_path / f"{name}.nii.gz"))
    rows = (ROW, OTHER, replace(ROW, patient_id="P2", image="second.nii.gz", mask="other.nii.gz"))
    patients = pd.DataFrame({"patient_id": ["P1", "P2"], "complete": [1, 0]})
    content = {"root": ".", "outcome": {"column": "complete", "positive": "== 1"}}
    config = CohortConfig.model_validate(content)
    problems: list[Problem] = find_problems(
        Cohort(tmp_path, rows, patients, pd.DataFrame()), config, 1
    )
    assert sorted((str(p.code), p.patient_id, p.file) for p in problems if p.is_error) == [
        ("lesion-duplicate", "P1", "other.nii.gz"),
        ("mask-duplicate", "P1", "mask.nii.gz"),
        ("mask-duplicate", "P1", "other.nii.gz"),
        ("mask-duplicate", "P2", "other.nii.gz"),
    ]
