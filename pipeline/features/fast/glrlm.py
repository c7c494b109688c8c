"""Features of the grey level run length matrix (GLRLM).

Formulas: IBSI reference manual (doi:10.1148/radiol.2020191145, TP0I) after Galloway 1975
(doi:10.1016/S0146-664X(75)80008-6), with the four-letter codes of the manual below; the entropy has
PyRadiomics' small constant in the logarithm.
"""

import numpy as np

from pipeline.features.fast.angle_matrices import AngleMatrices, Floats, mean_over_angles
from pipeline.features.fast.cooccurrence_runs import TextureMatrices
from pipeline.features.fast.grey_levels import EPSILON, GreyLevels


def compute_glrlm(matrices: TextureMatrices, levels: GreyLevels) -> dict[str, float]:
    """Compute the features of each angle, and average them.

    Parameters
    ----------
    matrices : TextureMatrices
        With runs.
    levels : GreyLevels

    Returns
    -------
    dict of str to float
        By PyRadiomics' names; NaN where no angle has a value.
    """
    runs = matrices.runs
    if runs is None:
        msg = "the runs were not counted"
        raise ValueError(msg)
    grey = levels.present.astype(np.float64)
    number = runs.sum(runs.count)
    by_level = runs.sum_by(runs.row, runs.shape[0], runs.count)
    by_length = runs.sum_by(runs.column, runs.shape[1], runs.count)
    values = _of_lengths(by_length, number) | _of_levels(by_level, grey, number)
    features = mean_over_angles(values | _of_both(runs, grey, number))
    if runs.directions == 1 and not runs.angles:
        # No run in the only matrix: PyRadiomics' sums over the lengths that occur are empty.
        features |= {"RunVariance": 0.0, "RunEntropy": 0.0}
    return features


def _of_lengths(runs: Floats, number: Floats) -> dict[str, Floats]:
    """Features of the runs of each length, shape (angles, lengths)."""
    length = np.arange(1.0, runs.shape[1] + 1)
    share = runs / number[:, np.newaxis]
    return {
        "ShortRunEmphasis": runs @ (1 / length**2) / number,  # 22OV
        "LongRunEmphasis": runs @ length**2 / number,  # W4KF
        "RunLengthNonUniformity": (runs**2).sum(axis=1) / number,  # W92Y
        "RunLengthNonUniformityNormalized": (runs**2).sum(axis=1) / number**2,  # IC23
        "RunPercentage": number / (runs @ length),  # 9ZK5
        "RunVariance": _variance(share, length),  # SXLW
    }


def _of_levels(runs: Floats, grey: Floats, number: Floats) -> dict[str, Floats]:
    """Features of the runs of each level, shape (angles, levels)."""
    share = runs / number[:, np.newaxis]
    return {
        "GrayLevelNonUniformity": (runs**2).sum(axis=1) / number,  # R5YN
        "GrayLevelNonUniformityNormalized": (runs**2).sum(axis=1) / number**2,  # OVBL
        "GrayLevelVariance": _variance(share, grey),  # 8CE5
        "LowGrayLevelRunEmphasis": runs @ (1 / grey**2) / number,  # V3SW
        "HighGrayLevelRunEmphasis": runs @ grey**2 / number,  # G3QZ
    }


def _of_both(runs: AngleMatrices, grey: Floats, number: Floats) -> dict[str, Floats]:
    """Features of level and length together."""
    level, length = grey[runs.row] ** 2, (runs.column + 1.0) ** 2
    p = runs.count / number[runs.angle]
    return {
        "ShortRunLowGrayLevelEmphasis": runs.sum(p / (level * length)),  # HTZT
        "ShortRunHighGrayLevelEmphasis": runs.sum(p * level / length),  # GD3A
        "LongRunLowGrayLevelEmphasis": runs.sum(p * length / level),  # IVPO
        "LongRunHighGrayLevelEmphasis": runs.sum(p * (length * level)),  # 3KUM
        "RunEntropy": -runs.sum(p * np.log2(p + EPSILON)),  # HJ9O
    }


def _variance(share: Floats, value: Floats) -> Floats:
    mean = share @ value
    return np.asarray((share * (value - mean[:, np.newaxis]) ** 2).sum(axis=1))
