"""Every voxel of a region against its neighbours: the counts behind GLDM and NGTDM."""

from dataclasses import dataclass, field
from math import floor

import numpy as np
import numpy.typing as npt

from pipeline.features.fast.grey_levels import GreyLevels
from pipeline.features.fast.kernels.neighbourhood import tally_dependence, tally_difference
from pipeline.features.fast.neighbours import BLOCK_VOXELS, find_steps, flatten
from pipeline.features.fast.texture_settings import TextureSettings


@dataclass(frozen=True, slots=True)
class Neighbourhoods:
    """Counts of the voxels of a region by what surrounds them; rows are grey levels, from 0.

    Parameters
    ----------
    dependence : numpy.ndarray of int64, shape (highest level + 1, neighbours + 1)
        Voxels of each level by their number of dependent neighbours, themselves not counted; all 0
        where GLDM is not wanted.
    voxels : numpy.ndarray of int64, shape (highest level + 1,)
        Voxels of each level. IBSI leaves out those without a neighbour, PyRadiomics does not.
    differences : numpy.ndarray of float64, shape (highest level + 1,)
        The summed distances between their level and the mean of their neighbours; all 0 where NGTDM
        is not wanted.
    """

    dependence: npt.NDArray[np.int64] = field(repr=False)
    voxels: npt.NDArray[np.int64] = field(repr=False)
    differences: npt.NDArray[np.float64] = field(repr=False)


def count_neighbourhoods(
    levels: GreyLevels, settings: TextureSettings, gldm: bool = True, ngtdm: bool = True
) -> Neighbourhoods:
    """Compare every voxel with all voxels at ``distances`` from it.

    Parameters
    ----------
    levels : GreyLevels
    settings : TextureSettings
        ``distances``, ``force_2d``, ``force_2d_axis`` and ``gldm_a`` count.
    gldm, ngtdm : bool
        What to count.

    Raises
    ------
    CaseError
        If the region has no room for neighbours at these distances.
    """
    steps = find_steps(levels.levels.shape, settings, settings.distances)
    alpha = min(floor(settings.gldm_a), levels.highest)
    flat = flatten(levels, steps, shift=alpha)
    rows = levels.highest + 1
    found = Neighbourhoods(
        dependence=np.zeros((rows if gldm else 0, len(steps) + 1), dtype=np.int64),
        voxels=levels.voxels,
        differences=np.zeros(rows),
    )
    room = np.empty((2, BLOCK_VOXELS), dtype=flat.volume.dtype)
    where = (flat.volume, flat.offsets, flat.margin)
    if gldm:
        tally_dependence(*where, alpha, found.dependence, room)
    if ngtdm:
        tally_difference(*where, alpha, found.differences, room)
    return found
