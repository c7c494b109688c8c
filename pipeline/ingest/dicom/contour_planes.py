"""Decide which slice of a scan each contour of an RTSTRUCT belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.domain.geometry import Geometry
from pipeline.domain.reading import Reading
from pipeline.ingest.codes import Code
from pipeline.ingest.dicom.contour_twins import box, has_twins
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
of their distance: as much as a slice may be off its own place
(:data:`pipeline.ingest.dicom.grid.PLACE_TOLERANCE`)."""

THICKEST_SLICES_MM = 10.2
"""Largest distance of slices that planes are taken for; regularly further apart, they are separate
lesions. Series of the liver have at most 10 mm (HCC-TACE-Seg, before contrast)."""

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
    step = _plane_step(planes, contours, heights, grid.spacing_mm[2])
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


def _plane_step(
    planes: _Points, contours: Sequence[_Points], heights: _Points, slice_mm: float
) -> float | None:
    """Return the planes' distance in slices where they do not correspond to the slices, else None.

    They do not correspond

    * if two planes lie on one slice;
    * if no two lie on neighbouring slices, and contours lie over another at a distance that slices
      have: one lesion drawn on thicker slices looks like this, while lesions drawn on one slice
      each lie beside each other or far apart;
    * if some lie on neighbouring slices, but at another distance than the slices', so that the
      planes shift against the slices (3 mm on 2.5 mm).

    A gap between planes, some of which lie on neighbouring slices, is no sign of any.
    """
    if len(planes) < 2:
        return None
    gaps, jumps = np.diff(planes), np.diff(_nearest(planes))
    step = float(np.median(gaps[gaps < 1.5 * gaps.min()]))
    if (jumps == 0).any():
        return step
    if jumps.min() > 1:
        return step if _lie_over_another(planes, contours, heights, slice_mm) else None
    is_slice_distance = abs(step - 1) <= SPACING_TOLERANCE or _lie_on_slices(planes)
    return None if is_slice_distance else step


def _lie_on_slices(planes: _Points) -> bool:
    """Tell whether planes lie whole slices apart, each as much off its place as slices may be."""
    apart = planes - planes[0]
    return float(np.ptp(apart - apart.round())) <= 2 * PLANE_DEVIATION


def _lie_over_another(
    planes: _Points, contours: Sequence[_Points], heights: _Points, slice_mm: float
) -> bool:
    """Tell whether boxes of contours overlap across planes as far apart as slices may be."""
    numbers = np.searchsorted(planes, heights, side="right") - 1
    boxes = np.array([box(contour) for contour in contours])
    by_plane = [boxes[numbers == number] for number in range(len(planes))]
    ends = np.searchsorted(planes, planes + THICKEST_SLICES_MM / slice_mm, side="right")
    return any(
        _overlap(lower, by_plane[upper])
        for number, end in enumerate(ends)
        for upper in range(number + 1, end)
        for lower in by_plane[number]
    )


def _overlap(one: _Points, others: _Points) -> bool:
    low, high = np.maximum(one[:2], others[:, :2]), np.minimum(one[2:], others[:, 2:])
    return bool((low < high).all(axis=1).any())


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
        if has_twins(contours):
            raise unreadable_mask(path, "each contour once", "two equal contours on one slice")
