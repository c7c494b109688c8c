"""Image and region on a new grid: ITK's values to the last digit, from the part that is needed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.features.fast.kernels.interpolation import (
    interpolate_linear,
    interpolate_nearest,
    interpolate_spline,
    lies_near_whole,
    mark_nearest,
)
from pipeline.features.fast.kernels.spline import filter_axis
from pipeline.features.fast.prepared_image import Box
from pipeline.features.fast.target_grid import TargetGrid

Values = npt.NDArray[np.float64]

SPLINE_REACH_VOXELS = 48
"""Beyond this distance a voxel changes no digit of a cubic spline coefficient.

The influence falls by the spline's pole a voxel, to (2 - sqrt 3) ** 32 = 5e-19 after 32 (Unser
1999, doi:10.1109/79.799930); in the next few the last digit settles, except where all values are
the same."""

ROUNDING_MARGIN = 1e-12
"""Values this near to a whole number may be truncated to either side of it.

As a part of the largest value; the last digit of a coefficient is 1e-16 of it."""


@dataclass(frozen=True, slots=True)
class Block:
    """A part of an image in memory.

    Parameters
    ----------
    values : numpy.ndarray, shape (z, y, x), C-contiguous
        Its voxels.
    frame : numpy.ndarray of intp, shape (2, 3)
        Along x, y, z: size of the whole image; index of the part's first voxel.
    """

    values: npt.NDArray[Any] = field(repr=False)
    frame: npt.NDArray[np.intp]


def resample_image(
    values: npt.NDArray[Any], grid: TargetGrid, interpolator: str | int
) -> npt.NDArray[Any]:
    """Interpolate an image on a new grid.

    Parameters
    ----------
    values : numpy.ndarray, shape (z, y, x)
        The whole image; only what lies near the grid is looked at. A NaN elsewhere does not count
        (ITK's spline would spread it over the whole image).
    grid : TargetGrid
        The new grid.
    interpolator : str or int
        By SimpleITK's name or number; see ``METHODS``.

    Returns
    -------
    numpy.ndarray, shape ``grid.shape_zyx``
        In the type of the image: whole-number types are truncated toward zero, as ITK does; 0
        outside the image.
    """
    resampled = METHODS[interpolator](values, grid)
    limits = np.iinfo(values.dtype) if values.dtype.kind in "iu" else np.finfo(values.dtype)
    return resampled.clip(limits.min, limits.max, out=resampled).astype(values.dtype, copy=False)


def resample_region(
    inside: npt.NDArray[np.bool_], box: Box, grid: TargetGrid
) -> npt.NDArray[np.bool_]:
    """Take the nearest voxel of a region for each voxel of the new grid.

    Parameters
    ----------
    inside : numpy.ndarray of bool, shape (z, y, x)
        The region.
    box : (slice, slice, slice)
        Its bounding box along z, y, x.
    grid : TargetGrid
        The new grid.
    """
    block = _cut(inside, box)
    marked = np.empty(grid.shape_zyx, np.uint8)
    mark_nearest(block.values.view(np.uint8), block.frame, grid.lines, marked)
    return marked.view(np.bool_)


def _nearest(values: npt.NDArray[Any], grid: TargetGrid) -> Values:
    return _fill(interpolate_nearest, _cut(values, _around(grid, values.shape, 1), float), grid)


def _linear(values: npt.NDArray[Any], grid: TargetGrid) -> Values:
    return _fill(interpolate_linear, _cut(values, _around(grid, values.shape, 2), float), grid)


def _spline(values: npt.NDArray[Any], grid: TargetGrid) -> Values:
    near = _around(grid, values.shape, SPLINE_REACH_VOXELS)
    coefficients, exact = _coefficients(values, near, _around(grid, values.shape, 3))
    resampled = _fill(interpolate_spline, _mirror(coefficients), grid)
    if exact or not _hangs_on_rounding(resampled, values.dtype):
        return resampled
    whole = (slice(0, values.shape[0]), slice(0, values.shape[1]), slice(0, values.shape[2]))
    coefficients, _ = _coefficients(values, whole, whole)
    return _fill(interpolate_spline, _mirror(coefficients), grid)


def _coefficients(values: npt.NDArray[Any], near: Box, core: Box) -> tuple[Block, bool]:
    """Spline coefficients of the core, from the values near it; and whether they are exact."""
    coefficients = _cut(values, near, float).values
    exact = True
    for axis in (2, 1, 0):
        low, high = core[axis].start - near[axis].start, near[axis].stop - core[axis].stop
        below = low if near[axis].start > 0 else 0
        above = high if near[axis].stop < values.shape[axis] else 0
        # The filter's gain is 6; the recursions divide by 1 - (2 - sqrt 3), and then by less.
        bound = 10.0 * float(max(coefficients.max(), -coefficients.min()))
        exact &= filter_axis(coefficients, axis, below, above, bound)
        # The next axes need the core of this one only.
        kept = [slice(None)] * 3
        kept[axis] = slice(low, coefficients.shape[axis] - high)
        coefficients = np.ascontiguousarray(coefficients[tuple(kept)])
    return Block(coefficients, _frame(values.shape, core)), exact


def _mirror(coefficients: Block) -> Block:
    """Widen a block by three voxels where it ends with the image, for splines that reach over.

    Along an axis of two voxels ITK then reads outside its memory; here the mirror goes on.
    """
    shape, (sizes, first) = coefficients.values.shape[::-1], coefficients.frame
    pads = [
        (3 if start == 0 else 0, 3 if start + length == size else 0)
        for start, length, size in zip(first, shape, sizes, strict=True)
    ]
    widened = np.pad(coefficients.values, pads[::-1], mode="reflect")
    frame = np.stack([sizes, first - [low for low, _ in pads]])
    return Block(widened, frame)


def _hangs_on_rounding(resampled: Values, dtype: np.dtype[Any]) -> bool:
    """Tell whether truncating to whole numbers could go either way; near 0 it cannot."""
    if dtype.kind not in "iu":
        return False
    largest = max(float(resampled.max()), -float(resampled.min()), 1.0)
    return lies_near_whole(resampled.reshape(-1), ROUNDING_MARGIN * round(largest))


METHODS: dict[str | int, Callable[[npt.NDArray[Any], TargetGrid], Values]] = {
    "sitkNearestNeighbor": _nearest,
    "sitkLinear": _linear,
    "sitkBSpline": _spline,
    1: _nearest,
    2: _linear,
}
"""The interpolators that are covered, by SimpleITK's names and numbers."""


def _fill(
    interpolate: Callable[[Values, npt.NDArray[np.intp], Values, Values], None],
    block: Block,
    grid: TargetGrid,
) -> Values:
    out = np.empty(grid.shape_zyx)
    interpolate(block.values, block.frame, grid.lines, out)
    return out


def _around(grid: TargetGrid, shape_zyx: tuple[int, ...], margin: int) -> Box:
    """Block of the old image around the positions of the grid."""
    first, last = grid.lines[0].reshape(-1, 3), grid.lines.sum(axis=0).reshape(-1, 3)
    low = np.floor(np.minimum(first, last).min(axis=0))[::-1].astype(int) - margin
    high = np.ceil(np.maximum(first, last).max(axis=0))[::-1].astype(int) + margin + 1
    z, y, x = (
        slice(min(max(int(start), 0), size - 1), max(min(int(stop), size), 1))
        for start, stop, size in zip(low, high, shape_zyx, strict=True)
    )
    return z, y, x


def _cut(values: npt.NDArray[Any], box: Box, dtype: npt.DTypeLike | None = None) -> Block:
    block = np.array(values[box], dtype=dtype, order="C")
    return Block(block, _frame(values.shape, box))


def _frame(shape_zyx: tuple[int, ...], box: Box) -> npt.NDArray[np.intp]:
    return np.array([shape_zyx[::-1], [span.start for span in reversed(box)]], dtype=np.intp)
