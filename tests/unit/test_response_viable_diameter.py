"""The longest line through viable tumour, against exhaustive search and closed forms."""

from fractions import Fraction
from itertools import combinations
from math import hypot

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Region
from pipeline.response.measured import Missing
from pipeline.response.size import compute_longest_axial_diameter_mm
from pipeline.response.viable_diameter import (
    MOST_EDGES,
    ViableDiameters,
    fill_small_necrosis,
    measure_viable_diameters,
)

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
Mask = npt.NDArray[np.bool_]


def region(inside: Mask, spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Region:
    size = (inside.shape[2], inside.shape[1], inside.shape[0])
    return Region(inside, Geometry(size, spacing_mm, (0.0, 0.0, 0.0), AXIAL), "viable")


def drawn(*rows: str) -> Mask:
    """One slice, a character a voxel."""
    return np.array([[[mark == "#" for mark in row] for row in rows]])


def diameters(
    inside: Mask, spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)
) -> ViableDiameters:
    measured = measure_viable_diameters(region(inside, spacing_mm))
    assert not isinstance(measured, Missing)
    return measured


def meets_interior(start: tuple[int, int], end: tuple[int, int], x: int, y: int) -> bool:
    """Clip a line, in half voxels, to the open square of a voxel (Liang-Barsky, in fractions)."""
    low, high = Fraction(0), Fraction(1)
    for begin, way, centre in (
        (start[0], end[0] - start[0], 2 * x),
        (start[1], end[1] - start[1], 2 * y),
    ):
        if way == 0:
            if not centre - 1 < begin < centre + 1:
                return False
            continue
        times = sorted(Fraction(centre + side - begin, way) for side in (-1, 1))
        low, high = max(low, times[0]), min(high, times[1])
    return low < high


def longest_by_exhaustion(plane: Mask, spacing_x_mm: float, spacing_y_mm: float) -> float:
    """All pairs of outer edge midpoints; a line must meet no dark voxel, nor run along a border."""
    padded = np.pad(plane, 1)
    dark = [(int(x) - 1, int(y) - 1) for y, x in zip(*np.nonzero(~padded), strict=True)]
    points = set()
    for y, x in zip(*np.nonzero(plane), strict=True):
        for step_x, step_y in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            if (x + step_x, y + step_y) in set(dark):
                points.add((int(2 * x + step_x), int(2 * y + step_y)))
    best = 0.0
    for start, end in combinations(sorted(points), 2):
        length_mm = hypot(
            (end[0] - start[0]) * spacing_x_mm / 2, (end[1] - start[1]) * spacing_y_mm / 2
        )
        along_border = any(start[axis] == end[axis] and start[axis] % 2 for axis in (0, 1))
        if length_mm <= best or along_border:
            continue
        if not any(meets_interior(start, end, x, y) for x, y in dark):
            best = length_mm
    return best


@pytest.mark.parametrize("seed", range(12))
def test_no_longer_line_exists(seed: int) -> None:
    rng = np.random.default_rng(seed)
    inside = rng.random((2, 7, 8)) < rng.uniform(0.4, 0.95)
    spacing_mm = (0.8, float(rng.uniform(0.5, 1.5)), 3.0)
    expected = max(longest_by_exhaustion(plane, *spacing_mm[:2]) for plane in inside)
    assert diameters(inside, spacing_mm).mrecist_mm == pytest.approx(expected, rel=1e-12)


def test_a_solid_box_is_measured_like_recist() -> None:
    inside = np.zeros((3, 12, 15), dtype=bool)
    inside[1, 2:9, 3:14] = True  # 7 rows of 3 mm, 11 columns of 2 mm
    box = region(inside, (2.0, 3.0, 5.0))
    found = measure_viable_diameters(box)
    assert isinstance(found, ViableDiameters)
    # Top edge to bottom edge over 10 columns; left to right over 6 rows is hypot(22, 18).
    assert found.mrecist_mm == pytest.approx(hypot(20, 21))
    assert found.mrecist_mm == compute_longest_axial_diameter_mm(box)
    assert found.longest is not None
    assert found.longest.slice_index == 1
    ends_mm = [np.multiply(end, (2, 3)) for end in (found.longest.start_xy, found.longest.end_xy)]
    assert float(np.linalg.norm(ends_mm[0] - ends_mm[1])) == pytest.approx(found.mrecist_mm)


def test_a_slit_of_necrosis_halves_the_line() -> None:
    inside = np.ones((1, 4, 21), dtype=bool)
    inside[:, :, 10] = False
    assert diameters(inside).mrecist_mm == pytest.approx(hypot(10, 3))
    assert compute_longest_axial_diameter_mm(region(inside)) == pytest.approx(hypot(21, 3))


def test_a_line_does_not_leave_a_bent_tumour() -> None:
    bent = drawn("##########", "#.........", "#.........", "##########")
    assert diameters(bent).mrecist_mm == pytest.approx(10)


def test_the_product_of_a_cross_is_that_of_its_arms() -> None:
    inside = np.zeros((1, 30, 30), dtype=bool)
    inside[0, 14, 2:28] = True  # 26 mm
    inside[0, 6:23, 15] = True  # 17 mm
    found = diameters(inside)
    assert found.mrecist_mm == pytest.approx(26)
    assert found.across_mm == pytest.approx(17, abs=0.25)
    assert found.easl_mm2 == pytest.approx(26 * 17, abs=26 * 0.25)


def test_anisotropic_voxels_turn_the_longest_line() -> None:
    inside = np.ones((1, 6, 10), dtype=bool)
    assert diameters(inside, (1.0, 4.0, 1.0)).mrecist_mm == pytest.approx(hypot(9, 24))


def test_a_line_is_found_in_each_fragment_alone() -> None:
    fragments = drawn("###....####", "###....####", "###....####")
    assert diameters(fragments).mrecist_mm == pytest.approx(hypot(4, 2))


def test_nothing_viable_is_zero_which_is_a_measurement() -> None:
    found = diameters(np.zeros((2, 3, 3), dtype=bool))
    assert (found.longest, found.mrecist_mm, found.easl_mm2) == (None, 0, 0)


def test_noise_is_refused_with_a_reason() -> None:
    speckles = np.zeros((1, 99, 99), dtype=bool)
    speckles[0, ::2, :] = True
    speckles[0, :, ::2] = True
    measured = measure_viable_diameters(region(speckles))
    assert isinstance(measured, Missing)
    assert "noise" in measured.reason
    assert MOST_EDGES < 4 * 49 * 49  # four inner edges a hole


def test_small_holes_are_filled_and_large_ones_kept() -> None:
    inside = np.ones((1, 20, 20), dtype=bool)
    tumour = region(inside)
    viable = inside.copy()
    viable[0, 3, 3] = False
    viable[0, 10:14, 10:14] = False
    filled = fill_small_necrosis(region(viable), tumour, below_mm3=10)
    expected = inside.copy()
    expected[0, 10:14, 10:14] = False
    assert np.array_equal(filled.inside, expected)


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_line_passes_where_two_pieces_touch_at_a_corner(mirrored: bool) -> None:
    touching = drawn("###...", "###...", "###...", "...###", "...###", "...###")
    found = diameters(touching[:, :, ::-1] if mirrored else touching)
    # From the top edge of the first column to the bottom edge of the last, 5 columns and 6 rows.
    assert found.mrecist_mm == pytest.approx(hypot(5, 6))


@pytest.mark.parametrize(("half_mm", "angle_deg"), [(9.7, 0), (12.15, 0), (10.72, 48.43)])
def test_the_perpendicular_is_never_longer_than_the_longest(
    half_mm: float, angle_deg: float
) -> None:
    """A square's diagonals are equal, but one ends at midpoints of edges, the other anywhere."""
    geometry = Geometry((60, 60, 1), (0.7, 0.7, 5.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    y, x = (np.mgrid[:60, :60] - 29.5) * 0.7
    turn = np.deg2rad(angle_deg)
    across, along = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    square = Region(((abs(across) < half_mm) & (abs(along) < half_mm))[None], geometry, "viable")
    found = measure_viable_diameters(square)
    assert isinstance(found, ViableDiameters)
    assert found.longest is not None
    assert found.across is not None
    assert found.across_mm <= found.mrecist_mm
    assert found.across_mm == pytest.approx(found.mrecist_mm, rel=0.01)
    start, end = np.array(found.across.start_xy) * 0.7, np.array(found.across.end_xy) * 0.7
    assert np.linalg.norm(end - start) == pytest.approx(found.across_mm)
