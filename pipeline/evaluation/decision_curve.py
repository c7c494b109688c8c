"""Decision curves: acting on the prediction against acting on nobody or on everybody."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.evaluation.outcomes import Floats, check_outcomes
from pipeline.evaluation.resampling import once_each, percentile_interval


def net_benefits(
    y_true: npt.ArrayLike, p: npt.ArrayLike, thresholds: npt.ArrayLike, weights: Floats
) -> Floats:
    """Return the net benefit at each threshold, for the cohort and all its resamples.

    Net benefit = TP/n - FP/n * t/(1 - t): true positives a patient, false positives counted at
    the odds t/(1 - t) of the threshold. At t = 0.90 one false positive outweighs nine true ones.

    Parameters
    ----------
    y_true, p : array-like, shape (n,)
        Outcomes and probabilities; positive where p >= t.
    thresholds : array-like, shape (k,)
        Below 1.
    weights : numpy.ndarray, shape (resamples, n)
        How often each patient counts.

    Returns
    -------
    numpy.ndarray, shape (resamples, k)

    Raises
    ------
    ModelingError
        If the arrays are unfit.

    References
    ----------
    Vickers & Elkin, Med Decis Making 2006;26:565, doi 10.1177/0272989X06295361.
    """
    outcomes, probabilities = check_outcomes(y_true, p)
    cuts = np.asarray(thresholds, dtype=np.float64)
    called = probabilities[:, np.newaxis] >= cuts
    gain = called & outcomes[:, np.newaxis]
    harm = called & ~outcomes[:, np.newaxis]
    worth = gain - harm * (cuts / (1 - cuts))
    benefits: Floats = weights @ worth / weights.sum(axis=1, keepdims=True)
    return benefits


def decision_curve(
    y_true: npt.ArrayLike,
    p: npt.ArrayLike,
    thresholds: npt.ArrayLike,
    resamples: Floats,
    level: float,
) -> pd.DataFrame:
    """Return the net benefit at each threshold with bootstrap intervals.

    Parameters
    ----------
    y_true, p, thresholds : array-like
        As in :func:`net_benefits`.
    resamples : numpy.ndarray, shape (count, n)
        From :func:`pipeline.evaluation.resampling.draw_resamples`.
    level : float
        Confidence level of the pointwise percentile intervals.

    Returns
    -------
    pandas.DataFrame
        ``threshold, net_benefit, net_benefit_low, net_benefit_high, treat_all, treat_none``.
    """
    outcomes, _ = check_outcomes(y_true, p)
    cuts = np.asarray(thresholds, dtype=np.float64)
    points = net_benefits(y_true, p, cuts, once_each(len(outcomes)))[0]
    drawn = net_benefits(y_true, p, cuts, resamples)
    spans = [
        percentile_interval(float(point), drawn[:, index], level)
        for index, point in enumerate(points)
    ]
    everyone = net_benefits(y_true, np.ones(len(outcomes)), cuts, once_each(len(outcomes)))[0]
    return pd.DataFrame(
        {
            "threshold": cuts,
            "net_benefit": points,
            "net_benefit_low": [span.low for span in spans],
            "net_benefit_high": [span.high for span in spans],
            "treat_all": everyone,
            "treat_none": 0.0,
        }
    )
