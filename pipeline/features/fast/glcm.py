"""Features of the grey level co-occurrence matrix (GLCM).

Formulas: IBSI reference manual (doi:10.1148/radiol.2020191145, LFYI) after Haralick 1973
(doi:10.1109/TSMC.1973.4309314), with the four-letter codes of the manual below; where PyRadiomics
3.0.1 differs (the small constant in logarithms, special cases), so does this.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.features.fast.angle_matrices import AngleMatrices, Floats, mean_over_angles
from pipeline.features.fast.cooccurrence_runs import TextureMatrices
from pipeline.features.fast.grey_levels import EPSILON, GreyLevels
from pipeline.features.fast.maximal_correlation import maximal_correlation


@dataclass(frozen=True, slots=True)
class _Joint:
    """Joint distribution of the levels of two neighbours, by angle.

    ``i`` and ``j`` are the two levels of each entry, ``p`` its probability; ``x`` and ``y``, shape
    (angles, levels), the distributions of i and j.
    """

    matrices: AngleMatrices
    i: Floats
    j: Floats
    p: Floats
    x: Floats
    y: Floats


def compute_glcm(
    matrices: TextureMatrices,
    levels: GreyLevels,
    wanted: frozenset[str] | None = None,
) -> dict[str, float]:
    """Compute the features of each angle, and average them.

    Parameters
    ----------
    matrices : TextureMatrices
        With co-occurrences.
    levels : GreyLevels
    wanted : frozenset of str, optional
        MCC, the only expensive feature, is left out where it is not in it.

    Returns
    -------
    dict of str to float
        By PyRadiomics' names, without the deprecated features; NaN where no angle has a value.
    """
    if matrices.cooccurrences is None:
        msg = "the co-occurrences were not counted"
        raise ValueError(msg)
    joint = _normalise(matrices.cooccurrences, levels)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = (
            _of_levels(joint)
            | _of_differences(joint, levels.highest)
            | _of_sums(joint, levels.highest)
            | _of_probabilities(joint)
            | _of_information(joint)
        )
    features = mean_over_angles(values)
    if joint.matrices.directions == 1 and not joint.matrices.angles and len(levels.present) == 1:
        features["InverseVariance"] = 0.0  # the only matrix is empty: PyRadiomics sums up nothing
    if wanted is None or "MCC" in wanted:
        found = maximal_correlation(joint.matrices, joint.p, joint.x, joint.y)
        features["MCC"] = _mean_mcc(found, joint.matrices)
    return features


def _normalise(matrices: AngleMatrices, levels: GreyLevels) -> _Joint:
    number = len(levels.present)
    grey = levels.present.astype(np.float64)
    p = matrices.count / matrices.sum(matrices.count)[matrices.angle]
    return _Joint(
        matrices,
        i=grey[matrices.row],
        j=grey[matrices.column],
        p=p,
        x=matrices.sum_by(matrices.row, number, p),
        y=matrices.sum_by(matrices.column, number, p),
    )


def _of_levels(joint: _Joint) -> dict[str, Floats]:
    """Moments of the two levels."""
    i, j, p, angle = joint.i, joint.j, joint.p, joint.matrices.angle
    total = joint.matrices.sum
    mean_x, mean_y = total(i * p), total(j * p)
    from_x, from_y = i - mean_x[angle], j - mean_y[angle]
    from_both = i + j - mean_x[angle] - mean_y[angle]
    square = from_both**2
    variance_x = total(p * from_x**2)
    deviations = np.sqrt(variance_x) * np.sqrt(total(p * from_y**2))
    correlation = total(p * from_x * from_y) / (deviations + EPSILON)
    return {
        "Autocorrelation": total(p * (i * j)),  # QWB0
        "JointAverage": mean_x,  # 60VM
        "ClusterTendency": total(p * square),  # DG8W
        "ClusterShade": total(p * (square * from_both)),  # 7NFM
        "ClusterProminence": total(p * square**2),  # AE86
        "Contrast": total(p * (i - j) ** 2),  # ACUI
        "Correlation": np.where(deviations == 0, 1.0, correlation),  # NI2N; 1 for a single level
        "SumSquares": variance_x,  # UR99, joint variance
    }


def _of_differences(joint: _Joint, highest: int) -> dict[str, Floats]:
    """Features of the distribution of k = abs(i - j)."""
    difference = np.abs(joint.i - joint.j).astype(np.int64)
    p = joint.matrices.sum_by(difference, highest, joint.p)
    k = np.arange(highest, dtype=np.float64)
    average = p @ k
    return {
        "DifferenceAverage": average,  # TF7R
        "DifferenceVariance": (p * (k - average[:, np.newaxis]) ** 2).sum(axis=1),  # D3YU
        "DifferenceEntropy": _entropy(p),  # NTRS
        "Id": p @ (1 / (1 + k)),  # IB1Z, inverse difference
        "Idn": p @ (1 / (1 + k / highest)),  # NDRX, normalised
        "Idm": p @ (1 / (1 + k**2)),  # WF0Z, inverse difference moment
        "Idmn": p @ (1 / (1 + k**2 / highest**2)),  # 1QCO, normalised
        "InverseVariance": p[:, 1:] @ (1 / k[1:] ** 2),  # E8JP
    }


def _of_sums(joint: _Joint, highest: int) -> dict[str, Floats]:
    """Features of the distribution of k = i + j."""
    p = joint.matrices.sum_by((joint.i + joint.j).astype(np.int64) - 2, 2 * highest - 1, joint.p)
    k = np.arange(2, 2 * highest + 1, dtype=np.float64)
    return {"SumAverage": p @ k, "SumEntropy": _entropy(p)}  # ZGXS, P6QZ


def _of_probabilities(joint: _Joint) -> dict[str, Floats]:
    """Features of the probabilities alone."""
    highest = np.zeros(joint.matrices.angles)
    np.maximum.at(highest, joint.matrices.angle, joint.p)
    return {
        "JointEnergy": joint.matrices.sum(joint.p**2),  # 8ZQL, angular second moment
        "MaximumProbability": highest,  # GYBY
    }


def _of_information(joint: _Joint) -> dict[str, Floats]:
    """Joint entropy (TU9B) and the information correlations 1 (R8DG) and 2 (JN9H).

    An angle at which i and j are independent gives 0, or NaN by rounding, as in PyRadiomics.
    """
    p = joint.p
    entropy = -joint.matrices.sum(p * np.log2(p + EPSILON))
    cross = np.empty_like(entropy)
    product = np.empty_like(entropy)
    for number, entries in enumerate(joint.matrices.slices()):
        independent = joint.x[number][:, np.newaxis] * joint.y[number]
        logarithm = np.log2(independent + EPSILON)
        row, column = joint.matrices.row[entries], joint.matrices.column[entries]
        cross[number] = -_sum_in_turn(p[entries] * logarithm[row, column])
        product[number] = -_sum_in_turn(independent * logarithm)
    larger = np.fmax(_entropy(joint.x), _entropy(joint.y))
    second = np.sqrt(1 - np.exp(-2 * (product - entropy)))
    return {
        "JointEntropy": entropy,
        "Imc1": np.where(larger == 0, 0.0, (entropy - cross) / larger),
        "Imc2": np.where(product == entropy, 0.0, second),
    }


def _entropy(p: Floats) -> Floats:
    """Entropy in bits along the last axis."""
    return np.asarray(-(p * np.log2(p + EPSILON)).sum(axis=-1))


def _sum_in_turn(values: npt.NDArray[np.float64]) -> float:
    """Sum up from the first to the last; see :meth:`AngleMatrices.sum`."""
    return float(np.cumsum(values)[-1])


def _mean_mcc(found: Floats, matrices: AngleMatrices) -> float:
    """Average over angles; PyRadiomics gives 1 for a single level, if not all of it is empty."""
    if matrices.shape[0] == 1 and (matrices.angles or matrices.directions > 1):
        return 1.0
    return mean_over_angles({"MCC": found})["MCC"]
