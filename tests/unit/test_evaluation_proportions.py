"""Exact intervals against scipy, and the numbers that prove a predictive value."""

import numpy as np
import pytest
from scipy.stats import binomtest

from pipeline.evaluation.proportions import count_needed, exact_limits, exact_proportion


@pytest.mark.parametrize(("hits", "total"), [(0, 7), (3, 7), (7, 7), (31, 75), (44, 62)])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_limits_are_scipys(hits: int, total: int, level: float) -> None:
    expected = binomtest(hits, total).proportion_ci(confidence_level=level, method="exact")
    found = exact_proportion(hits, total, level)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.value == hits / total


def test_no_patients_means_no_knowledge() -> None:
    found = exact_proportion(0, 0, 0.95)
    assert np.isnan(found.value)
    assert (found.low, found.high) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("bound", "misses", "needed"),
    [(0.90, 0, 36), (0.90, 1, 54), (0.90, 2, 70), (0.95, 0, 72), (0.95, 1, 110), (0.95, 2, 142)],
)
def test_proving_a_predictive_value_takes_as_many_as_published(
    bound: float, misses: int, needed: int
) -> None:
    assert count_needed(bound, misses, 0.95) == needed
    assert exact_limits(needed - 1 - misses, needed - 1, 0.95)[0] < bound


def test_zero_misses_follow_the_closed_form() -> None:
    # The lower limit of n of n is (error / 2) ** (1 / n).
    assert exact_limits(36, 36, 0.95)[0] == pytest.approx(0.025 ** (1 / 36))
