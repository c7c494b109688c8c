"""A region as a flat array in which each neighbour of a voxel is a fixed distance away."""

from dataclasses import dataclass, field
from itertools import product
from math import prod

import numpy as np
import numpy.typing as npt

from pipeline.domain.errors import CaseError
from pipeline.features.fast.grey_levels import GreyLevels
from pipeline.features.fast.texture_settings import TextureSettings

BLOCK_VOXELS = 64
"""The kernels go through the array in blocks of this size (``BLOCK`` there)."""

Step = tuple[int, int, int]
"""Voxels along z, y, x from a voxel to a neighbour."""


@dataclass(frozen=True, slots=True)
class FlatLevels:
    """Grey levels with empty margins between the rows, as one row.

    Parameters
    ----------
    volume : numpy.ndarray of int16 or int32, shape (margin + whole blocks + margin,)
        Grey level + the shift asked for in the region, 0 outside.
    offsets : numpy.ndarray of intp, shape (neighbours,)
        Distance of each neighbour in ``volume``.
    margin : int
        Elements before the first voxel that may be in the region; none lies beyond it from the end.
    """

    volume: npt.NDArray[np.int16] | npt.NDArray[np.int32] = field(repr=False)
    offsets: npt.NDArray[np.intp]
    margin: int


def find_steps(
    shape: tuple[int, ...], settings: TextureSettings, distances: tuple[int, ...]
) -> list[Step]:
    """List the steps to the neighbours that an array of this shape has room for.

    Parameters
    ----------
    shape : (int, int, int)
        Along z, y, x.
    settings : TextureSettings
        For ``force_2d``.
    distances : tuple of int
        In voxels (Chebyshev norm).

    Returns
    -------
    list of (int, int, int)
        Along z, y, x, descending. Where a distance is given twice, as many as if it had its own
        neighbours again, but these are the first ones of the whole list, as in PyRadiomics.

    Raises
    ------
    CaseError
        If there are none. PyRadiomics refuses such regions, and distances below 1, too.
    """
    reach = [size - 1 for size in shape]
    if settings.force_2d:
        reach[settings.force_2d_axis] = 0
    steps = [
        (z, y, x)
        for distance in distances
        for z, y, x in product(*(_within(min(distance, longest)) for longest in reach))
        if max(abs(z), abs(y), abs(x)) == distance
    ]
    if not steps or min(distances) < 1:
        msg = (
            f"no two voxels of a region of {' x '.join(str(size) for size in shape)} voxels (z, y,"
            f" x) can be neighbours at the distances {list(distances)}. Leave this region out, or"
            " change distances or force2D."
        )
        raise CaseError(msg)
    order = sorted(set(steps), reverse=True)
    return [order[k % len(order)] for k in range(len(steps))]


def _within(reach: int) -> range:
    return range(-reach, reach + 1)


def flatten(levels: GreyLevels, steps: list[Step], shift: int = 0) -> FlatLevels:
    """Lay the region out for kernels that walk through it voxel by voxel.

    Parameters
    ----------
    levels : GreyLevels
    steps : list of (int, int, int)
        To the neighbours, from :func:`find_steps`.
    shift : int
        Added to the levels of the region.
    """
    shape = levels.levels.shape
    gap = np.abs(steps).max(axis=0)
    rows, columns = shape[1] + gap[1], shape[2] + gap[2]  # a gap serves the row before and after
    strides = np.array([rows * columns, columns, 1])
    margin = int(gap @ strides)
    grid = (shape[0], rows, columns)
    size = prod(grid)
    blocks = -(-size // BLOCK_VOXELS)
    dtype = _voxel_type(levels, len(steps), shift)
    volume = np.zeros(2 * margin + blocks * BLOCK_VOXELS, dtype=dtype)
    inside = volume[margin : margin + size].reshape(grid)[:, : shape[1], : shape[2]]
    inside[...] = levels.levels
    if shift:
        inside += shift * (inside > 0)
    return FlatLevels(volume, (np.array(steps) @ strides).astype(np.intp), margin)


def _voxel_type(levels: GreyLevels, neighbours: int, shift: int) -> type[np.signedinteger]:
    """Return the smallest type that holds the sum of all neighbours.

    Raises
    ------
    CaseError
        If there is none.
    """
    largest_sum = (levels.highest + shift) * (neighbours + 1)
    for dtype in (np.int16, np.int32):
        if largest_sum <= np.iinfo(dtype).max:
            return dtype
    msg = (
        f"the region has grey levels up to {levels.highest} and each voxel {neighbours} neighbours,"
        " too many to be summed up. Set a larger binWidth or smaller distances."
    )
    raise CaseError(msg)
