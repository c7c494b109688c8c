"""Intervals and tests over cross-validation folds, whose training sets share patients."""

from math import isfinite, nan, sqrt

import numpy as np
import numpy.typing as npt
from scipy.stats import t

from pipeline.evaluation.delong import PairedTest
from pipeline.evaluation.estimate import UNDEFINED, Estimate


def estimate_fold_mean(values: npt.ArrayLike, test_to_train: float, level: float) -> Estimate:
    """Return the mean of a figure over folds with Nadeau and Bengio's corrected interval.

    Training sets of different folds share patients, so the folds' values are not independent and
    their plain standard error is too small. The correction widens it by the ratio of test to
    training patients.

    Parameters
    ----------
    values : array-like, shape (folds,)
        One figure an outer fold of every repeat; NaN where it is undefined, left out.
    test_to_train : float
        Patients tested over patients trained on: 1 / (k - 1) with k folds.
    level : float
        Confidence level.

    Returns
    -------
    Estimate
        Undefined with fewer than two folds.

    References
    ----------
    Nadeau & Bengio, Mach Learn 2003;52:239, doi 10.1023/A:1024068626366; Bouckaert & Frank 2004,
    doi 10.1007/978-3-540-24775-3_3 (repeated cross-validation).
    """
    mean, error, freedom = _mean_and_error(values, test_to_train)
    if freedom < 1:
        return UNDEFINED
    reach = float(t.ppf((1 + level) / 2, freedom)) * error
    return Estimate(mean, mean - reach, mean + reach)


def compare_folds(
    first: npt.ArrayLike, second: npt.ArrayLike, test_to_train: float, level: float
) -> PairedTest:
    """Test whether two procedures differ over identical folds (corrected resampled t-test).

    Parameters
    ----------
    first, second : array-like, shape (folds,)
        The figure of each procedure in each fold, in one order.
    test_to_train, level : float
        As in :func:`estimate_fold_mean`.

    References
    ----------
    Nadeau & Bengio, Mach Learn 2003;52:239, doi 10.1023/A:1024068626366.
    """
    differences = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    difference = estimate_fold_mean(differences, test_to_train, level)
    mean, error, freedom = _mean_and_error(differences, test_to_train)
    if freedom < 1 or not isfinite(mean):
        return PairedTest(difference, nan)
    if error == 0:
        return PairedTest(difference, 1.0 if mean == 0 else nan)
    return PairedTest(difference, float(2 * t.sf(abs(mean) / error, freedom)))


def _mean_and_error(values: npt.ArrayLike, test_to_train: float) -> tuple[float, float, int]:
    numbers = np.asarray(values, dtype=np.float64)
    numbers = numbers[np.isfinite(numbers)]
    if len(numbers) < 2:
        return nan, nan, 0
    variance = (1 / len(numbers) + test_to_train) * float(numbers.var(ddof=1))
    return float(numbers.mean()), sqrt(variance), len(numbers) - 1
