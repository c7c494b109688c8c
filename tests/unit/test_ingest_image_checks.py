"""Limits of slices, pieces, air, iodised oil and liver at their edges; copies are found."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk

from pipeline.config.checks import Checks
from pipeline.domain.cohort import ScanRow
from pipeline.domain.problem import Problem
from pipeline.domain.scan import Modality, Timepoint
from pipeline.ingest.duplicate_checks import find_duplicate_images, hash_voxels
from pipeline.ingest.image_checks import ImageGroup, examine_image_group

SHAPE = (12, 20, 20)
ROW = ScanRow(
    patient_id="P1",
    timepoint=Timepoint.PREOP,
    modality=Modality.CT,
    phase="native",
    image="image.nii.gz",
    mask="mask.nii.gz",
)
Image = npt.NDArray[np.int16]
Mask = npt.NDArray[np.uint8]


def write(path: Path, voxels: npt.NDArray[np.generic], slice_mm: float = 2.0) -> None:
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing((1.0, 1.0, slice_mm))
    sitk.WriteImage(image, str(path))


def body(liver_hu: float = 60) -> Image:
    """Paint soft tissue with air in the first columns."""
    voxels = np.full(SHAPE, liver_hu, np.int16)
    voxels[:, :, :6] = -1000
    return voxels


def tumour() -> Mask:
    """Mask a box of 4 x 5 x 10 = 200 voxels in the soft tissue."""
    mask = np.zeros(SHAPE, np.uint8)
    mask[4:8, 5:10, 8:18] = 1
    return mask


def check(
    folder: Path, image: Image, mask: Mask, row: ScanRow = ROW, slice_mm: float = 2.0
) -> list[Problem]:
    write(folder / "image.nii.gz", image, slice_mm)
    write(folder / "mask.nii.gz", mask, slice_mm)
    group = ImageGroup(folder, ((0, row),), 100.0, limits=Checks(min_liver_ml=0.0))
    return [problem for _, problem in examine_image_group(group).problems]


def test_a_sound_image(tmp_path: Path) -> None:
    assert check(tmp_path, body(), tumour()) == []


@pytest.mark.parametrize(("slice_mm", "got"), [(5.0, []), (5.005, []), (6.0, ["6 mm"])])
def test_thick_slices(tmp_path: Path, slice_mm: float, got: list[str]) -> None:
    problems = check(tmp_path, body(), tumour(), slice_mm=slice_mm)
    assert [(p.code, p.got, p.is_error) for p in problems] == [
        ("slices-thick", text, False) for text in got
    ]


@pytest.mark.parametrize("specks", [4, 5])
def test_pieces_of_a_region(tmp_path: Path, specks: int) -> None:
    mask = tumour()
    mask[8, 10, 18] = 1  # touches the box at a corner: one piece
    for number in range(specks):
        mask[1, 1 + 3 * number, 10] = 1
    problems = check(tmp_path, body(), mask)
    assert [(p.code, p.got) for p in problems] == [
        (
            "mask-many-components",
            "6 pieces, the largest 98% of the volume, 5 of a single voxel",
        )
    ][: specks - 4]


@pytest.mark.parametrize(
    ("rows_in_air", "found"),
    [
        (2, []),  # 8 of 208 voxels
        (5, [("part of the tumour lies in air", False, "9% of 220 voxels")]),
    ],
)
def test_part_of_the_tumour_in_air(
    tmp_path: Path, rows_in_air: int, found: list[tuple[str, bool, str]]
) -> None:
    mask = tumour()
    mask[4:8, 5 : 5 + rows_in_air, 5] = 1
    problems = check(tmp_path, body(), mask)
    assert [(p.what, p.is_error, p.got) for p in problems] == found


def test_a_tumour_in_air_is_an_error(tmp_path: Path) -> None:
    mask = np.zeros(SHAPE, np.uint8)
    mask[4:8, 5:10, 2:9] = 1  # four of seven columns in air
    (problem,) = check(tmp_path, body(), mask)
    assert (problem.code, problem.is_error) == ("mask-outside-body", True)
    assert problem.got == "57% of 140 voxels"


@pytest.mark.parametrize(
    ("dense", "phase", "found"),
    [
        (10, "native", []),  # 5 %
        (11, "native", ["6% of 200 voxels, up to 400 HU"]),
        (11, "arterial", []),  # contrast is as dense
    ],
)
def test_iodised_oil(tmp_path: Path, dense: int, phase: str, found: list[str]) -> None:
    image = body()
    places = np.argwhere(tumour())[:dense]
    image[tuple(places.T)] = 400
    problems = check(tmp_path, image, tumour(), replace(ROW, phase=phase))
    assert [(p.code, p.got) for p in problems] == [("lipiodol-present", text) for text in found]


def test_values_that_are_no_hounsfield_units_are_not_judged_further(tmp_path: Path) -> None:
    mask = np.zeros(SHAPE, np.uint8)
    mask[4:8, 5:10, 1:5] = 1
    problems = check(tmp_path, body() * 20, mask)
    assert [p.code for p in problems] == ["values-implausible"]


@pytest.mark.parametrize(
    ("phase", "liver_hu", "found"),
    [
        ("native", 60, []),
        ("native", 110, [("phase-contradicted", False)]),
        ("native", 140, [("phase-contradicted", True)]),
        ("arterial", 75, []),
        ("portal", 110, []),
        ("portal", 50, [("phase-contradicted", False)]),
        ("phase2", 140, []),
    ],
)
def test_phase_by_the_liver(
    tmp_path: Path, phase: str, liver_hu: float, found: list[tuple[str, bool]]
) -> None:
    liver = np.zeros(SHAPE, np.uint8)
    liver[2:10, 3:15, 7:19] = 1  # 1152 voxels, 200 of them tumour
    write(tmp_path / "liver.nii.gz", liver)
    row = replace(ROW, phase=phase, liver_mask="liver.nii.gz")
    problems = check(tmp_path, body(liver_hu), tumour(), row)
    assert [(p.code, p.is_error) for p in problems] == found
    assert all(f"liver {liver_hu} HU (952 voxels)" in p.got for p in problems)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (lambda a: a.astype(np.float64), True),
        (lambda a: np.asfortranarray(a), True),
        (lambda a: a[:, :, ::-1], False),
        (lambda a: a.reshape(20, 12, 20), False),
        (lambda a: np.where(np.arange(a.size).reshape(a.shape) == 7, a + 1, a), False),
    ],
)
def test_fingerprint_of_voxels(
    change: Callable[[npt.NDArray[np.generic]], npt.NDArray[np.generic]], same: bool
) -> None:
    assert (hash_voxels(change(body())) == hash_voxels(body())) is same


def test_a_constant_image_equals_no_other() -> None:
    assert hash_voxels(np.zeros(SHAPE, np.int16)) == ""


def test_copies_of_an_image() -> None:
    rows = [
        replace(ROW, image="a"),
        replace(ROW, image="b", patient_id="P2"),
        replace(ROW, image="c", phase="portal"),
        replace(ROW, image="d", lesion_id="2"),  # a copy of a for another lesion
        replace(ROW, image="e", patient_id="P3"),
        replace(ROW, image="f", patient_id="P4"),
    ]
    hashes = zip(range(6), rows, ["x", "x", "y", "x", "", ""], strict=True)
    found = list(find_duplicate_images(hashes))
    assert [(number, p.code, p.is_error, p.got) for number, p in found] == [
        (0, "image-duplicate", True, "the voxels of b (P2/preop/CT/native)"),
        (
            1,
            "image-duplicate",
            True,
            "the voxels of a (P1/preop/CT/native), d (P1/preop/CT/native)",
        ),
        (3, "image-duplicate", True, "the voxels of b (P2/preop/CT/native)"),
    ]


def test_findings_carry_the_fingerprint(tmp_path: Path) -> None:
    check(tmp_path, body(), tumour())
    group = ImageGroup(tmp_path, ((0, ROW),), 100.0, limits=Checks())
    assert examine_image_group(group).voxel_hash == hash_voxels(body())
    (tmp_path / "image.nii.gz").write_bytes(b"no image")
    assert examine_image_group(group).voxel_hash == ""
