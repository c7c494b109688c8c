"""One image around one region, and its intensities cut into grey levels."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

EPSILON = float(np.spacing(1.0))
"""What PyRadiomics adds to probabilities in logarithms, and to divisors."""


@dataclass(frozen=True, slots=True)
class RegionImage:
    """An image (the scan or a filtered one) cut to the bounding box of the region.

    Parameters
    ----------
    values : numpy.ndarray, shape (z, y, x), C-contiguous
        In the type that PyRadiomics would have: int16 of a CT, float32, float64 of wavelets.
    inside : numpy.ndarray of bool, shape (z, y, x), C-contiguous
        The region; at least one voxel.
    spacing_mm : (float, float, float)
        Distance of voxels along x, y, z.
    """

    values: npt.NDArray[Any] = field(repr=False)
    inside: npt.NDArray[np.bool_] = field(repr=False)
    spacing_mm: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class GreyLevels:
    """A discretised image.

    Parameters
    ----------
    levels : numpy.ndarray of int32, shape (z, y, x), C-contiguous
        From 1 in the region, 0 outside.
    highest : int
        Number of the highest level that occurs (PyRadiomics' ``Ng``).
    present : numpy.ndarray of int64, shape (occurring levels,)
        The levels that occur, ascending (PyRadiomics' ``grayLevels``).
    voxels : numpy.ndarray of int64, shape (highest + 1,)
        Number of voxels of each level, from 0 on, the voxels outside not counted.
    spacing_mm : (float, float, float)
        Distance of voxels along x, y, z.
    """

    levels: npt.NDArray[np.int32] = field(repr=False)
    highest: int
    present: npt.NDArray[np.int64] = field(repr=False)
    voxels: npt.NDArray[np.int64] = field(repr=False)
    spacing_mm: tuple[float, float, float]
