"""Resampling keeps volume and place, for any shift, spacing and order of storage."""

from dataclasses import replace
from math import ceil, floor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mask_files import axial_grid
from scipy.spatial.transform import Rotation

from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Region
from pipeline.ingest.mask_resampling import resample_region
from pipeline.ingest.read_error import ReadError

FILE = Path("mask.nrrd")
ALONG = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
TURNED = tuple(Rotation.from_euler("xyz", (10, -20, 30), degrees=True).as_matrix().ravel().tolist())
SPACING_MM = (0.75, 0.5, 2.5)
BOX = (4, 5, 3)
"""Voxels of the box in x, y, z."""


def grid_at(shift_voxels: tuple[float, ...], direction: tuple[float, ...] = ALONG) -> Geometry:
    """Return a grid shifted along its own axes."""
    offset = np.reshape(direction, (3, 3)) @ (np.asarray(shift_voxels) * SPACING_MM)
    x, y, z = np.asarray((-100.0, 30.0, -200.0)) + offset
    return Geometry((12, 13, 11), SPACING_MM, (x, y, z), direction)


def box() -> npt.NDArray[np.bool_]:
    inside = np.zeros((11, 13, 12), dtype=bool)
    inside[4:7, 4:9, 4:8] = True
    return inside


def mirror(grid: Geometry, mirrored: tuple[bool, bool, bool]) -> Geometry:
    """Return the grid of the same voxels with axes (x, y, z) stored backwards."""
    signs = np.where(mirrored, -1, 1)
    last = grid.axes_mm @ (np.where(mirrored, np.asarray(grid.size) - 1, 0))
    x, y, z = np.asarray(grid.origin_mm) + last
    direction = (np.reshape(grid.direction, (3, 3)) * signs).ravel().tolist()
    return replace(grid, origin_mm=(x, y, z), direction=tuple(direction))


def extent(inside: npt.NDArray[np.bool_]) -> list[list[int]]:
    """Return first and last voxel along x, y, z of what must be a box."""
    where = np.argwhere(inside)[:, ::-1]
    first, last = where.min(axis=0), where.max(axis=0)
    assert len(where) == np.prod(last - first + 1)
    return [first.tolist(), last.tolist()]


halves = st.integers(-5, 5).map(lambda number: number / 2)
shifts = st.one_of(halves, st.floats(-2.5, 2.5).map(lambda number: round(number, 4)))


@settings(max_examples=150, deadline=None)
@given(st.tuples(shifts, shifts, shifts), st.sampled_from([ALONG, TURNED]))
def test_a_shifted_box_keeps_its_voxels(
    shift: tuple[float, float, float], direction: tuple[float, ...]
) -> None:
    region = Region(box(), grid_at(shift, direction), "tumour")
    resampled = resample_region(FILE, region, grid_at((0, 0, 0), direction))
    first, last = extent(resampled.inside)
    assert (np.subtract(last, first) + 1).tolist() == list(BOX)
    assert np.abs(np.subtract(first, (4, 4, 4)) - shift).max() <= 0.5 + 0.02 + 1e-4


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("error_mm", [0.0, 4e-6, -4e-6, 4e-3, -4e-3])
def test_a_tie_goes_to_the_same_side_whatever_the_rounding(axis: int, error_mm: float) -> None:
    shift = [0.0, 0.0, 0.0]
    shift[axis] = 0.5 + error_mm / SPACING_MM[axis]
    region = Region(box(), grid_at(tuple(shift)), "tumour")
    resampled = resample_region(FILE, region, grid_at((0, 0, 0)))
    # The box reaches from the centres of its old first voxels to those beyond its last ones.
    np.testing.assert_array_equal(resampled.inside, box())


@pytest.mark.parametrize("mirrored", [(True, False, False), (False, True, True)])
def test_the_order_of_storage_does_not_decide(mirrored: tuple[bool, bool, bool]) -> None:
    own, grid = grid_at((0.5, 0.5, 0.5)), grid_at((0, 0, 0))
    axes = tuple(2 - axis for axis in range(3) if mirrored[axis])
    expected = resample_region(FILE, Region(box(), own, "tumour"), grid).inside
    stored = Region(np.flip(box(), axes), mirror(own, mirrored), "tumour")
    np.testing.assert_array_equal(resample_region(FILE, stored, grid).inside, expected)
    on_mirrored = resample_region(FILE, stored, mirror(grid, mirrored)).inside
    np.testing.assert_array_equal(np.flip(on_mirrored, axes), expected)


@settings(max_examples=100, deadline=None)
@given(
    st.tuples(*[st.sampled_from([0.25, 1 / 3, 0.5, 0.7, 1.0, 1.3, 2.0, 2.5])] * 3),
    st.tuples(*[st.sampled_from([0.0, 0.25, 0.5, 0.75, 0.1234])] * 3),
)
def test_another_spacing_changes_an_extent_by_less_than_a_voxel(
    ratios: tuple[float, float, float], shift: tuple[float, float, float]
) -> None:
    own = grid_at((0, 0, 0))
    spacing = np.asarray(ratios) * SPACING_MM
    origin = np.asarray(own.origin_mm) + np.asarray(shift) * spacing - 0.5 * np.asarray(SPACING_MM)
    size = np.ceil(13 / np.asarray(ratios)).astype(int)
    grid = Geometry(
        tuple(size.tolist()), tuple(spacing.tolist()), tuple(origin.tolist()), own.direction
    )
    resampled = resample_region(FILE, Region(box(), own, "tumour"), grid)
    first, last = extent(resampled.inside)
    for axis in range(3):
        voxels = BOX[axis] / ratios[axis]
        allowed = {floor(voxels + 1e-9), ceil(voxels - 1e-9)}
        assert last[axis] - first[axis] + 1 in allowed


def test_halving_and_doubling_the_spacing_are_exact() -> None:
    own = grid_at((0, 0, 0))
    x, y, z = np.asarray(own.origin_mm) - 0.25 * np.asarray(SPACING_MM)
    fine = Geometry((24, 26, 22), (0.375, 0.25, 1.25), (x, y, z), own.direction)
    finer = resample_region(FILE, Region(box(), own, "tumour"), fine)
    np.testing.assert_array_equal(finer.inside, box().repeat(2, 0).repeat(2, 1).repeat(2, 2))
    back = resample_region(FILE, finer, own)
    np.testing.assert_array_equal(back.inside, box())


def test_the_volume_of_a_ball() -> None:
    fine = Geometry((80, 80, 80), (0.5, 0.5, 0.5), (0, 0, 0), ALONG)
    z, y, x = np.indices(fine.shape_zyx) * 0.5
    ball = np.hypot(np.hypot(x - 20, y - 20), z - 20) < 15
    coarse = Geometry((44, 44, 20), (0.9, 0.9, 2.0), (0.3, 0.2, 0.1), ALONG)
    region = resample_region(FILE, Region(ball, fine, "tumour"), coarse)
    assert region.volume_mm3 == pytest.approx(4 / 3 * np.pi * 15**3, rel=0.01)


def test_it_leaves_a_trace() -> None:
    own = grid_at((0.5, 0, 0))
    resampled = resample_region(FILE, Region(box(), own, "tumour"), grid_at((0, 0, 0)))
    assert resampled.resampled is not None
    assert resampled.resampled.volume_mm3 == pytest.approx(4 * 5 * 3 * 0.75 * 0.5 * 2.5)
    assert "corners up to 0.375 mm apart" in resampled.resampled.difference
    same = resample_region(FILE, Region(box(), own, "tumour"), own)
    assert same.resampled is None


def test_nothing_is_cut_off() -> None:
    moved = axial_grid(origin_mm=(-100.0 + 4 * 0.75, 30.0, -200.0))
    inside = np.zeros(moved.shape_zyx, dtype=bool)
    inside[1:4, 2:5, 3:7] = True
    with pytest.raises(ReadError, match=r"partly outside its image.*up to 1\.125 mm") as caught:
        resample_region(FILE, Region(inside, moved, "tumour"), axial_grid())
    assert caught.value.code == "mask-off-grid"
