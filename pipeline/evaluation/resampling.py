"""Bootstrap over patients as weights, so that all resamples are computed at once."""

from math import nan

import numpy as np
import numpy.typing as npt

from pipeline.evaluation.estimate import UNDEFINED, Estimate
from pipeline.evaluation.outcomes import Floats

MIN_DEFINED_SHARE = 0.9
"""Share of resamples in which a figure must be defined for its interval to be given."""


def draw_resamples(patients: int, count: int, seed: int) -> Floats:
    """Draw bootstrap resamples of patients.

    Parameters
    ----------
    patients : int
        Patients in the cohort.
    count : int
        Resamples.
    seed : int
        Same seed, same resamples: figures of different predictors stay paired.

    Returns
    -------
    numpy.ndarray, shape (count, patients)
        How often each patient was drawn.
    """
    generator = np.random.default_rng(seed)
    shares = np.full(patients, 1 / patients)
    return generator.multinomial(patients, shares, size=count).astype(np.float64)


def once_each(patients: int) -> Floats:
    """Return the weights of the cohort itself, shape (1, patients)."""
    return np.ones((1, patients))


def percentile_interval(value: float, resampled: npt.ArrayLike, level: float) -> Estimate:
    """Return a value with the percentile interval of its resamples.

    Resamples where the figure is undefined (NaN: one class only) are left out; the interval is
    undefined where they are more than a tenth.

    References
    ----------
    Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
    """
    values = np.asarray(resampled, dtype=np.float64)
    defined = values[np.isfinite(values)]
    if not np.isfinite(value):
        return UNDEFINED
    if len(defined) < MIN_DEFINED_SHARE * len(values):
        return Estimate(value, nan, nan)
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value, float(low), float(high))
