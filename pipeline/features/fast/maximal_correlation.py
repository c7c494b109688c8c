"""Maximal correlation coefficient (MCC) of co-occurrence matrices.

The square root of the second largest eigenvalue of Q(i, j) = sum over k of
p(i, k) p(j, k) / (px(i) py(k)) (Haralick 1973, doi:10.1109/TSMC.1973.4309314, feature 14). Q is
similar to F F^T with F(i, k) = p(i, k) / sqrt(px(i) py(k)), so the coefficient is the second
largest singular value of F.

PyRadiomics 3.0.1 adds a small constant to px(i) py(k) and takes the eigenvalues of Q. So added to
the divisor of F it changes the squared coefficient by the same amount to first order in
constant / (px py); what is left is of second order.
"""

import numpy as np

from pipeline.features.fast.angle_matrices import AngleMatrices, Floats
from pipeline.features.fast.grey_levels import EPSILON

LARGEST_SHARE = 1e-3
"""Up to this share of the constant in a divisor, F is used: the error is below 2e-7.

Beyond it (levels of one or two voxels that are neighbours, in regions of a million voxels), Q."""


def maximal_correlation(matrices: AngleMatrices, p: Floats, x: Floats, y: Floats) -> Floats:
    """Compute the coefficient of each angle.

    Parameters
    ----------
    matrices : AngleMatrices
    p : numpy.ndarray, shape (entries,)
        Probabilities.
    x, y : numpy.ndarray, shape (angles, levels)
        Distributions of rows and columns.

    Returns
    -------
    numpy.ndarray, shape (angles,)
        NaN with a single level.
    """
    if matrices.shape[0] < 2:
        return np.full(matrices.angles, np.nan)
    found = np.empty(matrices.angles)
    for number, entries in enumerate(matrices.slices()):
        joint = np.zeros(matrices.shape)
        joint[matrices.row[entries], matrices.column[entries]] = p[entries]
        found[number] = _second_singular_value(joint, x[number], y[number])
    return found


def _second_singular_value(joint: Floats, x: Floats, y: Floats) -> float:
    divisor = np.outer(x, y) + EPSILON
    if LARGEST_SHARE * divisor[joint > 0].min() < EPSILON:
        return _of_q(joint, divisor)
    scaled = joint / np.sqrt(divisor)
    if np.array_equal(joint, joint.T):
        return float(np.sort(np.abs(np.linalg.eigvalsh(scaled)))[-2])
    return float(np.linalg.svd(scaled, compute_uv=False)[1])


def _of_q(joint: Floats, divisor: Floats) -> float:
    q = (joint / divisor) @ joint.T
    return float(np.sqrt(np.sort(np.linalg.eigvals(q))[-2]).real)
