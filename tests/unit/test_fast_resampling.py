"""Interpolation on a new grid: hand-computed positions, closed forms, and ITK's last digit."""

import numpy as np
import pytest
from preparation_reference import STRAIGHT, assert_equal_to_pyradiomics, make_case

from pipeline.domain.geometry import Geometry
from pipeline.features.fast.kernels.spline import filter_axis
from pipeline.features.fast.resampling import resample_image, resample_region
from pipeline.features.fast.target_grid import TargetGrid, lay_target_grid, new_spacing_mm

OBLIQUE = (0.6, -0.8, 0.0, 0.8, 0.6, 0.0, 0.0, 0.0, -1.0)
BOX = (slice(2, 5), slice(3, 4), slice(4, 6))


def _geometry(
    size: tuple[int, int, int], spacing_mm: tuple[float, float, float], oblique: bool = False
) -> Geometry:
    return Geometry(size, spacing_mm, (10.0, 20.0, 30.0), OBLIQUE if oblique else STRAIGHT)


def _whole_grid(size: int, new_mm: float) -> TargetGrid:
    """A new spacing for a cube of 1 mm voxels."""
    whole = (slice(0, size), slice(0, size), slice(0, size))
    return lay_target_grid(_geometry((size,) * 3, (1.0,) * 3), whole, np.full(3, new_mm), 0)


def test_spacing_stays_where_0_is_asked_for_and_where_the_region_is_one_voxel_thick() -> None:
    geometry = _geometry((10, 10, 10), (2.0, 3.0, 4.0))
    assert new_spacing_mm(geometry, BOX, [1, 1, 0]).tolist() == [1.0, 3.0, 4.0]


@pytest.mark.parametrize("oblique", [False, True])
def test_new_grid_begins_at_the_corner_of_the_old_one(oblique: bool) -> None:
    geometry = _geometry((10, 8, 6), (2.0, 1.0, 3.0), oblique)
    grid = lay_target_grid(geometry, BOX, np.array([1.0, 1.0, 1.5]), pad=0)
    # x: new voxels floor(3.5 * 2) = 7 to ceil(5.5 * 2) = 11; y: 2 to 4; z: 3 to 9.
    assert grid.shape_zyx == (7, 3, 5)
    assert grid.spacing_mm == (1.0, 1.0, 1.5)
    # New voxel 7 of 1 mm is centred 7.5 mm from the corner, that is at 7.5 / 2 - 0.5 voxels.
    np.testing.assert_allclose(grid.lines[0, 0, 0], [3.25, 2.0, 1.25], atol=1e-12)
    np.testing.assert_allclose(grid.lines[0, 2, 1], [3.25, 3.0, 2.25], atol=1e-12)
    np.testing.assert_allclose(grid.lines[1, 0, 0], [2.5, 0.0, 0.0], atol=1e-12)


def test_padding_ends_where_the_image_ends() -> None:
    geometry = _geometry((10, 8, 6), (2.0, 1.0, 3.0))
    grid = lay_target_grid(geometry, BOX, np.array([1.0, 1.0, 1.5]), pad=50)
    assert grid.shape_zyx == (12, 8, 20)


def test_linear_interpolation_gives_the_values_in_between() -> None:
    voxels = np.array([[[0.0, 10.0, 40.0]] * 3] * 3)
    resampled = resample_image(voxels, _whole_grid(3, 0.5), "sitkLinear")
    # Centres at -0.25, 0.25, 0.75 ...: beyond the outermost centres the value stays.
    assert resampled[2, 3].tolist() == [0.0, 2.5, 7.5, 17.5, 32.5, 40.0]


def test_whole_numbers_are_truncated_toward_zero_and_kept_in_range() -> None:
    voxels = np.array([[[-3, 4, 4]] * 3] * 3, dtype=np.int16)
    resampled = resample_image(voxels, _whole_grid(3, 0.5), "sitkLinear")
    assert resampled.dtype == np.int16
    assert resampled[0, 0].tolist() == [-3, -1, 2, 4, 4, 4]  # -1.25 and 2.25 in between
    bright = np.zeros((9, 9, 9), dtype=np.uint8)
    bright[:, :, 4:] = 255
    splined = resample_image(bright, _whole_grid(9, 0.5), "sitkBSpline")[8, 8]
    assert splined.max() == 255  # the spline overshoots to 271 and -16
    assert splined[6] == 0


def test_nearest_voxel_is_the_upper_one_of_two() -> None:
    inside = np.zeros((4, 4, 4), dtype=bool)
    inside[1, 1, 1] = True
    box = (slice(0, 4), slice(0, 4), slice(0, 4))
    geometry = _geometry((4, 4, 4), (1.0, 1.0, 1.0))
    grid = lay_target_grid(geometry, box, np.full(3, 2.0), pad=0)
    # New centres lie at 0.5 and 2.5: as near to voxels 0 and 1, which gives 1.
    assert np.argwhere(resample_region(inside, box, grid)).tolist() == [[0, 0, 0]]
    values = np.arange(64.0).reshape(4, 4, 4)
    assert resample_image(values, grid, "sitkNearestNeighbor")[0, 0].tolist() == [21.0, 23.0]


def test_voxels_beyond_the_image_are_0() -> None:
    values = np.full((4, 4, 4), 7.0)
    resampled = resample_image(values, _whole_grid(4, 3.0), 2)
    # Two voxels of 3 mm cover 4 mm; the second one's centre is at 4 voxels.
    assert resampled[0, 0].tolist() == [7.0, 0.0]


def test_spline_passes_through_the_voxels() -> None:
    voxels = np.random.default_rng(3).normal(size=(9, 9, 9))
    resampled = resample_image(voxels, _whole_grid(9, 1 / 3), "sitkBSpline")
    np.testing.assert_allclose(resampled[1::3, 1::3, 1::3], voxels, rtol=0, atol=1e-9)


def test_spline_reproduces_cubic_polynomials() -> None:
    """Unser 1999, doi:10.1109/79.799930: away from the border, where the mirror is not seen."""
    size = 80
    z, y, x = np.indices((size,) * 3) / size - 0.5
    grid = _whole_grid(size, 0.5)
    resampled = resample_image(x**3 - 2 * y**2 * z + z, grid, "sitkBSpline")
    place = (np.arange(2 * size) + 0.5) / 2 - 0.5
    z, y, x = np.meshgrid(*[place / size - 0.5] * 3, indexing="ij")
    middle = (slice(60, 100),) * 3
    expected = x**3 - 2 * y**2 * z + z
    np.testing.assert_allclose(resampled[middle], expected[middle], rtol=0, atol=1e-12)


def test_coefficients_of_a_part_are_those_of_the_whole_line() -> None:
    line = np.random.default_rng(5).normal(scale=100, size=(1, 1, 300))
    part = line[:, :, 60:200].copy()
    filter_axis(line, 2, 0, 0, 0.0)
    assert filter_axis(part, 2, 48, 48, 1e4)
    np.testing.assert_array_equal(part[0, 0, 48:-48], line[0, 0, 108:152])


def test_lines_of_one_value_are_told_apart_because_their_last_digit_depends_on_the_rest() -> None:
    part = np.full((1, 1, 140), -1024.0)
    assert not filter_axis(part, 2, 48, 48, 1e5)
    np.testing.assert_allclose(part[0, 0, 48:-48], -1024.0, rtol=1e-14)


def _far_from_the_edges(voxels: np.ndarray) -> None:
    inside = np.zeros(voxels.shape, dtype=bool)
    inside[70:74, 71:75, 70:76] = True
    scan, region = make_case(voxels, inside, (0.9765625, 0.9765625, 1.5))
    chosen = {"resampledPixelSpacing": [1, 1, 1]}
    assert_equal_to_pyradiomics(scan, region, chosen)


def test_a_small_region_in_a_large_scan_has_not_one_other_voxel() -> None:
    _far_from_the_edges(np.random.default_rng(7).normal(scale=300, size=(150,) * 3).astype("int16"))


def test_where_truncation_hangs_on_the_last_digit_it_is_that_of_itk() -> None:
    """-1024 or -1023: areas of one value take their rounding errors from far away."""
    voxels = np.full((150,) * 3, -1024, dtype=np.int16)
    voxels[:, :5, :9] = np.random.default_rng(9).integers(-900, 900, (150, 5, 9))
    _far_from_the_edges(voxels)


def test_two_slices_are_mirrored_without_reading_beyond_them() -> None:
    """ITK reads beyond its memory there, so there is no number of PyRadiomics to compare with."""
    voxels = np.full((2, 6, 6), 50.0)
    geometry = _geometry((6, 6, 2), (1.0, 1.0, 1.0))
    whole = (slice(0, 2), slice(0, 6), slice(0, 6))
    grid = lay_target_grid(geometry, whole, np.full(3, 0.4), 5)
    resampled = resample_image(voxels, grid, "sitkBSpline")
    np.testing.assert_allclose(resampled, 50.0, rtol=1e-9)
