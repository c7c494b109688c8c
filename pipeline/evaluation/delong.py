"""Area under the ROC curve with DeLong's variance: one predictor, or two on the same patients."""

from dataclasses import dataclass
from math import isfinite, nan, sqrt

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import norm, rankdata

from pipeline.evaluation.estimate import Estimate
from pipeline.evaluation.outcomes import Bools, Floats, check_outcomes


@dataclass(frozen=True, slots=True)
class PairedTest:
    """A difference between two predictors on the same patients.

    Parameters
    ----------
    difference : Estimate
        First minus second, with its interval.
    p_value : float
        Two-sided, of no difference; NaN where it is undefined.
    """

    difference: Estimate
    p_value: float


def estimate_auc(y_true: npt.ArrayLike, p: npt.ArrayLike, level: float) -> Estimate:
    """Return the AUC with DeLong's interval on the logit scale.

    The logit keeps the limits within 0 and 1 and covers better than the plain interval in small
    cohorts. Where DeLong's variance vanishes (perfect separation) or needs a second patient of a
    class, Newcombe's interval stands in: a perfect order of 22 patients is no proof of AUC 1.

    The interval describes other patients scored by these predictions; it does not include that
    another training cohort would have given another model.

    Parameters
    ----------
    y_true : array-like of {0, 1}, shape (n,)
        Outcomes.
    p : array-like, shape (n,)
        Probabilities; only their order matters, ties count one half.
    level : float
        Confidence level.

    Raises
    ------
    ModelingError
        If the arrays are unfit, see :func:`pipeline.evaluation.outcomes.check_outcomes`.

    References
    ----------
    DeLong et al., Biometrics 1988;44:837, doi 10.2307/2531595. Sun & Xu, IEEE Signal Process Lett
    2014;21:1389, doi 10.1109/LSP.2014.2337313 (ranks). Qin & Hotilovac, Stat Methods Med Res
    2008;17:207 (logit).
    """
    outcomes, probabilities = check_outcomes(y_true, p)
    aucs, covariance = _auc_covariance(outcomes, probabilities[np.newaxis])
    auc, variance = float(aucs[0]), float(covariance[0, 0])
    if not (isfinite(variance) and variance > 0 and 0 < auc < 1):
        return newcombe_interval(auc, int(outcomes.sum()), int((~outcomes).sum()), level)
    reach = norm.ppf((1 + level) / 2) * sqrt(variance) / (auc * (1 - auc))
    return Estimate(auc, float(expit(logit(auc) - reach)), float(expit(logit(auc) + reach)))


def compare_aucs(
    y_true: npt.ArrayLike, first: npt.ArrayLike, second: npt.ArrayLike, level: float
) -> PairedTest:
    """Test whether two predictors order the same patients equally well (paired DeLong test).

    Parameters
    ----------
    y_true : array-like of {0, 1}, shape (n,)
        Outcomes.
    first, second : array-like, shape (n,)
        Probabilities of the same patients in the same order.
    level : float
        Confidence level of the difference (plain interval).

    Raises
    ------
    ModelingError
        If the arrays are unfit.

    References
    ----------
    DeLong et al., Biometrics 1988;44:837, doi 10.2307/2531595.
    """
    outcomes, one = check_outcomes(y_true, first)
    _, other = check_outcomes(y_true, second)
    aucs, covariance = _auc_covariance(outcomes, np.stack([one, other]))
    difference = float(aucs[0] - aucs[1])
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    if np.array_equal(rankdata(one), rankdata(other)):
        return PairedTest(Estimate(0.0, 0.0, 0.0), 1.0)
    if not (isfinite(variance) and variance > 0):
        return PairedTest(Estimate(difference, nan, nan), nan)
    error = sqrt(variance)
    reach = float(norm.ppf((1 + level) / 2)) * error
    p_value = float(2 * norm.sf(abs(difference) / error))
    return PairedTest(Estimate(difference, difference - reach, difference + reach), p_value)


def newcombe_interval(auc: float, positives: int, negatives: int, level: float) -> Estimate:
    """Return Newcombe's score-like interval of an AUC (his method 5), defined also at 0 and 1.

    References
    ----------
    Newcombe, Stat Med 2006;25:559, doi 10.1002/sim.2324.
    """
    quantile = float(norm.ppf((1 + level) / 2))

    def excess(theta: float) -> float:
        spread = (1 - theta) / (2 - theta) + theta / (1 + theta)
        variance = theta * (1 - theta) * (1 + ((positives + negatives) / 2 - 1) * spread)
        return (auc - theta) ** 2 - quantile**2 * variance / (positives * negatives)

    # The excess is positive (or zero) at 0 and at 1 and negative at the AUC itself.
    low = 0.0 if auc == 0 else float(brentq(excess, 0.0, auc - _just_off(auc)))
    high = 1.0 if auc == 1 else float(brentq(excess, auc + _just_off(1 - auc), 1.0))
    return Estimate(auc, low, high)


def _just_off(room: float) -> float:
    # At an AUC of exactly 0 or 1 the excess has a second root there; start beside it.
    return 1e-9 * room


def _auc_covariance(outcomes: Bools, probabilities: Floats) -> tuple[Floats, Floats]:
    """Return AUCs, shape (k,), and their covariance, (k, k), of k predictors, (k, n)."""
    positives, negatives = probabilities[:, outcomes], probabilities[:, ~outcomes]
    m, n = positives.shape[1], negatives.shape[1]
    together = rankdata(np.concatenate([positives, negatives], axis=1), axis=1)
    # A placement is the share of the other class that a patient is ranked above (ties one half).
    of_positives = (together[:, :m] - rankdata(positives, axis=1)) / n
    of_negatives = 1 - (together[:, m:] - rankdata(negatives, axis=1)) / m
    return of_positives.mean(axis=1), _covariance(of_positives) / m + _covariance(of_negatives) / n


def _covariance(placements: Floats) -> Floats:
    if placements.shape[1] < 2:
        return np.full((len(placements), len(placements)), nan)
    return np.atleast_2d(np.cov(placements))
