"""Grey level dependence matrix: how many neighbours of a voxel are like it."""

from pipeline.features.fast.level_sizes import LevelSizes, compute_emphases
from pipeline.features.fast.neighbourhood import Neighbourhoods

FEATURES = {
    "SmallDependenceEmphasis": "Small",
    "LargeDependenceEmphasis": "Large",
    "GrayLevelNonUniformity": "LevelNonUniformity",
    "DependenceNonUniformity": "SizeNonUniformity",
    "DependenceNonUniformityNormalized": "SizeNonUniformityNormalized",
    "GrayLevelVariance": "LevelVariance",
    "DependenceVariance": "SizeVariance",
    "DependenceEntropy": "Entropy",
    "LowGrayLevelEmphasis": "Low",
    "HighGrayLevelEmphasis": "High",
    "SmallDependenceLowGrayLevelEmphasis": "SmallLow",
    "SmallDependenceHighGrayLevelEmphasis": "SmallHigh",
    "LargeDependenceLowGrayLevelEmphasis": "LargeLow",
    "LargeDependenceHighGrayLevelEmphasis": "LargeHigh",
}
"""PyRadiomics' features and their names in :mod:`pipeline.features.fast.level_sizes`."""


def compute_gldm(neighbourhoods: Neighbourhoods) -> dict[str, float]:
    """Compute PyRadiomics' 14 GLDM features.

    Sun and Wee 1983, doi:10.1016/0734-189X(83)90032-4; IBSI: neighbouring grey level dependence
    matrix (REQY), where the size of a dependence counts the voxel itself.

    Parameters
    ----------
    neighbourhoods : Neighbourhoods
        Counted with ``gldm=True``.
    """
    table = neighbourhoods.dependence
    matrix = LevelSizes.from_table(table)
    with_itself = LevelSizes(matrix.levels, matrix.sizes + 1, matrix.counts)
    emphases = compute_emphases(with_itself)
    return {name: emphases[general] for name, general in FEATURES.items()}
