"""Filled contours have the area, holes and borders that geometry gives them."""

import numpy as np
import pytest
from matplotlib.path import Path as Polygon

from pipeline.ingest.dicom.rasterise import count_crossings, fill_even_odd


def box(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], dtype=float)


def circle(radius: float, centre: tuple[float, float], points: int = 720) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1) * radius + centre


def test_a_rectangle_holds_the_centres_within() -> None:
    inside = fill_even_odd([box(1.5, 0.5, 4.5, 2.5)], (4, 7))
    expected = np.zeros((4, 7), dtype=bool)
    expected[1:3, 2:5] = True
    np.testing.assert_array_equal(inside, expected)


def test_centres_on_the_border_count_on_the_low_sides_only() -> None:
    inside = fill_even_odd([box(1, 1, 4, 3)], (5, 6))
    expected = np.zeros((5, 6), dtype=bool)
    expected[1:3, 1:4] = True
    np.testing.assert_array_equal(inside, expected)


def test_areas_that_share_a_border_share_no_pixel_and_leave_none_out() -> None:
    # The common edge runs through pixel centres and obliquely between them.
    left = np.array([(0, 0), (5, 0), (2, 3), (2, 6), (0, 6)], dtype=float)
    right = np.array([(5, 0), (8, 0), (8, 6), (2, 6), (2, 3)], dtype=float)
    parts = [fill_even_odd([part], (8, 10)) for part in (left, right)]
    assert not (parts[0] & parts[1]).any()
    np.testing.assert_array_equal(parts[0] | parts[1], fill_even_odd([box(0, 0, 8, 6)], (8, 10)))


def test_rounding_errors_do_not_move_the_border() -> None:
    exact = fill_even_odd([box(1, 1, 4, 3)], (5, 6))
    for noise in (1e-9, -1e-9):
        np.testing.assert_array_equal(fill_even_odd([box(1, 1, 4, 3) + noise], (5, 6)), exact)


def test_the_direction_and_the_first_point_do_not_matter() -> None:
    shape = np.random.default_rng(1).uniform(0, 20, (9, 2))
    first = fill_even_odd([shape], (20, 20))
    np.testing.assert_array_equal(fill_even_odd([shape[::-1]], (20, 20)), first)
    np.testing.assert_array_equal(fill_even_odd([np.roll(shape, 4, axis=0)], (20, 20)), first)


@pytest.mark.parametrize("radius", [10.3, 40.7, 95.2])
def test_area_of_a_circle(radius: float) -> None:
    area = fill_even_odd([circle(radius, (100.3, 99.6))], (200, 200)).sum()
    # Gauss's circle problem: the error is below 2 sqrt(2) pi r.
    assert abs(area - np.pi * radius**2) < 2 * np.sqrt(2) * np.pi * radius
    assert area == pytest.approx(np.pi * radius**2, rel=0.02)


def test_hole_and_island() -> None:
    rings = [circle(radius, (50.2, 49.7)) for radius in (40, 30, 10)]
    inside = fill_even_odd(rings, (100, 100))
    y, x = np.indices((100, 100))
    distance = np.hypot(x - 50.2, y - 49.7)
    sure = np.abs(distance[..., None] - [40, 30, 10]).min(axis=2) > 0.01
    expected = ((distance < 40) & (distance > 30)) | (distance < 10)
    np.testing.assert_array_equal(inside[sure], expected[sure])


def test_a_keyhole_contour_is_a_ring() -> None:
    outer, inner = box(1.5, 1.5, 9.5, 9.5), box(3.5, 3.5, 6.5, 6.5)
    keyhole = np.concatenate([outer, outer[:1], inner, inner[:1]])
    np.testing.assert_array_equal(
        fill_even_odd([keyhole], (12, 12)), fill_even_odd([outer, inner], (12, 12))
    )


@pytest.mark.parametrize("seed", range(5))
def test_random_polygons_agree_with_matplotlib(seed: int) -> None:
    # A star-shaped polygon does not cross itself, so that both filling rules agree.
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, 60))
    reach = rng.uniform(5, 30, 60)
    corners = np.stack([np.cos(angle), np.sin(angle)], axis=1) * reach[:, None] + (31.7, 33.4)
    y, x = np.indices((64, 64))
    centres = np.stack([x.ravel(), y.ravel()], axis=1)
    expected = Polygon(corners).contains_points(centres).reshape(64, 64)
    np.testing.assert_array_equal(fill_even_odd([corners], (64, 64)), expected)


def test_what_lies_outside_the_grid_is_cut_off() -> None:
    assert fill_even_odd([box(-50, -50, 50, 50)], (4, 5)).all()
    assert not fill_even_odd([box(10, 0, 20, 5)], (4, 5)).any()
    assert not fill_even_odd([], (4, 5)).any()


def test_crossings_are_counted() -> None:
    assert count_crossings(box(0.5, 0.5, 9.5, 7.5)) == 14
