"""Decide which slice of a scan each contour of an RTSTRUCT belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.domain.geometry import Geometry
from pipeline.domain.reading import Reading
from pipeline.ingest.codes import Code
from pipeline.ingest.dicom.mask_dataset import unreadable_mask
from pipeline.ingest.dicom.mask_frame import beyond_edge
from pipeline.ingest.limits import check_voxel_count
from pipeline.ingest.read_error import ReadError

PLANE_TOLERANCE_MM = 0.1
"""Largest extent of one contour across the slices; more means that it is oblique to them.

Also the distance below which two contours lie on one plane. Coordinates are stored to a hundredth
of a millimetre or finer; the thinnest slices are five times as far apart as this."""

SPACING_TOLERANCE = 0.02
"""Largest deviation of the distance of planes from that of slices, as a fraction."""

PLANE_DEVIATION = 0.1
"""Largest distance of a contour's plane from its place among equally distant ones, as a fraction
of their distance."""

THICKEST_SLICES_MM = 10.2
"""Largest distance of slices that planes are taken for; regularly further apart, they are separate
lesions. Series of the liver have at most 10 mm (HCC-TACE-Seg, before contrast)."""

SAME_OUTLINE = (0.1, 0.01)
"""Two contours of a slice are one contour stored twice if the sides of their bounding boxes differ
by at most this (voxels) and their areas by this fraction, wherever they begin and whichever way
they go."""

_HEIGHT_DECIMALS = 3
"""Heights are rounded to thousandths of a slice, so that planes midway between two slices all go
to the same side whatever their last decimals."""

_Points = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Planes:
    """Contours by slice.

    Parameters
    ----------
    geometry : Geometry
        The grid to fill; the scan's own, unless the contours' planes have another spacing.
    contours : dict of int to list of numpy.ndarray, each of shape (points, 2)
        For each slice number of that grid its contours, x and y in voxels.
    """

    geometry: Geometry
    contours: dict[int, list[_Points]]


def sort_into_planes(
    path: Path, contours: Sequence[_Points], grid: Geometry, reading: Reading
) -> Planes:
    """Give each contour to the slice whose plane is nearest.

    Parameters
    ----------
    path : Path
        The file, for messages.
    contours : sequence of numpy.ndarray, each of shape (points, 3)
        In voxels x, y, z of the scan.
    grid : Geometry
        Of the scan.
    reading : Reading
        With ``resample_masks``, contours on planes of another spacing than the slices' are given
        a grid of their own, for the caller to resample.

    Raises
    ------
    ReadError
        If a contour is oblique, outside the image, or drawn twice; ``mask-off-grid`` if the planes
        do not correspond to the slices: two planes on one slice, or every second slice skipped.
    """
    heights = np.array([_height(path, contour, grid) for contour in contours])
    _check_extent(path, contours, heights, grid)
    planes = _distinct(heights, PLANE_TOLERANCE_MM / grid.spacing_mm[2])
    step = _plane_step(planes, grid.spacing_mm[2])
    if step is None and _are_of_one_lesion(planes, contours, heights, grid.spacing_mm[2]):
        raise _other_spacing(path, float(planes[1] - planes[0]), grid)
    if step is not None:
        if not reading.resample_masks:
            raise _other_spacing(path, step, grid)
        grid, heights = _own_grid(path, planes, heights, step, grid, reading)
    by_slice: dict[int, list[_Points]] = {}
    for contour, number in zip(contours, _nearest(heights), strict=True):
        by_slice.setdefault(int(number), []).append(contour[:, :2])
    _check_not_doubled(path, by_slice)
    return Planes(grid, by_slice)


def _height(path: Path, contour: _Points, grid: Geometry) -> float:
    """Return the contour's position across the slices, in slices."""
    low, high = float(contour[:, 2].min()), float(contour[:, 2].max())
    extent_mm = (high - low) * grid.spacing_mm[2]
    if extent_mm > PLANE_TOLERANCE_MM:
        raise ReadError(
            path,
            "has contours that are not parallel to the slices of the image",
            expected=f"contours within a slice plane, to {PLANE_TOLERANCE_MM} mm",
            got=f"a contour that extends {extent_mm:.3g} mm across the slices",
            next_step="Name the image that the contours were drawn on.",
            code=Code.MASK_OFF_GRID,
        )
    return (low + high) / 2


def _check_extent(
    path: Path, contours: Sequence[_Points], heights: _Points, grid: Geometry
) -> None:
    """Refuse contours that would enclose centres of voxels if the image went on."""
    corners = np.concatenate([contour[:, :2] for contour in contours])
    columns, rows, slices = grid.size
    last = np.array([columns, rows]) - 1
    sideways = np.maximum(-corners, corners - last).max(axis=0)
    beyond = np.array([*sideways, np.maximum(-heights, heights - (slices - 1)).max()])
    allowed = np.array([1.0, 1.0, 0.5 + 10.0**-_HEIGHT_DECIMALS])
    if (beyond > allowed).any():
        # From the outer face of the last voxel, half a voxel beyond its centre.
        raise beyond_edge(path, float(((beyond - 0.5) * np.asarray(grid.spacing_mm)).max()))


def _nearest(heights: _Points) -> npt.NDArray[np.int64]:
    nearest: npt.NDArray[np.int64] = np.floor(heights.round(_HEIGHT_DECIMALS) + 0.5).astype(
        np.int64
    )
    return nearest


def _distinct(heights: _Points, tolerance: float) -> _Points:
    """Return the heights of the planes, ascending."""
    ordered = np.sort(heights)
    starts = np.concatenate([[True], np.diff(ordered) > tolerance])
    planes: _Points = ordered[starts]
    return planes


def _plane_step(planes: _Points, slice_mm: float) -> float | None:
    """Return the planes' distance in slices where they do not correspond to the slices, else None.

    They do not if two lie on one slice, or if neighbouring planes are regularly further apart than
    slices and leave some empty. Single gaps, as between two lesions, are no sign of either, nor
    are distances that no series has.
    """
    if len(planes) < 2:
        return None
    gaps, jumps = np.diff(planes), np.diff(_nearest(planes))
    neighbours = gaps[gaps < 1.5 * gaps.min()]
    step = float(np.median(neighbours))
    sharing = bool((jumps == 0).any())
    regular = len(gaps) >= 2 and 2 * len(neighbours) >= len(gaps)
    wide = 1 + SPACING_TOLERANCE < step <= THICKEST_SLICES_MM / slice_mm
    return step if sharing or (regular and wide and (jumps > 1).any()) else None


def _are_of_one_lesion(
    planes: _Points, contours: Sequence[_Points], heights: _Points, slice_mm: float
) -> bool:
    """Tell whether the only two planes have empty slices between contours that lie over another.

    One lesion drawn on two thicker slices looks like this; two lesions lie beside each other.
    """
    if (
        len(planes) != 2
        or not 1 < round(float(np.diff(planes)[0])) <= THICKEST_SLICES_MM / slice_mm
    ):
        return False
    middle = planes.mean()
    lower, upper = (
        [_box(c) for c, h in zip(contours, heights, strict=True) if (h > middle) == above]
        for above in (False, True)
    )
    return any(_overlap(one, other) for one in lower for other in upper)


def _box(contour: _Points) -> _Points:
    """Return the bounding box of a contour, shape (2, 2): lowest and highest x and y."""
    box: _Points = np.array([contour[:, :2].min(axis=0), contour[:, :2].max(axis=0)])
    return box


def _overlap(one: _Points, other: _Points) -> bool:
    return bool((np.maximum(one[0], other[0]) < np.minimum(one[1], other[1])).all())


def _own_grid(
    path: Path,
    planes: _Points,
    heights: _Points,
    step: float,
    grid: Geometry,
    reading: Reading,
) -> tuple[Geometry, _Points]:
    """Return a grid whose slices are the contours' planes, and the contours' heights on it."""
    span = float(planes[-1] - planes[0])
    step = span / round(span / step)  # more exact than a single distance
    on_grid = (heights - planes[0]) / step
    numbers = ((planes - planes[0]) / step).round()
    if np.abs(on_grid - on_grid.round()).max() > PLANE_DEVIATION or (np.diff(numbers) == 0).any():
        raise _other_spacing(path, step, grid)
    normal = np.reshape(grid.direction, (3, 3))[:, 2]
    x, y, z = np.asarray(grid.origin_mm) + planes[0] * grid.spacing_mm[2] * normal
    columns, rows, _ = grid.size
    size = (columns, rows, int(on_grid.round().max()) + 1)
    check_voxel_count(path, size, reading)
    own = replace(
        grid,
        size=size,
        origin_mm=(float(x), float(y), float(z)),
        spacing_mm=(*grid.spacing_mm[:2], step * grid.spacing_mm[2]),
    )
    return own, on_grid


def _other_spacing(path: Path, step: float, grid: Geometry) -> ReadError:
    return ReadError(
        path,
        "has contours on other planes than the slices of the image",
        expected=f"one plane a slice, {grid.spacing_mm[2]:.4g} mm apart",
        got=f"planes {step * grid.spacing_mm[2]:.4g} mm apart",
        next_step="Name the image that the contours were drawn on, or set resample_masks: true"
        " in cohort.yaml for planes at equal distances.",
        code=Code.MASK_OFF_GRID,
    )


def _check_not_doubled(path: Path, by_slice: dict[int, list[_Points]]) -> None:
    """Refuse contours that are stored twice: by the even-odd rule they would cancel."""
    for contours in by_slice.values():
        if any(_is_same(one, other) for one, other in combinations(contours, 2)):
            raise unreadable_mask(path, "each contour once", "two equal contours on one slice")


def _is_same(one: _Points, other: _Points) -> bool:
    box_voxels, area_share = SAME_OUTLINE
    if np.abs(_box(one) - _box(other)).max() > box_voxels:
        return False
    areas = _area(one), _area(other)
    return abs(areas[0] - areas[1]) <= area_share * max(areas)


def _area(contour: _Points) -> float:
    """Return the enclosed area in voxels (shoelace formula), positive in both directions."""
    x, y = (contour[:, :2] - contour[0, :2]).T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2
