"""The grid that a stack of slices forms, or how it fails to form one.

Slices are ordered by their position along the normal of the slice plane, never by file name or
instance number (DICOM PS3.3 C.7.6.2: Image Position and Orientation are the only spatial truth).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isclose

import numpy as np

from pipeline.domain.geometry import Geometry
from pipeline.ingest.codes import Code
from pipeline.ingest.dicom.slices import Slice, Vector

GAP_TOLERANCE = 0.02
"""Largest deviation of one gap between slices from the median gap, as a fraction of it.

Measured table positions jitter by up to a hundredth of the gap; a missing slice deviates by 1."""

ROUNDING_MM = 0.02
"""A gap may always deviate by this much: positions that an exporter rounded to two decimals are
wrong by up to 0.005 mm each, so a gap by 0.01 mm and its deviation from the median by twice that.
Without it, thin slices (0.4 mm) would be refused for their rounding alone."""

COARSE_ROUNDING_MM = 0.1
"""The same for positions that all have at most one decimal: gaps of 1.25 mm become 1.2 and 1.3 mm.
Each position is then wrong by up to 0.05 mm, less than the smallest voxel of a clinical scanner;
that the gaps were even before the rounding cannot be told from such a header."""

PLACE_TOLERANCE = 0.1
"""Largest distance of a slice from its place on the regular grid, as a fraction of the gap, so
that deviations within ``GAP_TOLERANCE`` that all go one way cannot add up to a shifted slice."""

SAME_PLACE = 0.02
"""Two slices nearer to each other than this fraction of the usual gap lie at one place."""

SHEAR_TOLERANCE_MM = 0.1
"""Sideways drift over the stack that is always taken for rounding."""

SHEAR_TOLERANCE_DEGREES = 0.05
"""Angle between the stacking direction and the normal that is taken for rounding.

Direction cosines rounded to three decimals are wrong by 0.03 degrees; gantries tilt by whole or
half degrees. Over 300 mm the tolerance is 0.26 mm, less than half a voxel."""

PLANE_DEGREES = 1.0
"""Slices whose rows and columns turn by less than this are of one plane.

Cosines rounded to two decimals are wrong by 0.4 degrees, and rounding must not make two planes of
one volume; localisers and reformatted planes are turned by far more. What lies between this and
``TURN_TOLERANCE_MM`` is one plane, but no regular stack."""

TURN_TOLERANCE_MM = 0.2
"""Largest shift of a slice's middle by direction cosines that differ from those of the grid.

Cosines that jump between neighbouring fourth decimals shift the middle of a 400 mm slice by up to
0.04 mm."""

SPACING_TOLERANCE = 1e-4
"""Largest relative disagreement of PixelSpacing between slices of one volume."""


@dataclass(frozen=True, slots=True)
class Irregularity:
    """How slices fail to form a grid; fields as in :class:`pipeline.domain.problem.Problem`."""

    code: Code
    what: str
    expected: str
    got: str


def heights_mm(slices: Sequence[Slice]) -> Vector:
    """Return how far each slice lies along the normal of the first."""
    return np.array([item.position_mm for item in slices]) @ slices[0].normal


def in_order(slices: Sequence[Slice]) -> list[Slice]:
    """Return slices from the lowest to the highest along their normal."""
    order = np.argsort(heights_mm(slices), kind="stable")
    return [slices[index] for index in order]


def same_plane(first: Slice, other: Slice) -> bool:
    """Tell whether rows and columns of two slices run the same way, within ``PLANE_DEGREES``."""
    apart = first.orientation - other.orientation
    right, down = apart[:3], apart[3:]
    return bool(max(right @ right, down @ down) <= np.radians(PLANE_DEGREES) ** 2)


def same_raster(first: Slice, other: Slice) -> bool:
    """Tell whether two slices have the same rows, columns and pixel spacing, within rounding."""
    sizes = [(item.encoding.rows, item.encoding.columns) for item in (first, other)]
    pairs = zip(first.pixel_spacing_mm, other.pixel_spacing_mm, strict=True)
    return sizes[0] == sizes[1] and all(isclose(*pair, rel_tol=SPACING_TOLERANCE) for pair in pairs)


def find_irregularity(slices: Sequence[Slice]) -> Irregularity | None:
    """Say why slices do not form a grid.

    Parameters
    ----------
    slices : sequence of Slice
        In any order.

    Returns
    -------
    Irregularity or None
        The first that is found; None where the slices form a grid.
    """
    if len(slices) < 2:
        return Irregularity(
            Code.DICOM_IRREGULAR, "is not a volume", "at least two slices", f"{len(slices)}"
        )
    return (
        _find_different(slices)
        or _find_uneven(in_order(slices))
        or _find_shear(in_order(slices))
        or _find_sideways(in_order(slices))
    )


def make_geometry(ordered: Sequence[Slice]) -> Geometry:
    """Return the grid of slices that are regular and in order.

    Its direction is the rotation nearest to the cosines of the first slice. Headers round them,
    and other formats (NIfTI) store a rotation, which rounded cosines are not quite; the middle of a
    slice moves by at most ``TURN_TOLERANCE_MM``.

    Raises
    ------
    ValueError
        If the numbers form no grid.
    """
    first, last = ordered[0], ordered[-1]
    row_spacing, column_spacing = first.pixel_spacing_mm
    depth_mm = float((last.position_mm - first.position_mm) @ first.normal)
    axes = _nearest_axes(first)
    direction = np.column_stack([*axes, np.cross(*axes)])
    x, y, z = (float(value) for value in first.position_mm)
    return Geometry(
        size=(first.encoding.columns, first.encoding.rows, len(ordered)),
        spacing_mm=(column_spacing, row_spacing, depth_mm / (len(ordered) - 1)),
        origin_mm=(x, y, z),
        direction=tuple(direction.ravel().tolist()),
    )


def _find_different(slices: Sequence[Slice]) -> Irregularity | None:
    first = slices[0]
    for item in slices[1:]:
        if not same_raster(first, item):
            return Irregularity(
                Code.DICOM_IRREGULAR,
                "slices differ in size or pixel spacing",
                "the same rows, columns and spacing (mm) throughout",
                f"{_raster(first)} in {first.label}, {_raster(item)} in {item.label}",
            )
    return _find_turned(slices)


def _find_turned(slices: Sequence[Slice]) -> Irregularity | None:
    first = slices[0]
    shifts = _shifts_of_middle_mm(slices, _nearest_axes(first))
    worst = int(np.argmax(shifts))
    if shifts[worst] <= TURN_TOLERANCE_MM:
        return None
    return Irregularity(
        Code.DICOM_IRREGULAR,
        "slices differ in orientation",
        f"{first.orientation.tolist()} as in {first.label}, perpendicular and of unit length, so"
        f" that no slice is shifted by more than {TURN_TOLERANCE_MM} mm",
        f"{slices[worst].orientation.tolist()} in {slices[worst].label}, {shifts[worst]:.3g} mm",
    )


def _nearest_axes(item: Slice) -> Vector:
    """Return the perpendicular unit vectors nearest to the direction cosines, shape (2, 3).

    The polar factor of the matrix (Higham 1986, doi:10.1137/0907079).
    """
    left, _, right = np.linalg.svd(item.orientation.reshape(2, 3), full_matrices=False)
    nearest: Vector = left @ right
    return nearest


def _shifts_of_middle_mm(slices: Sequence[Slice], axes: Vector) -> Vector:
    """Return half of how far other cosines than ``axes`` shift the farthest corner of each slice.

    All slices have the raster of the first; a slice's position is that of its first voxel.
    """
    row_spacing, column_spacing = slices[0].pixel_spacing_mm
    encoding = slices[0].encoding
    size = np.array([encoding.columns * column_spacing, encoding.rows * row_spacing])
    off = np.array([item.orientation for item in slices]).reshape(-1, 2, 3) - axes
    right, down = np.moveaxis(off * size[:, None], 1, 0)
    corners = np.linalg.norm([right, down, right + down], axis=2)
    shifts: Vector = 0.5 * corners.max(axis=0)
    return shifts


def _raster(item: Slice) -> tuple[int, int, float, float]:
    return (item.encoding.rows, item.encoding.columns, *item.pixel_spacing_mm)


def _find_uneven(ordered: Sequence[Slice]) -> Irregularity | None:
    heights = heights_mm(ordered)
    gaps = np.diff(heights)
    if gaps.max() <= 1e-3:
        return _twins(ordered, gaps)
    usual = usual_gap(heights)
    if gaps.min() <= SAME_PLACE * usual:
        return _twins(ordered, gaps)
    worst = int(np.argmax(np.abs(gaps - usual)))
    rounding_mm = _rounding_mm(ordered, usual)
    if abs(gaps[worst] - usual) <= max(GAP_TOLERANCE * usual, rounding_mm):
        return _find_drift(ordered, heights, rounding_mm)
    absent = np.rint(gaps / usual) - 1
    whole = np.abs(gaps - (absent + 1) * usual) <= PLACE_TOLERANCE * usual
    if absent.sum() > 0 and whole.all():
        return _missing(ordered, gaps, usual)
    return Irregularity(
        Code.SLICES_UNEVEN,
        "slices are unevenly spaced",
        f"slices {usual:.4g} mm apart as elsewhere in the series",
        f"{gaps[worst]:.4g} mm {_between(ordered, worst)}; gaps from {gaps.min():.4g} to"
        f" {gaps.max():.4g} mm",
    )


def _rounding_mm(slices: Sequence[Slice], usual: float) -> float:
    """Return by how much rounding alone can make gaps deviate, at most half a gap."""
    positions = np.array([item.position_mm for item in slices])
    coarse = bool((np.abs(positions - positions.round(1)) < 1e-6).all())
    allowed = COARSE_ROUNDING_MM * 1.001 if coarse else ROUNDING_MM  # decimals are not exact
    return min(allowed, 0.5 * usual)


def usual_gap(heights: Vector) -> float:
    """Return the median gap between slices that do not lie at one place, in mm.

    Parameters
    ----------
    heights : numpy.ndarray, shape (n,)
        In ascending order, mm.
    """
    gaps = np.diff(heights)
    apart = gaps[gaps > 1e-3]
    return float(np.median(apart)) if apart.size else 0.0


def _twins(ordered: Sequence[Slice], gaps: Vector) -> Irregularity:
    twin = int(np.argmin(gaps))
    count = int(np.count_nonzero(gaps <= max(1e-3, SAME_PLACE * float(np.median(gaps)))))
    return Irregularity(
        Code.SLICE_DUPLICATE,
        "has two slices at one place",
        "one slice a position",
        f"{count} pairs, the first {ordered[twin].label} and {ordered[twin + 1].label}"
        if count > 1
        else f"{ordered[twin].label} and {ordered[twin + 1].label}",
    )


def _missing(ordered: Sequence[Slice], gaps: Vector, usual: float) -> Irregularity:
    absent = np.rint(gaps / usual).astype(int) - 1
    places = np.flatnonzero(absent)
    first = int(places[0])
    others = len(places) - 1
    more = f" and at {others} other place{'s' * (others > 1)}" if others else ""
    return Irregularity(
        Code.SLICE_MISSING,
        "slices are missing",
        f"slices {usual:.4g} mm apart as elsewhere in the series",
        f"{gaps[first]:.4g} mm {_between(ordered, first)}{more}:"
        f" {absent.sum()} slice{'s' * int(absent.sum() > 1)} missing",
    )


def _find_drift(
    ordered: Sequence[Slice], heights: Vector, rounding_mm: float
) -> Irregularity | None:
    places = np.linspace(heights[0], heights[-1], len(heights))
    step = (heights[-1] - heights[0]) / (len(heights) - 1)
    worst = int(np.argmax(np.abs(heights - places)))
    off_mm = float(abs(heights[worst] - places[worst]))
    if off_mm <= max(PLACE_TOLERANCE * step, rounding_mm):
        return None
    return Irregularity(
        Code.SLICES_UNEVEN,
        "slices are unevenly spaced",
        f"every slice within {PLACE_TOLERANCE:.0%} of {step:.4g} mm from its place",
        f"{ordered[worst].label} {off_mm:.3g} mm off",
    )


def _find_shear(ordered: Sequence[Slice]) -> Irregularity | None:
    first, last = ordered[0], ordered[-1]
    way = last.position_mm - first.position_mm
    along_mm = float(way @ first.normal)
    drift_mm = float(np.linalg.norm(way - along_mm * first.normal))
    degrees = float(np.degrees(np.arctan2(drift_mm, along_mm)))
    if drift_mm <= SHEAR_TOLERANCE_MM or degrees <= SHEAR_TOLERANCE_DEGREES:
        return None
    return Irregularity(
        Code.GANTRY_TILT,
        "slices are sheared (tilted gantry)",
        f"slices stacked along their normal within {SHEAR_TOLERANCE_DEGREES} degrees",
        f"a sideways drift of {drift_mm:.3g} mm over the stack: {degrees:.3g} degrees",
    )


def _find_sideways(ordered: Sequence[Slice]) -> Irregularity | None:
    positions = np.array([item.position_mm for item in ordered])
    places = np.linspace(positions[0], positions[-1], len(ordered))
    off = positions - places
    off -= np.outer(off @ ordered[0].normal, ordered[0].normal)
    distances = np.linalg.norm(off, axis=1)
    worst = int(np.argmax(distances))
    if distances[worst] <= SHEAR_TOLERANCE_MM:
        return None
    return Irregularity(
        Code.DICOM_IRREGULAR,
        "slices are displaced sideways",
        f"slices in one line within {SHEAR_TOLERANCE_MM} mm",
        f"{ordered[worst].label} {distances[worst]:.3g} mm beside it",
    )


def _between(ordered: Sequence[Slice], gap: int) -> str:
    return f"between {ordered[gap].label} and {ordered[gap + 1].label}"
