"""Proportions with exact intervals, and how many patients a bound takes to prove."""

from math import nan

import numpy as np
import numpy.typing as npt
from scipy.stats import beta

from pipeline.evaluation.estimate import Estimate
from pipeline.evaluation.outcomes import Floats


def exact_limits(
    successes: npt.ArrayLike, totals: npt.ArrayLike, level: float
) -> tuple[Floats, Floats]:
    """Return the exact two-sided limits of binomial proportions.

    Parameters
    ----------
    successes, totals : array-like of int
        Of shapes that broadcast. A total of 0 gives the limits 0 and 1.
    level : float
        Confidence level, such as 0.95; half of the error on each side.

    Returns
    -------
    (numpy.ndarray, numpy.ndarray)
        Lower and upper limits.

    References
    ----------
    Clopper & Pearson, Biometrika 1934;26:404, doi 10.2307/2331986.
    """
    hits, count = np.broadcast_arrays(np.asarray(successes), np.asarray(totals))
    error = (1 - level) / 2
    # The beta quantiles are undefined (NaN) where a parameter is 0: there the limit is 0 or 1.
    low = np.where(hits == 0, 0.0, beta.ppf(error, hits, count - hits + 1))
    high = np.where(hits == count, 1.0, beta.ppf(1 - error, hits + 1, count - hits))
    return low, high


def exact_proportion(successes: int, total: int, level: float) -> Estimate:
    """Return a proportion with its exact interval; the value is NaN where the total is 0."""
    low, high = exact_limits(successes, total, level)
    return Estimate(successes / total if total else nan, float(low), float(high))


def count_needed(bound: float, misses: int, level: float) -> int:
    """Return the smallest number of predictions that proves a proportion, given some misses.

    Proving means that the lower exact limit of ``(n - misses) / n`` reaches ``bound``. With
    bound 0.90 and level 0.95: 36 predictions without a miss, 54 with one, 70 with two.

    Parameters
    ----------
    bound : float
        Between 0 and 1, both excluded.
    misses : int
        Wrong predictions among them.
    level : float
        Confidence level of the two-sided interval.
    """
    count = misses + 1
    while exact_limits(count - misses, count, level)[0] < bound:
        count += 1
    return count
