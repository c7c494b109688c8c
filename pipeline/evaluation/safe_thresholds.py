"""Thresholds beyond which a prediction is proven right often enough, if there are any."""

from dataclasses import dataclass
from math import nan

import numpy as np
import numpy.typing as npt

from pipeline.evaluation.estimate import Estimate
from pipeline.evaluation.outcomes import Bools, Floats, check_outcomes
from pipeline.evaluation.proportions import count_needed, exact_limits, exact_proportion


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeThreshold:
    """A threshold whose predictive value is proven, or how far the cohort is from one.

    Parameters
    ----------
    threshold : float or None
        None where no threshold reaches the bound.
    bound : float
        What the lower exact limit must reach.
    value : Estimate
        The predictive value at the threshold; NaN with limits 0 and 1 where there is none.
    called : int
        Patients on that side of the threshold.
    needed_without_miss : int
        Patients that would have to be called, all of them rightly, to prove the bound.
    """

    threshold: float | None
    bound: float
    value: Estimate
    called: int
    needed_without_miss: int


def find_rule_in(
    y_true: npt.ArrayLike, p: npt.ArrayLike, bound: float, level: float
) -> SafeThreshold:
    """Find the lowest threshold whose PPV has a lower exact limit of at least ``bound``.

    Many thresholds are looked at, so the true PPV of the one found may be below the bound more
    often than the level says; confirm it on other patients.

    Raises
    ------
    ModelingError
        If the arrays are unfit.
    """
    outcomes, probabilities = check_outcomes(y_true, p)
    thresholds = np.unique(probabilities)
    called = np.array([probabilities >= threshold for threshold in thresholds])
    return _first_safe(thresholds, called, outcomes, bound, level)


def find_rule_out(
    y_true: npt.ArrayLike, p: npt.ArrayLike, bound: float, level: float
) -> SafeThreshold:
    """Find the highest threshold below which the NPV has a lower exact limit of at least ``bound``.

    A patient is below where p < threshold. The same caution as in :func:`find_rule_in` holds.

    Raises
    ------
    ModelingError
        If the arrays are unfit.
    """
    outcomes, probabilities = check_outcomes(y_true, p)
    values = np.unique(probabilities)
    thresholds = np.append(values[1:], np.nextafter(values[-1], 2.0))[::-1]
    called = np.array([probabilities < threshold for threshold in thresholds])
    return _first_safe(thresholds, called, ~outcomes, bound, level)


def _first_safe(
    thresholds: Floats, called: Bools, right: Bools, bound: float, level: float
) -> SafeThreshold:
    hits, totals = (called & right).sum(axis=1), called.sum(axis=1)
    safe = np.flatnonzero(exact_limits(hits, totals, level)[0] >= bound)
    needed = count_needed(bound, 0, level)
    if safe.size == 0:
        return SafeThreshold(
            threshold=None,
            bound=bound,
            value=Estimate(nan, 0.0, 1.0),
            called=0,
            needed_without_miss=needed,
        )
    first = int(safe[0])
    return SafeThreshold(
        threshold=float(thresholds[first]),
        bound=bound,
        value=exact_proportion(int(hits[first]), int(totals[first]), level),
        called=int(totals[first]),
        needed_without_miss=needed,
    )
