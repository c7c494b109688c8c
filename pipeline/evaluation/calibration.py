"""Whether probabilities mean what they say: intercept, slope, and the curve by groups."""

from math import sqrt

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression

from pipeline.evaluation.estimate import UNDEFINED, Estimate
from pipeline.evaluation.outcomes import Bools, Floats, check_outcomes
from pipeline.evaluation.proportions import exact_limits
from pipeline.evaluation.scores import SMALLEST_PROBABILITY


def calibration_intercept(y_true: npt.ArrayLike, p: npt.ArrayLike, level: float) -> Estimate:
    """Return calibration-in-the-large: the shift of the logits that makes their mean right.

    0 is right; above 0 the outcome is more frequent than predicted. The slope is held at 1. Wald
    interval.

    Raises
    ------
    ModelingError
        If the arrays are unfit.

    References
    ----------
    Van Calster et al., BMC Med 2019;17:230, doi 10.1186/s12916-019-1466-7.
    """
    outcomes, probabilities = check_outcomes(y_true, p)
    logits = _logits(probabilities)
    events = outcomes.sum()
    # Expected minus observed events grows with the shift; +-40 spans every clipped logit.
    shift = float(brentq(lambda value: expit(logits + value).sum() - events, -40.0, 40.0))
    expected = expit(logits + shift)
    return _wald(shift, 1 / sqrt((expected * (1 - expected)).sum()), level)


def calibration_slope(y_true: npt.ArrayLike, p: npt.ArrayLike, level: float) -> Estimate:
    """Return the slope of the outcome's logistic regression on the predicted logits.

    1 is right; below 1 the probabilities are too extreme, above 1 too timid. Undefined where all
    probabilities are equal or separate the classes perfectly. Wald interval.

    Raises
    ------
    ModelingError
        If the arrays are unfit.

    References
    ----------
    Cox, Biometrika 1958;45:562, doi 10.1093/biomet/45.3-4.562; Van Calster et al. 2019, see above.
    """
    outcomes, probabilities = check_outcomes(y_true, p)
    logits = _logits(probabilities)
    if _no_finite_slope(outcomes, logits):
        return UNDEFINED
    center, scale = logits.mean(), logits.std()
    standard = ((logits - center) / scale)[:, np.newaxis]
    fit = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(standard, outcomes)
    expected = fit.predict_proba(standard)[:, 1]
    weight = expected * (1 - expected)
    spread = standard[:, 0] - np.average(standard[:, 0], weights=weight)
    error = 1 / sqrt((weight * spread**2).sum())
    return _wald(float(fit.coef_[0, 0] / scale), float(error / scale), level)


def calibration_groups(
    y_true: npt.ArrayLike, p: npt.ArrayLike, groups: int, level: float
) -> pd.DataFrame:
    """Compare mean probability and share of events in groups of about equal size.

    Patients with one probability stay in one group, so there may be fewer groups than asked for.

    Parameters
    ----------
    y_true, p : array-like, shape (n,)
        Outcomes and probabilities.
    groups : int
        Groups asked for.
    level : float
        Confidence level of the exact intervals.

    Returns
    -------
    pandas.DataFrame
        One row a group: ``mean_probability, observed, observed_low, observed_high, patients,
        events``.

    Raises
    ------
    ModelingError
        If the arrays are unfit.
    """
    outcomes, probabilities = check_outcomes(y_true, p)
    edges = np.quantile(probabilities, np.arange(1, groups) / groups)
    member = np.searchsorted(edges, probabilities, side="left")
    table = (
        pd.DataFrame({"p": probabilities, "y": outcomes})
        .groupby(member)
        .agg(mean_probability=("p", "mean"), patients=("y", "size"), events=("y", "sum"))
        .reset_index(drop=True)
    )
    low, high = exact_limits(table["events"], table["patients"], level)
    return table.assign(
        observed=table["events"] / table["patients"], observed_low=low, observed_high=high
    )[["mean_probability", "observed", "observed_low", "observed_high", "patients", "events"]]


def _no_finite_slope(outcomes: Bools, logits: Floats) -> bool:
    """Tell whether the logits are constant or separate the classes (ties at the edge included)."""
    with_event, without = logits[outcomes], logits[~outcomes]
    return bool(
        logits.max() - logits.min() < 1e-9
        or without.max() <= with_event.min()
        or with_event.max() <= without.min()
    )


def _logits(p: Floats) -> Floats:
    return logit(np.clip(p, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY))


def _wald(value: float, error: float, level: float) -> Estimate:
    reach = float(norm.ppf((1 + level) / 2)) * error
    return Estimate(value, value - reach, value + reach)
