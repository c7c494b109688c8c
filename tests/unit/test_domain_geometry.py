"""Grids: what is refused, where voxels lie, and that every difference is noticed."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pipeline.domain.geometry import GRID_TOLERANCE_MM, Geometry

GRID = Geometry(
    size=(4, 3, 2),
    spacing_mm=(0.5, 1.0, 2.0),
    origin_mm=(-10.0, 5.0, 0.0),
    direction=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0),
)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"size": (4, 3, 3)}, "size (4, 3, 3) voxels instead of (4, 3, 2)"),
        ({"spacing_mm": (0.5, 1.0, 2.05)}, "spacing_mm"),
        ({"origin_mm": (-10.0, 5.0, 0.05)}, "origin_mm"),
        ({"direction": (-1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)}, "direction"),
    ],
)
def test_any_field_that_differs_is_named(changes: dict[str, Any], word: str) -> None:
    assert word in GRID.difference(replace(GRID, **changes))


def test_the_largest_distance_is_measured_at_the_corners() -> None:
    other = replace(GRID, spacing_mm=(0.6, 1.0, 2.0))
    assert GRID.difference(other).endswith("corners up to 0.3 mm apart")


def test_rounding_is_no_difference() -> None:
    moved = replace(GRID, origin_mm=(-10.0, 5.0, 0.9 * GRID_TOLERANCE_MM))
    assert GRID.difference(moved) == ""
    moved = replace(GRID, origin_mm=(-10.0, 5.0, 1.1 * GRID_TOLERANCE_MM))
    assert "origin_mm" in GRID.difference(moved)


def test_positions_become_voxels() -> None:
    turned = replace(GRID, direction=(0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0))
    # x of the grid runs along y of the patient, y against x.
    # Origin (-10, 5, 0), spacing (0.5, 1, 2).
    position_mm = np.array([[-10 - 1.5, 5 + 0.5, 0.25]])
    np.testing.assert_allclose(turned.to_voxels(position_mm), [[1, 1.5, 0.125]], atol=1e-12)
    corners = turned.to_voxels(turned.corner_positions_mm())
    assert corners[-1] == pytest.approx(np.asarray(GRID.size) - 1)


def test_a_difference_of_size_does_not_hide_the_others() -> None:
    other = replace(GRID, size=(4, 3, 3), spacing_mm=(0.5, 1.0, 2.05))
    assert ", spacing_mm (0.5, 1, 2.05) instead of (0.5, 1, 2)" in GRID.difference(other)


def test_corners() -> None:
    corners = GRID.corner_positions_mm()
    np.testing.assert_allclose(corners.min(axis=0), (-10.0, 5.0, 0.0))
    np.testing.assert_allclose(corners.max(axis=0), (-8.5, 7.0, 2.0))


def test_columns_of_the_direction_are_the_axes() -> None:
    turned = replace(GRID, direction=(0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0))
    corners = turned.corner_positions_mm() - np.asarray(turned.origin_mm)
    # x runs along +y (3 steps of 0.5 mm), y along -x (2 steps of 1 mm)
    np.testing.assert_allclose(corners.min(axis=0), (-2.0, 0.0, 0.0))
    np.testing.assert_allclose(corners.max(axis=0), (0.0, 1.5, 2.0))


def test_shape_and_volume() -> None:
    assert GRID.shape_zyx == (2, 3, 4)
    assert GRID.voxel_volume_mm3 == 1.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": (0, 3, 2)}, "size must be positive"),
        ({"spacing_mm": (0.5, -1.0, 2.0)}, "spacing_mm must be positive"),
        ({"spacing_mm": (0.5, float("nan"), 2.0)}, "spacing_mm must be positive and finite"),
        ({"direction": (1.0,) * 4}, "9 finite numbers"),
        ({"direction": (1.0, 0.5, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)}, "orthonormal"),
        ({"direction": (2.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)}, "orthonormal"),
    ],
)
def test_impossible_grids(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(GRID, **changes)
