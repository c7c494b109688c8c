"""Liver masks of the wrong size or place, and tumours that are the liver or lie outside of it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk

from pipeline.config.checks import Checks
from pipeline.domain.cohort import ScanRow
from pipeline.domain.geometry import Geometry
from pipeline.domain.problem import Problem
from pipeline.domain.scan import Modality, Region, Scan, Timepoint
from pipeline.ingest.liver_checks import (
    find_liver_attenuation_problems,
    find_liver_problems,
    find_overlap_problems,
)
from pipeline.ingest.mask_checks import find_mask_problems
from pipeline.ingest.region_checks import find_shape_problems

SHAPE = (20, 30, 30)
SPACING_MM = (5.0, 5.0, 10.0)  # a voxel is 0.25 mL, the image 4500 mL
ROW = ScanRow(
    patient_id="P1",
    timepoint=Timepoint.PREOP,
    modality=Modality.CT,
    phase="native",
    image="image.nii.gz",
    mask="mask.nii.gz",
    liver_mask="liver.nii.gz",
)
Mask = npt.NDArray[np.bool_]


def grid() -> Geometry:
    identity = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    return Geometry((30, 30, 20), SPACING_MM, (0.0, 0.0, 0.0), identity)


def box(z: slice, y: slice, x: slice) -> Mask:
    mask = np.zeros(SHAPE, np.bool_)
    mask[z, y, x] = True
    return mask


def liver() -> Mask:
    """Mask 10 x 20 x 20 = 4000 voxels, 1000 mL, away from the edge."""
    return box(slice(5, 15), slice(5, 25), slice(5, 25))


def tumour() -> Mask:
    """Mask 4 x 4 x 4 = 64 voxels, 16 mL, deep in the liver."""
    return box(slice(8, 12), slice(12, 16), slice(12, 16))


def region(inside: Mask, name: str) -> Region:
    return Region(inside, grid(), name)


def brief(problems: list[Problem]) -> list[tuple[str, bool, str]]:
    return [(str(problem.code), problem.is_error, problem.got) for problem in problems]


def size_problems(inside: Mask, limits: Checks | None = None) -> list[tuple[str, bool, str]]:
    return brief(list(find_liver_problems(ROW, region(inside, "liver"), limits or Checks())))


def overlap_problems(tumour: Mask, liver: Mask) -> list[tuple[str, bool, str]]:
    regions = region(tumour, "tumour"), region(liver, "liver")
    return brief(list(find_overlap_problems(ROW, *regions, Checks())))


def test_a_sound_liver() -> None:
    assert size_problems(liver()) == []
    assert overlap_problems(tumour(), liver()) == []


def test_a_liver_of_another_size() -> None:
    small = box(slice(5, 10), slice(5, 20), slice(5, 20))  # 1125 voxels
    assert size_problems(small) == [("liver-size-unusual", False, "281 mL")]
    assert size_problems(small, Checks(min_liver_ml=281.0)) == []
    cut = box(slice(0, 5), slice(5, 20), slice(5, 20))  # cut off by the first plane
    assert size_problems(cut) == []
    large = box(slice(1, 19), slice(1, 29), slice(0, 30))
    assert size_problems(large, Checks(max_liver_ml=3000.0)) == [
        ("liver-size-unusual", False, "3.78e+03 mL")
    ]


def test_a_liver_that_covers_the_image() -> None:
    everything = np.ones(SHAPE, np.bool_)
    share = "1 of the image, all eight corners, 4500 mL"
    assert size_problems(everything) == [("mask-covers-image", True, share)]
    inverted = ~liver()  # 3500 mL
    (problem,) = size_problems(inverted, Checks(max_liver_ml=3000.0))
    assert problem[:2] == ("mask-covers-image", True)
    # A crop within the liver is all liver.
    assert size_problems(everything, Checks(max_liver_ml=5000.0)) == []


def ct(share_low: float, low_hu: float) -> npt.NDArray[np.int16]:
    """Paint a liver of 55 HU with a share of its first voxels at another value, in noisy air."""
    noise = np.random.default_rng(0).normal(0, 10, SHAPE)
    voxels = np.where(liver(), 55.0, -1000.0) + noise
    low = np.argwhere(liver())[: round(share_low * liver().sum())]
    voxels[tuple(low.T)] = low_hu
    return voxels.astype(np.int16)


@pytest.mark.parametrize(
    ("share", "hu", "found"),
    [
        (0.0, 0, []),
        (0.03, -800, []),  # the rim of the dome
        (0.06, -800, [("in air", True, "6% of 4000 voxels, median 54 HU")]),
        (0.08, -40, []),
        (0.15, -40, [("in fat", False, "15% of 4000 voxels, median 53 HU")]),
        (0.4, -100, [("in fat", True, "40% of 4000 voxels, median 50 HU")]),
    ],
)
def test_a_liver_mask_in_air_or_fat(
    share: float, hu: float, found: list[tuple[str, bool, str]]
) -> None:
    scan = Scan(ct(share, hu), grid(), Modality.CT)
    problems = list(find_liver_attenuation_problems(scan, ROW, region(liver(), "liver"), Checks()))
    assert [(p.what[-6:], p.is_error) for p in problems] == [item[:2] for item in found]
    assert [p.got.split(",")[0] for p in problems] == [got.split(",")[0] for *_, got in found]


def test_padding_around_the_tumour_is_no_air() -> None:
    voxels = np.where(tumour(), ct(0.0, 0), -1024).astype(np.int16)
    scan = Scan(voxels, grid(), Modality.CT)
    liver_region = region(liver(), "liver")
    assert list(find_liver_attenuation_problems(scan, ROW, liver_region, Checks())) == []


@pytest.mark.parametrize(
    ("moved_by", "found"),
    [
        (10, [("tumour-outside-liver", False, "25% (16 voxels)")]),
        (12, [("tumour-outside-liver", True, "75% (48 voxels)")]),
        (14, [("tumour-outside-liver", True, "100% (64 voxels)")]),
    ],
)
def test_a_tumour_outside_the_liver(moved_by: int, found: list[tuple[str, bool, str]]) -> None:
    assert overlap_problems(np.roll(tumour(), moved_by, axis=1), liver()) == found


def test_a_liver_mask_that_leaves_the_tumour_out() -> None:
    assert overlap_problems(tumour(), liver() & ~tumour()) == [
        ("tumour-outside-liver", False, "100% (64 voxels), surrounded by the liver mask")
    ]
    at_surface = np.roll(tumour(), 9, axis=1)  # its last row is the liver's last row
    found = overlap_problems(at_surface, liver() & ~at_surface)
    assert [item[:2] for item in found] == [("tumour-outside-liver", False)]


def test_exchanged_masks() -> None:
    share = "100% of the liver; 4000 voxels of tumour, 64 of liver"
    assert overlap_problems(liver(), tumour()) == [("tumour-is-liver", True, share)]
    assert overlap_problems(liver(), liver() & ~tumour())[0][:2] == ("tumour-is-liver", True)


@pytest.mark.parametrize(
    ("planes", "found"),
    [(7, []), (8, [("tumour-is-liver", False)]), (10, [("tumour-is-liver", True)])],
)
def test_a_tumour_of_nearly_the_whole_liver(planes: int, found: list[tuple[str, bool]]) -> None:
    most = box(slice(5, 5 + planes), slice(5, 25), slice(5, 25))
    assert [item[:2] for item in overlap_problems(most, liver())] == found


def test_a_tumour_as_large_as_a_liver() -> None:
    def codes(inside: Mask) -> list[tuple[str, bool, str]]:
        return brief(list(find_shape_problems(ROW, region(inside, "tumour"), 100.0, Checks())))

    assert codes(liver()) == []  # 1000 mL
    larger = liver() | box(slice(4, 5), slice(10, 11), slice(10, 14))
    assert codes(larger) == [("tumour-large", False, "1001 mL")]


@pytest.mark.parametrize(
    ("planes", "found"),
    [
        (10, []),
        (11, [("mask-covers-image", False, "0.513 of the image")]),  # 11 x 28 x 30 of 18000
    ],
)
def test_a_tumour_of_most_of_the_image(planes: int, found: list[tuple[str, bool, str]]) -> None:
    part = box(slice(1, 1 + planes), slice(1, 29), slice(0, 30))
    problems = list(find_mask_problems(ROW, {"tumour": region(part, "tumour")}, Checks()))
    assert brief(problems) == found


def test_a_tumour_of_nearly_all_of_the_image() -> None:
    without_corners = np.ones(SHAPE, np.bool_)
    without_corners[0, 0, 0] = False
    (problem,) = find_mask_problems(ROW, {"tumour": region(without_corners, "tumour")}, Checks())
    assert (problem.code, problem.is_error) == ("mask-covers-image", True)
    assert problem.expected == "at most 90% of the image (checks.image_share_error)"


@pytest.mark.real_data
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_real_liver_mask_mirrored(real_data: Path, axis: int) -> None:
    folder = real_data / "liver" / "totalsegmentator"
    image = sitk.ReadImage(str(folder / "example_ct_sm.nii.gz"))
    labels = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "example_seg.nii.gz")))
    size, identity = image.GetSize(), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    geometry = Geometry(size, (3.0, 3.0, 3.0), (0.0, 0.0, 0.0), identity)
    scan = Scan(sitk.GetArrayFromImage(image), geometry, Modality.CT)

    def problems(inside: Mask) -> list[Problem]:
        found = Region(inside, geometry, "liver")
        row = replace(ROW, liver_mask="l.nii.gz")
        return list(find_liver_attenuation_problems(scan, row, found, Checks()))

    inside = labels == 5  # the label of the liver in TotalSegmentator
    assert problems(inside) == []
    assert [p.is_error for p in problems(np.flip(inside, axis))] == [True]
