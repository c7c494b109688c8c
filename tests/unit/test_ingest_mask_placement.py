"""Masks that are cropped, mirrored or turned in storage lie where their header says."""

from dataclasses import replace
from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from mask_files import axial_grid, scan_on
from scipy.spatial.transform import Rotation

from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Region
from pipeline.ingest.mask import read_region
from pipeline.ingest.mask_placement import place_region
from pipeline.ingest.read_error import ReadError

OBLIQUE = Geometry(
    size=(9, 7, 5),
    spacing_mm=(0.75, 0.5, 2.5),
    origin_mm=(-100.0, 30.0, -200.0),
    direction=tuple(Rotation.from_euler("xyz", (10, -20, 30), degrees=True).as_matrix().ravel()),
)
MASK = np.random.default_rng(5).random(OBLIQUE.shape_zyx) < 0.4


def image_of(grid: Geometry) -> sitk.Image:
    image = sitk.GetImageFromArray(MASK.astype(np.uint8))
    image.SetSpacing(grid.spacing_mm)
    image.SetOrigin(grid.origin_mm)
    image.SetDirection(grid.direction)
    return image


def region_of(image: sitk.Image) -> Region:
    geometry = Geometry(
        image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection()
    )
    return Region(sitk.GetArrayFromImage(image).astype(bool), geometry, "tumour")


@pytest.mark.parametrize("mirrored", list(product([False, True], repeat=3)))
def test_every_order_of_axes(mirrored: tuple[bool, bool, bool]) -> None:
    """ITK's own turning of images, which keeps where voxels lie, is undone."""
    for order in permutations(range(3)):
        turned = sitk.PermuteAxes(sitk.Flip(image_of(OBLIQUE), mirrored, False), order)
        placed = place_region(region_of(turned), OBLIQUE, may_be_cropped=False)
        assert placed is not None
        assert placed.geometry == OBLIQUE
        np.testing.assert_array_equal(placed.inside, MASK)


@pytest.mark.parametrize("mirrored", [(False, False, False), (True, False, True)])
def test_a_crop_of_3d_slicer(tmp_path: Path, mirrored: tuple[bool, bool, bool]) -> None:
    crop = sitk.Flip(image_of(OBLIQUE)[2:7, 1:6, 1:4], mirrored, False)
    crop.SetMetaData("Segment0_Name", "Mass")
    crop.SetMetaData("Segment0_LabelValue", "1")
    sitk.WriteImage(crop, str(tmp_path / "mask.seg.nrrd"), True)
    expected = np.zeros_like(MASK)
    expected[1:4, 1:6, 2:7] = MASK[1:4, 1:6, 2:7]
    region = read_region(tmp_path / "mask.seg.nrrd", "Mass", "tumour", scan_on(OBLIQUE))
    np.testing.assert_array_equal(region.inside, expected)
    assert region.geometry == OBLIQUE
    assert region.resampled is None


def test_a_crop_in_another_file_is_refused(tmp_path: Path) -> None:
    sitk.WriteImage(image_of(OBLIQUE)[:, :, 1:], str(tmp_path / "mask.nrrd"))
    with pytest.raises(ReadError, match=r"size \(9, 7, 4\) voxels instead of \(9, 7, 5\)"):
        read_region(tmp_path / "mask.nrrd", 1, "tumour", scan_on(OBLIQUE))


def test_a_mirrored_nifti(tmp_path: Path) -> None:
    path = tmp_path / "mask.nii.gz"
    sitk.WriteImage(sitk.Flip(image_of(OBLIQUE), (True, True, False), True), str(path))
    with pytest.raises(ReadError, match="not on the grid"):  # mirrored about the origin
        read_region(path, 1, "tumour", scan_on(OBLIQUE))
    sitk.WriteImage(sitk.Flip(image_of(OBLIQUE), (True, True, False), False), str(path))
    region = read_region(path, 1, "tumour", scan_on(OBLIQUE))
    np.testing.assert_array_equal(region.inside, MASK)


@pytest.mark.parametrize(
    "changes",
    [
        {"origin_mm": (-99.98, 30.0, -200.0)},
        {"origin_mm": (-99.25, 30.0, -200.0)},  # by a voxel, beyond the edge
        {"origin_mm": (0.0, 0.0, 0.0)},
        {"spacing_mm": (0.75, 0.5, 2.52)},
        {"spacing_mm": (0.75, 0.5, 5.0)},
        {"direction": (0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)},
    ],
)
def test_what_would_have_to_be_resampled(changes: dict[str, Any]) -> None:
    grid = axial_grid()
    region = Region(MASK, replace(grid, **changes), "tumour")
    assert place_region(region, grid, may_be_cropped=True) is None


def test_a_single_slice_of_another_thickness() -> None:
    grid = axial_grid()
    slice_ = replace(grid, size=(9, 7, 1), spacing_mm=(0.75, 0.5, 2.6))
    assert place_region(Region(MASK[:1], slice_, "tumour"), grid, may_be_cropped=True) is None
    same = replace(slice_, spacing_mm=(0.75, 0.5, 2.5))
    assert place_region(Region(MASK[:1], same, "tumour"), grid, may_be_cropped=True) is not None
