"""The ends of diameters: where a line of the measured length lies."""

from math import hypot

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Region
from pipeline.response.diameter import Diameter
from pipeline.response.measured import Missing
from pipeline.response.size import (
    compute_longest_axial_diameter_mm,
    find_longest_axial_diameter,
)
from pipeline.response.viable_diameter import ViableDiameters, measure_viable_diameters

SPACING_MM = (2.0, 3.0, 5.0)


def region(inside: npt.NDArray[np.bool_]) -> Region:
    z, y, x = inside.shape
    grid = Geometry((x, y, z), SPACING_MM, (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    return Region(inside, grid, "tumour")


def vector_mm(line: Diameter) -> npt.NDArray[np.float64]:
    return (np.array(line.end_xy) - line.start_xy) * SPACING_MM[:2]


def box() -> Region:
    """Ten voxels of 2 mm by four of 3 mm, on slices 1 and 2; slice 2 lacks a column."""
    inside = np.zeros((4, 9, 16), dtype=bool)
    inside[1:3, 3:7, 4:14] = True
    inside[2, :, 13] = False
    return region(inside)


def viable_of(lesion: Region) -> ViableDiameters:
    found = measure_viable_diameters(lesion)
    assert not isinstance(found, Missing)
    return found


def test_recist_line_joins_edges_of_the_box_on_its_widest_slice() -> None:
    line = find_longest_axial_diameter(box())
    assert line is not None
    assert line.slice_index == 1
    # From the middle of an outer edge of the first column to that of the last: 10 voxels across
    # and 3 down.
    assert sorted(x for x, _ in (line.start_xy, line.end_xy)) == [3.5, 13.5]
    assert sorted(y for _, y in (line.start_xy, line.end_xy)) == [3, 6]
    assert line.length_mm == pytest.approx(hypot(20, 9))


@pytest.mark.parametrize("seed", range(5))
def test_recist_ends_are_as_far_apart_as_the_diameter(seed: int) -> None:
    inside = np.random.default_rng(seed).random((3, 12, 12)) < 0.1
    line = find_longest_axial_diameter(region(inside))
    assert line is not None
    assert hypot(*vector_mm(line)) == pytest.approx(line.length_mm)
    assert compute_longest_axial_diameter_mm(region(inside)) == line.length_mm


def test_nothing_has_no_line() -> None:
    nothing = region(np.zeros((2, 3, 4), dtype=bool))
    assert find_longest_axial_diameter(nothing) is None
    assert viable_of(nothing).across is None
    assert viable_of(nothing).across_mm == 0


def test_line_across_is_square_to_the_longest_and_spans_the_box() -> None:
    """On a strip of 20 by 3 mm whose longest line is 20 mm, exactly along x."""
    inside = np.zeros((1, 5, 14), dtype=bool)
    inside[0, 2, 2:12] = True
    found = viable_of(region(inside))
    assert found.longest is not None
    assert found.across is not None
    assert found.longest.length_mm == pytest.approx(20)
    assert vector_mm(found.across) @ vector_mm(found.longest) == pytest.approx(0, abs=1e-9)
    assert hypot(*vector_mm(found.across)) == pytest.approx(found.across_mm)
    assert found.across_mm == pytest.approx(3, abs=0.5)  # read to a quarter of 2 mm
    assert sorted(y for _, y in (found.across.start_xy, found.across.end_xy)) == pytest.approx(
        [1.5, 2.5], abs=0.5 / 3
    )
    assert found.across.slice_index == found.longest.slice_index == 0
