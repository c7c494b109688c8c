"""Where the standard defines a feature otherwise than PyRadiomics.

IBSI reference manual, doi:10.1148/radiol.2020191145, arXiv:1612.07003.
"""

from math import nan, sqrt

AXIS_LENGTHS = ("MajorAxisLength", "MinorAxisLength", "LeastAxisLength")
"""TDIC, P9VJ, 7J51."""


def redefine_firstorder(values: dict[str, float]) -> dict[str, float]:
    """Make Kurtosis the excess over that of a normal distribution (IPH6).

    Parameters
    ----------
    values : dict of str to float
        PyRadiomics' features of the class ``firstorder``; a flat region's Kurtosis stays 0.
    """
    excess = values["Kurtosis"] - 3 if values["Variance"] else 0.0
    return {**values, "Kurtosis": excess}


def redefine_shape(values: dict[str, float], voxels: int) -> dict[str, float]:
    """Take axis lengths from the unbiased covariance, by number of voxels less one.

    Parameters
    ----------
    values : dict of str to float
        PyRadiomics' features of the class ``shape``.
    voxels : int
        Of the region; a single one has no axes.
    """
    factor = sqrt(voxels / (voxels - 1)) if voxels > 1 else nan
    return {**values, **{name: values[name] * factor for name in AXIS_LENGTHS}}
