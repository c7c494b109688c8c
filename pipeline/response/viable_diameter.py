"""Longest diameter through viable tumour that does not cross necrosis, and the one across it.

mRECIST sums the longest diameters of arterially enhancing tumour that do not cross major necrosis
(Lencioni & Llovet 2010, doi 10.1055/s-0030-1247132); the EASL criteria multiply the longest
diameter of enhancing tumour by the longest one perpendicular to it (Bruix 2001,
doi 10.1016/S0168-8278(01)00130-1).

Convention: a diameter joins the midpoints of two outer voxel edges on one axial slice, as
``compute_longest_axial_diameter_mm`` does, and every voxel it passes through is viable. So it never
exceeds that diameter of the viable region. A single dark voxel on the way counts as necrosis:
close small holes of the viable region beforehand if noise is to be forgiven
(``fill_small_necrosis``). A reader may choose another line: this is the longest.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from pipeline.domain.scan import Region
from pipeline.response.diameter import Diameter
from pipeline.response.measured import Missing

Mask = npt.NDArray[np.bool_]
Points = npt.NDArray[np.int64]

PAIRS_AT_ONCE = 1_000_000
"""Pairs of outline points compared in one block; bounds memory at some 30 MB."""

FIRST_BATCH = 256
"""Longest lines tested in full first; each further batch is four times as large."""

GOLDEN = (5**0.5 - 1) / 2
"""Multiples of it, modulo 1, spread evenly over a line and never hit a corner of voxels."""

QUICK_POINTS = 7
"""Points of every line that are looked up before lines are sorted by length."""

MOST_EDGES = 5000
"""A part of a slice with more outer edges is noise rather than a shape: a disc of 100 mm in voxels
of 0.7 mm has 570. Comparing all their pairs would take minutes."""

STEPS_PER_VOXEL = 4
"""Perpendicular diameters are read on lines and at points this many to the smaller voxel edge."""


@dataclass(frozen=True, slots=True)
class ViableDiameters:
    """Longest viable diameter and the longest viable one across it, on the same slice.

    Parameters
    ----------
    longest, across : Diameter or None
        The longest one and that perpendicular to it; None where nothing is viable.
    """

    longest: Diameter | None
    across: Diameter | None

    @property
    def mrecist_mm(self) -> float:
        """Longest viable diameter not crossing necrosis; 0 where nothing is viable."""
        return self.longest.length_mm if self.longest else 0.0

    @property
    def across_mm(self) -> float:
        """Length of the perpendicular one; 0 where nothing is viable."""
        return self.across.length_mm if self.across else 0.0

    @property
    def easl_mm2(self) -> float:
        """Product of the two diameters; 0 where nothing is viable."""
        return self.mrecist_mm * self.across_mm


def measure_viable_diameters(viable: Region) -> ViableDiameters | Missing:
    """Return both diameters of the viable part of a tumour; missing where it is all fragments.

    The second is perpendicular to the first, does not cross necrosis either, and its foot lies on
    the first, which it need not cross: on a ring the two lie side by side. It is read to a quarter
    of a voxel, and cut to the first where it would be longer, as by part of a voxel in a square.
    """
    parts = list(_parts(viable.inside))
    large = (part for _, part, _ in parts if 4 * part.size > MOST_EDGES)  # others have fewer
    most = max((len(_outline(part)) for part in large), default=0)
    if most > MOST_EDGES:
        return Missing(
            f"the viable part is noise: {most} outer edges on one slice; smooth it first"
        )
    longest = _find_longest(parts, viable)
    return ViableDiameters(longest, _longest_across(viable, longest) if longest else None)


def fill_small_necrosis(viable: Region, tumour: Region, below_mm3: float) -> Region:
    """Count non-enhancing parts (6 neighbours) of a tumour smaller than a volume as viable.

    The counterpart of removing small enhancing islands: noise leaves dark voxels in living tumour,
    and one of them stops a diameter.
    """
    labels, _ = ndimage.label(tumour.inside & ~viable.inside)
    small = np.bincount(labels.ravel()) * tumour.geometry.voxel_volume_mm3 < below_mm3
    small[0] = False
    return Region(viable.inside | np.asarray(small[labels]), viable.geometry, viable.name)


def _find_longest(parts: list[tuple[int, Mask, Points]], viable: Region) -> Diameter | None:
    """Return the longest diameter over all parts of slices; None where there is none.

    Exact for its convention: no pair of ends is left out. The largest connected parts of slices are
    searched first, since a long line found early rules out most others.
    """
    spacing_x_mm, spacing_y_mm, _ = viable.geometry.spacing_mm
    half_mm = np.array([spacing_x_mm / 2, spacing_y_mm / 2])
    longest: Diameter | None = None
    for index, part, first in sorted(parts, key=lambda found: -found[1].size):
        at_least = longest.length_mm if longest else 0.0
        if np.hypot(*(np.array(part.shape[::-1]) * 2 * half_mm)) <= at_least:
            continue
        line = _longest_line(part, half_mm, at_least)
        if line is not None:
            start, end = line
            length_mm = float(np.hypot(*((end - start) * half_mm)))
            corner = 2 * first
            longest = Diameter(length_mm, index, _halve(start + corner), _halve(end + corner))
    return longest


def _halve(point: Points) -> tuple[float, float]:
    return float(point[0]) / 2, float(point[1]) / 2


def _parts(inside: Mask) -> Iterator[tuple[int, Mask, Points]]:
    """Yield connected parts (8 neighbours) of slices: slice index, box of it, its first x and y."""
    for index in np.flatnonzero(inside.any(axis=(1, 2))):
        labels, _ = ndimage.label(inside[index], structure=np.ones((3, 3)))
        for number, box in enumerate(ndimage.find_objects(labels), start=1):
            first = np.array([box[1].start, box[0].start])
            yield int(index), labels[box] == number, first


def _outline(plane: Mask) -> Points:
    """Return midpoints of outer voxel edges, shape (n, 2), x y, in half voxels."""
    padded = np.pad(plane, 1)
    height, width = plane.shape
    found = []
    for step_x, step_y in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        beside = padded[1 + step_y :, 1 + step_x :][:height, :width]
        rows, columns = np.nonzero(plane & ~beside)
        found.append(np.stack([2 * columns + step_x, 2 * rows + step_y], axis=1))
    return np.concatenate(found)


def _longest_line(
    plane: Mask, half_mm: npt.NDArray[np.float64], at_least_mm: float
) -> tuple[Points, Points] | None:
    """Return the ends of the longest line inside that exceeds a length, if there is one."""
    points = _outline(plane)
    plane = np.pad(plane, ((0, 1), (0, 1)))  # for lines along the far borders
    best_mm, best = at_least_mm, None
    for begin in range(0, len(points), max(1, PAIRS_AT_ONCE // len(points))):
        rows = points[begin : begin + max(1, PAIRS_AT_ONCE // len(points))]
        starts, ends = _longer_pairs(rows, points[begin:], half_mm, best_mm)
        for number in range(1, QUICK_POINTS + 1):
            left = _inside_at(plane, starts, ends, number)
            starts, ends = starts[left], ends[left]
        lengths_mm = np.hypot(*((ends - starts) * half_mm).T)
        order = np.argsort(-lengths_mm, kind="stable")
        order = order[lengths_mm[order] > best_mm * (1 + 1e-12)]
        found = _first_inside(plane, starts[order], ends[order])
        if found is not None:
            chosen = order[found]
            best_mm, best = float(lengths_mm[chosen]), (starts[chosen], ends[chosen])
    return best


def _longer_pairs(
    rows: Points, points: Points, half_mm: npt.NDArray[np.float64], than_mm: float
) -> tuple[Points, Points]:
    """Return ends, shape (n, 2) each, of lines from the rows to all points that are longer.

    In single precision for speed, with a margin: the caller compares again.
    """
    from_mm, to_mm = ((ends * half_mm).astype(np.float32) for ends in (rows, points))
    squares = (from_mm[:, None, 0] - to_mm[None, :, 0]) ** 2
    squares += (from_mm[:, None, 1] - to_mm[None, :, 1]) ** 2
    first, second = np.nonzero(squares > than_mm**2 * (1 - 1e-5))
    return rows[first], points[second]


def _inside_at(plane: Mask, starts: Points, ends: Points, number: int) -> Mask:
    """Say for each line whether its ``number``-th point of a spread sequence is inside."""
    share = number * GOLDEN % 1
    x, y = (starts * (1 - share) + ends * share + 1).T
    return np.asarray(plane[(y * 0.5).astype(np.intp), (x * 0.5).astype(np.intp)])


def _first_inside(plane: Mask, starts: Points, ends: Points) -> int | None:
    """Return the index of the first line that stays inside; lines come longest first."""
    begin, size = 0, FIRST_BATCH
    while begin < len(starts):
        left = np.arange(begin, min(begin + size, len(starts)))
        for number in range(QUICK_POINTS + 1, int(np.max(np.abs(ends[begin] - starts[begin])))):
            left = left[_inside_at(plane, starts[left], ends[left], number)]
        for index in left:
            if _stays_inside(plane, starts[index], ends[index]):
                return int(index)
        begin, size = begin + size, 4 * size
    return None


def _stays_inside(plane: Mask, start: Points, end: Points) -> bool:
    """Say whether every voxel whose interior a line meets is inside; exact.

    Voxel borders lie at odd half voxels. Between two successive crossings of a border the line is
    in one voxel, which its midpoint tells. A line along a border is in no voxel and is refused:
    the parallel one through the voxels' centres is longer.
    """
    along = end - start
    if any(along[axis] == 0 and start[axis] % 2 for axis in (0, 1)):
        return False
    crossings = [np.array([0.0, 1.0])]
    for axis in (0, 1):
        low, high = sorted((int(start[axis]), int(end[axis])))
        borders = np.arange(low + 1 - low % 2, high + 1, 2)
        if along[axis]:
            crossings.append((borders - start[axis]) / along[axis])
    times = np.sort(np.concatenate(crossings))
    lasting = np.diff(times) > 1e-9
    middles = (times[:-1] + times[1:])[lasting] / 2
    columns, rows = np.floor((start + middles[:, None] * along + 1) / 2).astype(np.intp).T
    return bool(plane[rows, columns].all())


def _longest_across(viable: Region, diameter: Diameter) -> Diameter:
    """Return the longest viable line perpendicular to a diameter on its slice."""
    spacing_mm = np.array(viable.geometry.spacing_mm[:2])
    plane = viable.inside[diameter.slice_index]
    start_mm = np.array(diameter.start_xy) * spacing_mm
    along = (np.array(diameter.end_xy) * spacing_mm - start_mm) / diameter.length_mm
    across = np.array([-along[1], along[0]])
    step_mm = float(spacing_mm.min()) / STEPS_PER_VOXEL
    feet = start_mm + np.arange(step_mm / 2, diameter.length_mm, step_mm)[:, None] * along
    rows, columns = np.nonzero(plane)
    reach_mm = float(np.linalg.norm(spacing_mm))
    offsets_mm = (np.stack([columns, rows], axis=1) * spacing_mm - start_mm) @ across
    offsets = np.arange(offsets_mm.min() - reach_mm, offsets_mm.max() + reach_mm, step_mm)
    positions = feet[:, None, :] + offsets[None, :, None] * across
    index = np.rint(positions / spacing_mm).astype(np.intp)
    last = np.array(plane.shape) + 1
    padded_rows, padded_columns = (index[..., axis] + 1 for axis in (1, 0))
    inside = np.pad(plane, 1)[np.clip(padded_rows, 0, last[0]), np.clip(padded_columns, 0, last[1])]
    foot, begin, end = _longest_run(inside)
    # A line ends anywhere in a voxel, the longest one at midpoints of edges: it may not be shorter.
    length_mm = min((end - begin) * step_mm, diameter.length_mm)
    middle = (positions[foot, begin] + positions[foot, end - 1]) / 2
    start, stop = middle - across * length_mm / 2, middle + across * length_mm / 2
    ends = _to_voxels(start, spacing_mm), _to_voxels(stop, spacing_mm)
    return Diameter(length_mm, diameter.slice_index, *ends)


def _to_voxels(
    position_mm: npt.NDArray[np.float64], spacing_mm: npt.NDArray[np.float64]
) -> tuple[float, float]:
    x, y = position_mm / spacing_mm
    return float(x), float(y)


def _longest_run(inside: Mask) -> tuple[int, int, int]:
    """Return the line with the most successive true values, where they begin and end behind."""
    edges = np.diff(np.pad(inside, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    lines, begins = np.nonzero(edges == 1)
    _, ends = np.nonzero(edges == -1)
    longest = int((ends - begins).argmax())
    return int(lines[longest]), int(begins[longest]), int(ends[longest])
