"""DeLong's variance and test against brute force, hand computation and closed forms."""

from math import sqrt

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import expit, logit
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from pipeline.domain.errors import ModelingError
from pipeline.evaluation.delong import compare_aucs, estimate_auc, newcombe_interval

Z = float(norm.ppf(0.975))


def placements_by_loops(
    y: npt.NDArray[np.int64], p: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    positives, negatives = p[y == 1], p[y == 0]
    wins = np.array([[(a > b) + 0.5 * (a == b) for b in negatives] for a in positives])
    return wins.mean(axis=1), wins.mean(axis=0)


def test_auc_and_interval_of_a_hand_example() -> None:
    # Positives 0.9, 0.4; negatives 0.5, 0.3, 0.1: wins 1 1 1 / 0 1 1, AUC 5/6.
    # Placements of positives 1, 2/3: variance 1/18; of negatives 1/2, 1, 1: variance 1/12.
    # Var = (1/18)/2 + (1/12)/3 = 1/18.
    found = estimate_auc([1, 1, 0, 0, 0], [0.9, 0.4, 0.5, 0.3, 0.1], 0.95)
    reach = Z * sqrt(1 / 18) / (5 / 36)
    assert found.value == pytest.approx(5 / 6)
    assert found.low == pytest.approx(expit(logit(5 / 6) - reach))
    assert found.high == pytest.approx(expit(logit(5 / 6) + reach))


@pytest.mark.parametrize("seed", range(5))
def test_variance_agrees_with_placements_by_loops_with_ties(seed: int) -> None:
    rng = np.random.default_rng(seed)
    y = np.repeat([1, 0], [9, 14])
    p = np.round(expit(rng.normal(size=23) + y), 1)
    of_positives, of_negatives = placements_by_loops(y, p)
    auc = of_positives.mean()
    variance = of_positives.var(ddof=1) / 9 + of_negatives.var(ddof=1) / 14
    found = estimate_auc(y, p, 0.95)
    assert found.value == pytest.approx(roc_auc_score(y, p))
    expected = expit(logit(auc) - Z * sqrt(variance) / (auc * (1 - auc)))
    assert found.low == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(5))
def test_paired_test_is_the_variance_of_placement_differences(seed: int) -> None:
    rng = np.random.default_rng(seed)
    y = np.repeat([1, 0], [12, 20])
    one, other = (np.round(expit(rng.normal(size=32) + y), 2) for _ in range(2))
    first, second = placements_by_loops(y, one), placements_by_loops(y, other)
    # By bilinearity the variance of a difference is that of the differences of placements.
    variance = sum((a - b).var(ddof=1) / len(a) for a, b in zip(first, second, strict=True))
    difference = first[0].mean() - second[0].mean()
    found = compare_aucs(y, one, other, 0.95)
    assert found.difference.value == pytest.approx(difference)
    assert found.difference.high == pytest.approx(difference + Z * sqrt(variance))
    assert found.p_value == pytest.approx(2 * norm.sf(abs(difference) / sqrt(variance)))


def test_binormal_auc_is_the_closed_form() -> None:
    separation = 1.2
    quantiles = norm.ppf((np.arange(2000) + 0.5) / 2000)
    p = expit(np.concatenate([quantiles + separation, quantiles]))
    found = estimate_auc(np.repeat([1, 0], 2000), p, 0.95)
    assert found.value == pytest.approx(norm.cdf(separation / sqrt(2)), abs=1e-4)
    assert found.includes(found.value)


def test_predictors_with_the_same_order_do_not_differ() -> None:
    y, p = [1, 0, 1, 0, 0], np.array([0.8, 0.3, 0.6, 0.7, 0.1])
    found = compare_aucs(y, p, p**2, 0.95)
    assert (found.difference.value, found.p_value) == (0.0, 1.0)


def test_difference_of_two_perfect_and_reversed_orders_has_no_p_value() -> None:
    found = compare_aucs([1, 1, 0, 0], [0.9, 0.8, 0.2, 0.1], [0.2, 0.1, 0.9, 0.8], 0.95)
    assert found.difference.value == 1.0
    assert np.isnan(found.p_value)


def test_swapping_predictors_swaps_the_sign() -> None:
    rng = np.random.default_rng(3)
    y = np.repeat([1, 0], [10, 15])
    one, other = rng.uniform(size=25), rng.uniform(size=25)
    forth, back = compare_aucs(y, one, other, 0.9), compare_aucs(y, other, one, 0.9)
    assert forth.difference.low == pytest.approx(-back.difference.high)
    assert forth.p_value == pytest.approx(back.p_value)


@pytest.mark.parametrize(("p", "value"), [([0.9, 0.8, 0.2, 0.1], 1.0), ([0.1, 0.2, 0.8, 0.9], 0.0)])
def test_perfect_separation_keeps_an_honest_interval(p: list[float], value: float) -> None:
    found = estimate_auc([1, 1, 0, 0], p, 0.95)
    assert found.value == value
    assert found.high - found.low > 0.5


@pytest.mark.parametrize("auc", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_newcombe_limits_solve_the_score_equation(auc: float) -> None:
    m, n = 8, 14
    found = newcombe_interval(auc, m, n, 0.95)
    for theta in (found.low, found.high):
        if 0 < theta < 1:
            spread = (1 - theta) / (2 - theta) + theta / (1 + theta)
            variance = theta * (1 - theta) * (1 + ((m + n) / 2 - 1) * spread) / (m * n)
            assert abs(auc - theta) == pytest.approx(Z * sqrt(variance), rel=1e-6)
    assert found.low <= auc <= found.high


def test_a_single_event_still_gives_an_interval() -> None:
    found = estimate_auc([1, 0, 0, 0], [0.6, 0.7, 0.2, 0.1], 0.95)
    assert found.is_defined
    assert found.high - found.low > 0.6


@pytest.mark.parametrize(
    ("y", "p", "message"),
    [
        ([1, 1], [0.1, 0.2], "2 with among 2"),
        ([0, 0], [0.1, 0.2], "0 with among 2"),
        ([0, 1], [0.1, 1.2], r"from 0 to 1, got \[1.2\]"),
        ([0, 1], [0.1, np.nan], r"from 0 to 1, got \[nan\]"),
        ([0, 2], [0.1, 0.2], "expected 0 or 1 for each patient, got 2"),
        ([0, 1], [0.1], r"got shapes \(2,\) and \(1,\)"),
    ],
)
def test_unfit_arrays_are_refused(y: list[int], p: list[float], message: str) -> None:
    with pytest.raises(ModelingError, match=message):
        estimate_auc(y, p, 0.95)
