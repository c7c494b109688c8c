"""What follows from calling patients positive above a threshold."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
import numpy.typing as npt

from pipeline.evaluation.estimate import Estimate
from pipeline.evaluation.outcomes import check_outcomes
from pipeline.evaluation.proportions import exact_limits, exact_proportion


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingPoint:
    """Counts and rates at one threshold; a patient is called positive where p >= threshold.

    Parameters
    ----------
    threshold : float
        Probability.
    true_positives, false_positives, false_negatives, true_negatives : int
        Patients.
    level : float
        Confidence level of the exact (Clopper-Pearson) intervals.
    """

    threshold: float
    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int
    level: float

    @property
    def sensitivity(self) -> Estimate:
        """Share of the patients with the outcome who are called positive."""
        positives = self.true_positives + self.false_negatives
        return exact_proportion(self.true_positives, positives, self.level)

    @property
    def specificity(self) -> Estimate:
        """Share of the patients without the outcome who are called negative."""
        negatives = self.true_negatives + self.false_positives
        return exact_proportion(self.true_negatives, negatives, self.level)

    @property
    def ppv(self) -> Estimate:
        """Share of those called positive who have the outcome, at this cohort's prevalence."""
        called = self.true_positives + self.false_positives
        return exact_proportion(self.true_positives, called, self.level)

    @property
    def npv(self) -> Estimate:
        """Share of those called negative who do not have it, at this cohort's prevalence."""
        called = self.true_negatives + self.false_negatives
        return exact_proportion(self.true_negatives, called, self.level)

    @property
    def accuracy(self) -> Estimate:
        """Share of right calls; compare with the no-information rate."""
        right = self.true_positives + self.true_negatives
        wrong = self.false_positives + self.false_negatives
        return exact_proportion(right, right + wrong, self.level)


def judge_threshold(
    y_true: npt.ArrayLike, p: npt.ArrayLike, threshold: float, level: float
) -> OperatingPoint:
    """Count right and wrong calls at a threshold.

    Raises
    ------
    ModelingError
        If the arrays are unfit.
    """
    outcomes, probabilities = check_outcomes(y_true, p)
    called = probabilities >= threshold
    return OperatingPoint(
        threshold=threshold,
        true_positives=int((called & outcomes).sum()),
        false_positives=int((called & ~outcomes).sum()),
        false_negatives=int((~called & outcomes).sum()),
        true_negatives=int((~called & ~outcomes).sum()),
        level=level,
    )


def describe_rates(point: OperatingPoint) -> Sequence[tuple[str, Estimate]]:
    """Return the rates of an operating point by name, in the order of reports."""
    return [
        ("sensitivity", point.sensitivity),
        ("specificity", point.specificity),
        ("ppv", point.ppv),
        ("npv", point.npv),
        ("accuracy", point.accuracy),
    ]


def threshold_for_specificity(y_true: npt.ArrayLike, p: npt.ArrayLike, target: float) -> float:
    """Return the lowest predicted probability at which the specificity reaches a target.

    The threshold is chosen on the patients that it is then judged on, so its rates are somewhat
    optimistic. Where only calling nobody positive reaches the target, the threshold lies just
    above the largest probability.

    Raises
    ------
    ModelingError
        If the arrays are unfit.
    """
    outcomes, probabilities = check_outcomes(y_true, p)
    negatives = np.sort(probabilities[~outcomes])
    for threshold in np.unique(probabilities):
        below = int(np.searchsorted(negatives, threshold, side="left"))
        if below >= target * len(negatives):
            return float(threshold)
    return float(np.nextafter(probabilities.max(), 2.0))


def ppv_at_prevalence(point: OperatingPoint, prevalence: float) -> Estimate:
    """Return the PPV of an operating point in a hospital with another share of positives.

    Bayes' rule on sensitivity and specificity. The interval combines their exact limits at
    1 - (1 - level) / 2 each (Bonferroni), so it covers at least ``level``: it errs to the wide
    side, and does not collapse where the cohort shows no false positive.

    Parameters
    ----------
    point : OperatingPoint
        Its sensitivity and specificity are taken to hold in the other hospital.
    prevalence : float
        Between 0 and 1, both excluded.
    """
    joint = 1 - (1 - point.level) / 2
    positives = point.true_positives + point.false_negatives
    negatives = point.true_negatives + point.false_positives
    sensitivity_low, sensitivity_high = exact_limits(point.true_positives, positives, joint)
    specificity_low, specificity_high = exact_limits(point.true_negatives, negatives, joint)
    return Estimate(
        _bayes(point.sensitivity.value, point.specificity.value, prevalence),
        _bayes(float(sensitivity_low), float(specificity_low), prevalence),
        _bayes(float(sensitivity_high), float(specificity_high), prevalence),
    )


def _bayes(sensitivity: float, specificity: float, prevalence: float) -> float:
    right = sensitivity * prevalence
    called = right + (1 - specificity) * (1 - prevalence)
    return right / called if called > 0 else nan
