"""Place a region whose voxels are voxels of the scan, though it is stored otherwise.

Programs store the axes of a mask mirrored or in another order; 3D Slicer also crops it to what it
holds. Where the header says that each voxel is one of the scan's, nothing is interpolated.
"""

import numpy as np
import numpy.typing as npt

from pipeline.domain.geometry import GRID_TOLERANCE_MM, Geometry
from pipeline.domain.scan import Region

_XYZ_IN_ARRAY = np.array([2, 1, 0])


def place_region(region: Region, grid: Geometry, *, may_be_cropped: bool) -> Region | None:
    """Return a region on a grid that its own voxels belong to.

    Parameters
    ----------
    region : Region
        On its own grid, in the same frame of reference as ``grid``.
    grid : Geometry
        The grid of the scan.
    may_be_cropped : bool
        Whether the mask may cover a part of the grid only.

    Returns
    -------
    Region or None
        None where the voxels of the mask, those outside the region included, are not all voxels
        of the grid, to ``GRID_TOLERANCE_MM``. So a mask that lost its origin, which often is whole
        voxels away, is not placed.
    """
    if region.inside.size != np.prod(grid.size) and not may_be_cropped:
        return None
    own = region.geometry
    steps = np.linalg.solve(grid.axes_mm, own.axes_mm)
    turn = np.rint(steps)
    corners = grid.to_voxels(own.corner_positions_mm())
    first, last = np.rint(corners).min(axis=0), np.rint(corners).max(axis=0)
    if not (_turns_axes(turn) and (first >= 0).all() and (last < grid.size).all()):
        return None
    off = np.concatenate([corners - np.rint(corners), (steps - turn).T])
    if np.linalg.norm(off * grid.spacing_mm, axis=1).max() > GRID_TOLERANCE_MM:
        return None
    inside = np.zeros(grid.shape_zyx, dtype=np.bool_)
    box = [slice(int(low), int(high) + 1) for low, high in zip(first, last, strict=True)]
    inside[box[2], box[1], box[0]] = _turned(region.inside, turn)
    return Region(inside, grid, region.name)


def _turns_axes(turn: npt.NDArray[np.float64]) -> bool:
    """Tell whether a matrix of whole numbers only mirrors and exchanges axes."""
    return np.array_equal(np.abs(turn) @ np.abs(turn).T, np.eye(3))


def _turned(inside: npt.NDArray[np.bool_], turn: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Turn an array (z, y, x) by a matrix for x, y, z: column i is where its axis i leads."""
    source = np.abs(turn).argmax(axis=1)
    mirrored = turn.sum(axis=1) < 0
    ordered = inside.transpose(2 - source[_XYZ_IN_ARRAY])
    return np.flip(ordered, axis=tuple(np.flatnonzero(mirrored[_XYZ_IN_ARRAY]).tolist()))
