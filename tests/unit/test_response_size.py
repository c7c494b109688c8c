"""Sizes against closed forms and against PyRadiomics."""

from math import hypot, pi

import numpy as np
import pytest

from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Region
from pipeline.response.size import (
    compute_largest_axial_area_mm2,
    compute_longest_axial_diameter_mm,
    compute_volume_ml,
)

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


def region(inside: np.ndarray, spacing_mm: tuple[float, float, float]) -> Region:
    size = (inside.shape[2], inside.shape[1], inside.shape[0])
    return Region(inside, Geometry(size, spacing_mm, (0.0, 0.0, 0.0), AXIAL), "tumour")


def ellipsoid(
    spacing_mm: tuple[float, float, float], radii_mm: tuple[float, float, float]
) -> Region:
    """An ellipsoid in the middle of a 100 mm cube; radii along x, y, z."""
    counts = [int(100 / spacing) for spacing in spacing_mm]
    x, y, z = (
        (np.arange(n) - (n - 1) / 2) * s / r
        for n, s, r in zip(counts, spacing_mm, radii_mm, strict=True)
    )
    return region(
        x[None, None, :] ** 2 + y[None, :, None] ** 2 + z[:, None, None] ** 2 <= 1, spacing_mm
    )


def test_a_box_of_known_size() -> None:
    inside = np.zeros((6, 10, 10), dtype=bool)
    inside[1:4, 2:6, 1:8] = True  # 3 slices of 4 rows, 7 columns
    box = region(inside, (2.0, 3.0, 5.0))
    assert compute_volume_ml(box) == pytest.approx(3 * 4 * 7 * 30 / 1000)
    assert compute_largest_axial_area_mm2(box) == pytest.approx(4 * 7 * 6)
    # Farthest outline points: outer edge midpoints of voxels in opposite corners.
    along_x, along_y = 6 * 2.0, 3 * 3.0
    expected = max(hypot(along_x + 2, along_y), hypot(along_x, along_y + 3))
    assert compute_longest_axial_diameter_mm(box) == pytest.approx(expected)


def test_a_single_voxel_has_its_own_width() -> None:
    inside = np.zeros((3, 3, 3), dtype=bool)
    inside[1, 1, 1] = True
    assert compute_longest_axial_diameter_mm(region(inside, (2.0, 3.0, 5.0))) == pytest.approx(3.0)


def test_an_empty_region_has_no_size() -> None:
    empty = region(np.zeros((3, 3, 3), dtype=bool), (1.0, 1.0, 1.0))
    assert compute_longest_axial_diameter_mm(empty) == 0
    assert compute_largest_axial_area_mm2(empty) == 0


def test_an_ellipsoid_within_a_voxel() -> None:
    lesion = ellipsoid((1.0, 1.0, 2.0), (30.0, 20.0, 25.0))
    assert compute_longest_axial_diameter_mm(lesion) == pytest.approx(60, abs=1.0)
    assert compute_volume_ml(lesion) == pytest.approx(4 / 3 * pi * 30 * 20 * 25 / 1000, rel=0.01)


def test_the_diameter_is_that_of_pyradiomics() -> None:
    import SimpleITK as sitk
    from radiomics import shape

    inside = np.zeros((6, 24, 20), dtype=bool)
    inside[1:5, 2:20, 3:17] = np.random.default_rng(7).random((4, 18, 14)) < 0.6
    spacing_mm = (0.8, 0.7, 3.0)
    mask = sitk.GetImageFromArray(inside.astype(np.uint8))
    mask.SetSpacing(spacing_mm)
    reference = shape.RadiomicsShape(sitk.Cast(mask, sitk.sitkFloat32), mask)
    assert compute_longest_axial_diameter_mm(region(inside, spacing_mm)) == pytest.approx(
        reference.getMaximum2DDiameterSliceFeatureValue(), rel=1e-9
    )
