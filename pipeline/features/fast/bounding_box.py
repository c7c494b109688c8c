"""The smallest box around a region, and one empty layer around that."""

import numpy as np
import numpy.typing as npt


def pad_bounding_box(inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """Cut a region to its bounding box and put one empty layer around it.

    Parameters
    ----------
    inside : numpy.ndarray of bool, any shape
        The region, at least one voxel.

    Returns
    -------
    numpy.ndarray of uint8, C-contiguous
        1 in the region, 0 outside.

    Raises
    ------
    ValueError
        The region has no voxel.
    """
    box = inside[tuple(_occupied_slice(inside, axis) for axis in range(inside.ndim))]
    padded = np.zeros([size + 2 for size in box.shape], dtype=np.uint8)
    padded[(slice(1, -1),) * inside.ndim] = box
    return padded


def _occupied_slice(inside: npt.NDArray[np.bool_], axis: int) -> slice:
    """Return the part of one axis that the region spans."""
    others = tuple(other for other in range(inside.ndim) if other != axis)
    occupied = np.flatnonzero(inside.any(axis=others))
    if not occupied.size:
        msg = "a region without voxels has no bounding box"
        raise ValueError(msg)
    return slice(int(occupied[0]), int(occupied[-1]) + 1)
