"""Grey level size zone matrix: connected voxels of one grey level."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from pipeline.features.fast.grey_levels import GreyLevels
from pipeline.features.fast.kernels.zones import label_zones, pick_neighbours, tally_zones
from pipeline.features.fast.level_sizes import LevelSizes, compute_emphases
from pipeline.features.fast.neighbours import BLOCK_VOXELS, Step, find_steps, flatten
from pipeline.features.fast.texture_settings import TextureSettings

FEATURES = {
    "SmallAreaEmphasis": "Small",
    "LargeAreaEmphasis": "Large",
    "GrayLevelNonUniformity": "LevelNonUniformity",
    "GrayLevelNonUniformityNormalized": "LevelNonUniformityNormalized",
    "SizeZoneNonUniformity": "SizeNonUniformity",
    "SizeZoneNonUniformityNormalized": "SizeNonUniformityNormalized",
    "GrayLevelVariance": "LevelVariance",
    "ZoneVariance": "SizeVariance",
    "ZoneEntropy": "Entropy",
    "LowGrayLevelZoneEmphasis": "Low",
    "HighGrayLevelZoneEmphasis": "High",
    "SmallAreaLowGrayLevelEmphasis": "SmallLow",
    "SmallAreaHighGrayLevelEmphasis": "SmallHigh",
    "LargeAreaLowGrayLevelEmphasis": "LargeLow",
    "LargeAreaHighGrayLevelEmphasis": "LargeHigh",
}
"""PyRadiomics' features and their names in :mod:`pipeline.features.fast.level_sizes`."""

SMALL_ZONE_VOXELS = 64
"""Zones below this size are counted in a table, the few others listed one by one."""


def compute_glszm(levels: GreyLevels, settings: TextureSettings) -> dict[str, float]:
    """Compute PyRadiomics' 16 GLSZM features.

    Thibault et al. 2014, doi:10.1109/TBME.2013.2284600; IBSI: grey level size zone matrix (9SAK).

    Parameters
    ----------
    levels : GreyLevels
    settings : TextureSettings
        ``force_2d`` and ``force_2d_axis`` count: 8- instead of 26-connected zones.

    Raises
    ------
    CaseError
        If the region is a single voxel, or a line across the plane of ``force_2d``; PyRadiomics
        refuses these too.
    """
    matrix = count_zones(levels, settings)
    emphases = compute_emphases(matrix)
    zones, voxels = matrix.counts.sum(), (matrix.counts * matrix.sizes).sum()
    found = {name: emphases[general] for name, general in FEATURES.items()}
    return {**found, "ZonePercentage": float(zones / voxels)}


def count_zones(levels: GreyLevels, settings: TextureSettings) -> LevelSizes:
    """Count the zones by grey level and number of voxels."""
    steps = [step for step in find_steps(levels.levels.shape, settings, (1,)) if step < (0, 0, 0)]
    flat = flatten(levels, steps)
    voxels = int(levels.voxels.sum())
    labels = np.empty(flat.volume.size, dtype=np.int32)
    forest = np.empty((3, voxels), dtype=np.int32)
    picked = _picked_neighbours(tuple(steps))
    equal = np.empty(BLOCK_VOXELS, dtype=flat.volume.dtype)
    made = label_zones(flat.volume, flat.offsets, flat.margin, picked, labels, forest, equal)
    small = np.zeros((levels.highest + 1, SMALL_ZONE_VOXELS), dtype=np.int64)
    large = np.empty((2, voxels // SMALL_ZONE_VOXELS), dtype=np.int32)
    listed = tally_zones(forest, made, small, large)
    few = LevelSizes.from_table(small)
    zones, counts = np.unique(large[:, :listed], axis=1, return_counts=True)
    return LevelSizes(
        levels=np.concatenate([few.levels, zones[0]]),
        sizes=np.concatenate([few.sizes, zones[1]]),
        counts=np.concatenate([few.counts, counts]),
    )


@lru_cache
def _picked_neighbours(steps: tuple[Step, ...]) -> npt.NDArray[np.uint16]:
    picked = np.zeros(2 ** len(steps), dtype=np.uint16)
    pick_neighbours(np.array(steps, dtype=np.int64), picked)
    return picked
