"""Intervals on simulated cohorts whose truth is known in closed form; all seeded."""

from math import sqrt

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm

from pipeline.evaluation.corrected_resampling import compare_folds
from pipeline.evaluation.delong import compare_aucs, estimate_auc
from pipeline.evaluation.estimate import Estimate
from pipeline.evaluation.resampling import draw_resamples, percentile_interval
from pipeline.evaluation.scores import weighted_auc

COHORTS = 2000


def simulate_intervals(patients: int, separation: float, seed: int) -> list[Estimate]:
    rng = np.random.default_rng(seed)
    y = np.arange(patients) < round(0.3 * patients)
    scores = rng.normal(size=(COHORTS, patients)) + separation * y
    return [estimate_auc(y, expit(row), 0.95) for row in scores]


@pytest.mark.parametrize("patients", [40, 80])
@pytest.mark.parametrize("separation", [0.5, 1.0, 1.8])
def test_auc_interval_covers_the_binormal_truth(patients: int, separation: float) -> None:
    truth = norm.cdf(separation / sqrt(2))
    found = simulate_intervals(patients, separation, seed=11)
    coverage = np.mean([interval.includes(truth) for interval in found])
    # Binomial error of 2000 cohorts: 0.005.
    assert 0.93 <= coverage <= 0.975


@pytest.mark.parametrize("patients", [40, 80])
def test_null_cohorts_exclude_chance_in_about_one_of_twenty(patients: int) -> None:
    found = simulate_intervals(patients, 0.0, seed=12)
    excluded = np.mean([not interval.includes(0.5) for interval in found])
    assert 0.03 <= excluded <= 0.07


def test_paired_test_rejects_equal_predictors_in_about_one_of_twenty() -> None:
    rng = np.random.default_rng(13)
    y = np.arange(80) < 24
    shared = rng.normal(size=(COHORTS, 1, 80)) + 1.0 * y
    scores = expit(shared + rng.normal(size=(COHORTS, 2, 80)))
    rejected = np.mean([compare_aucs(y, one, two, 0.95).p_value < 0.05 for one, two in scores])
    assert 0.03 <= rejected <= 0.07


@pytest.mark.slow
def test_bootstrap_interval_covers_the_binormal_truth() -> None:
    rng = np.random.default_rng(14)
    y = np.arange(80) < 24
    covered = []
    for scores in rng.normal(size=(500, 80)) + 1.0 * y:
        p = expit(scores)
        drawn = weighted_auc(y, p, draw_resamples(80, 500, seed=0))
        value = estimate_auc(y, p, 0.95).value
        covered.append(percentile_interval(value, drawn, 0.95).includes(norm.cdf(1 / sqrt(2))))
    assert 0.91 <= np.mean(covered) <= 0.98


def test_corrected_test_holds_its_level_where_the_plain_one_does_not() -> None:
    # Folds that share a common error with correlation rho = 1/5, as Nadeau and Bengio assume for
    # five folds: the correction ratio 1/4 equals rho / (1 - rho) then.
    rng = np.random.default_rng(15)
    shared = rng.normal(size=(COHORTS, 1)) * sqrt(0.2)
    differences = shared + rng.normal(size=(COHORTS, 15)) * sqrt(0.8)
    zeros = np.zeros(15)
    plain = np.mean([compare_folds(row, zeros, 0.0, 0.95).p_value < 0.05 for row in differences])
    fixed = np.mean([compare_folds(row, zeros, 0.25, 0.95).p_value < 0.05 for row in differences])
    assert plain > 0.3
    assert 0.03 <= fixed <= 0.07
