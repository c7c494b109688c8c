"""The ROC curve with a pointwise band."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import roc_curve

from pipeline.evaluation.outcomes import Floats, check_outcomes

GRID = np.linspace(0, 1, 101)
"""False positive rates at which the band is given."""


def roc_points(y_true: npt.ArrayLike, p: npt.ArrayLike) -> pd.DataFrame:
    """Return the corners of the ROC curve: ``false_positive_rate, true_positive_rate``.

    Raises
    ------
    ModelingError
        If the arrays are unfit.
    """
    outcomes, probabilities = check_outcomes(y_true, p)
    false_rate, true_rate, _ = roc_curve(outcomes, probabilities)
    return pd.DataFrame({"false_positive_rate": false_rate, "true_positive_rate": true_rate})


def roc_band(
    y_true: npt.ArrayLike, p: npt.ArrayLike, resamples: Floats, level: float
) -> pd.DataFrame:
    """Return the pointwise bootstrap band of the true positive rate.

    Parameters
    ----------
    y_true, p : array-like, shape (n,)
        Outcomes and probabilities.
    resamples : numpy.ndarray, shape (count, n)
        How often each patient was drawn; resamples with one class are left out.
    level : float
        Confidence level, at each false positive rate by itself.

    Returns
    -------
    pandas.DataFrame
        ``false_positive_rate, true_positive_rate_low, true_positive_rate_high``.

    Raises
    ------
    ModelingError
        If the arrays are unfit.
    """
    outcomes, probabilities = check_outcomes(y_true, p)
    order = np.argsort(-probabilities, kind="stable")
    positive = outcomes[order]
    last_of_value = np.append(np.diff(probabilities[order]) != 0, True)
    true_counts = np.cumsum(resamples[:, order] * positive, axis=1)
    false_counts = np.cumsum(resamples[:, order] * ~positive, axis=1)
    curves = [
        np.interp(
            GRID,
            np.concatenate([[0.0], false[last_of_value] / false[-1]]),
            np.concatenate([[0.0], true[last_of_value] / true[-1]]),
        )
        for true, false in zip(true_counts, false_counts, strict=True)
        if true[-1] > 0 and false[-1] > 0
    ]
    low, high = np.quantile(curves, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return pd.DataFrame(
        {
            "false_positive_rate": GRID,
            "true_positive_rate_low": low,
            "true_positive_rate_high": high,
        }
    )
