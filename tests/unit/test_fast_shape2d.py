"""Planar shape features equal closed forms of rectangles, and PyRadiomics on awkward regions."""

from math import hypot

import numpy as np
import pytest
from shape_reference import Mask, cut_to_box, reference_shape2d

from pipeline.features.fast.shape2d import compute_shape2d

SPACING_MM = (0.8, 1.3, 2.5)
PLANES: dict[str, Mask] = {
    "one pixel": np.ones((1, 1), dtype=bool),
    "line": np.ones((1, 9), dtype=bool),
    "diagonal line": np.eye(6, dtype=bool),
    "other diagonal": np.eye(6, dtype=bool)[::-1],
    "rectangle": np.ones((4, 7), dtype=bool),
    "ring": np.pad(np.zeros((3, 4), dtype=bool), 2, constant_values=True),
    "noise": cut_to_box(np.random.default_rng(3).random((40, 30)) < 0.5),
    "scattered pixels": cut_to_box(np.random.default_rng(3).random((40, 30)) < 0.01),
}


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("name", PLANES)
def test_equals_pyradiomics(name: str, axis: int) -> None:
    inside = np.expand_dims(PLANES[name], axis)

    features = compute_shape2d(inside, SPACING_MM, axis)

    expected = reference_shape2d(inside, SPACING_MM, axis)
    assert features == pytest.approx(expected, rel=1e-9, abs=0, nan_ok=True)


@pytest.mark.parametrize("size_yx", [(1, 1), (1, 6), (4, 7)])
def test_rectangle_equals_closed_forms(size_yx: tuple[int, int]) -> None:
    """Its contour is the rectangle of the outer pixel centres grown by half a pixel's diamond."""
    dx, dy, _ = SPACING_MM
    a, b = np.array(size_yx) - 1

    features = compute_shape2d(np.ones((1, *size_yx), dtype=bool), SPACING_MM)

    assert features["MeshSurface"] == pytest.approx((a * b + a + b + 1 / 2) * dx * dy, rel=1e-12)
    assert features["PixelSurface"] == pytest.approx((a + 1) * (b + 1) * dx * dy, rel=1e-12)
    assert features["Perimeter"] == pytest.approx(2 * (a * dy + b * dx + hypot(dy, dx)), rel=1e-12)
    assert features["MaximumDiameter"] == pytest.approx(
        max(hypot((a + 1) * dy, b * dx), hypot(a * dy, (b + 1) * dx)), rel=1e-12
    )


def test_margins_change_nothing() -> None:
    inside = PLANES["noise"][None]
    padded = np.pad(inside, ((1, 2), (3, 1), (0, 4)))

    assert compute_shape2d(padded, SPACING_MM) == compute_shape2d(inside, SPACING_MM)


def test_region_of_several_planes_is_refused() -> None:
    with pytest.raises(ValueError, match="a region of 2 planes along axis 1 has no 2-D shape"):
        compute_shape2d(np.ones((1, 2, 3), dtype=bool), SPACING_MM, axis=1)
