"""Operating points, safe thresholds and net benefit by hand."""

import numpy as np
import pytest

from pipeline.evaluation.decision_curve import decision_curve, net_benefits
from pipeline.evaluation.operating_points import (
    judge_threshold,
    ppv_at_prevalence,
    threshold_for_specificity,
)
from pipeline.evaluation.resampling import draw_resamples, once_each
from pipeline.evaluation.safe_thresholds import find_rule_in, find_rule_out

Y = [1, 1, 1, 0, 0, 0, 0, 0, 0, 0]
P = [0.9, 0.8, 0.3, 0.8, 0.4, 0.3, 0.2, 0.2, 0.1, 0.1]


def test_counts_and_rates_by_hand() -> None:
    point = judge_threshold(Y, P, 0.8, 0.95)
    counts = (point.true_positives, point.false_positives, point.false_negatives)
    assert (*counts, point.true_negatives) == (2, 1, 1, 6)
    assert point.sensitivity.value == pytest.approx(2 / 3)
    assert point.specificity.value == pytest.approx(6 / 7)
    assert point.ppv.value == pytest.approx(2 / 3)
    assert point.npv.value == pytest.approx(6 / 7)
    assert point.accuracy.value == pytest.approx(0.8)


def test_ppv_of_nobody_called_is_undefined() -> None:
    assert np.isnan(judge_threshold(Y, P, 0.95, 0.95).ppv.value)


@pytest.mark.parametrize(("target", "threshold"), [(0.5, 0.3), (0.7, 0.4), (0.85, 0.8), (1.0, 0.9)])
def test_threshold_for_specificity_is_the_lowest(target: float, threshold: float) -> None:
    # Negatives: 0.1 0.1 0.2 0.2 0.3 0.4 0.8; specificity at 0.3 is 4/7, at 0.4 5/7, at 0.8 6/7.
    assert threshold_for_specificity(Y, P, target) == threshold


def test_unreachable_specificity_calls_nobody() -> None:
    threshold = threshold_for_specificity([0, 1], [0.9, 0.1], 0.95)
    assert threshold > 0.9
    assert judge_threshold([0, 1], [0.9, 0.1], threshold, 0.95).specificity.value == 1.0


def test_ppv_at_the_cohorts_own_prevalence_is_the_ppv() -> None:
    point = judge_threshold(Y, P, 0.8, 0.95)
    assert ppv_at_prevalence(point, 0.3).value == pytest.approx(point.ppv.value)


@pytest.mark.parametrize(
    ("prevalence", "specificity"), [(0.195, 0.984), (0.30, 0.971), (0.391, 0.957), (0.71, 0.837)]
)
def test_ppv_of_90_per_cent_takes_the_published_specificity(
    prevalence: float, specificity: float
) -> None:
    # 600 of 1000 positives found; the specificity in thousandths of the negatives.
    false_positives = round(1000 * (1 - specificity))
    y = [1] * 1000 + [0] * 1000
    p = [0.9] * 600 + [0.1] * 400 + [0.9] * false_positives + [0.1] * (1000 - false_positives)
    found = ppv_at_prevalence(judge_threshold(y, p, 0.5, 0.95), prevalence)
    assert found.value == pytest.approx(0.90, abs=0.003)
    assert found.low < 0.9 < found.high


def test_ppv_without_false_positives_is_not_certain() -> None:
    found = ppv_at_prevalence(judge_threshold([1, 1, 0, 0], [0.9, 0.8, 0.1, 0.1], 0.5, 0.95), 0.3)
    assert found.value == 1.0
    assert found.low < 0.3


def test_36_right_calls_make_a_rule_in_threshold_and_35_do_not() -> None:
    for right, threshold in ((36, 0.9), (35, None)):
        y = [1] * right + [0] * 40
        p = [0.9] * right + [0.2] * 40
        found = find_rule_in(y, p, 0.90, 0.95)
        assert found.threshold == threshold
        assert found.needed_without_miss == 36


def test_rule_in_takes_the_lowest_threshold() -> None:
    # 54 called with one miss suffice, so the threshold may include the negative at 0.7.
    y = [1] * 40 + [0] + [1] * 13 + [0] * 20
    p = [0.9] * 40 + [0.7] + [0.7] * 13 + [0.1] * 20
    found = find_rule_in(y, p, 0.90, 0.95)
    assert (found.threshold, found.called) == (0.7, 54)
    assert found.value.value == pytest.approx(53 / 54)


def test_rule_out_takes_the_highest_threshold() -> None:
    y = [0] * 72 + [1] * 10
    p = [0.05] * 36 + [0.1] * 36 + [0.8] * 10
    found = find_rule_out(y, p, 0.95, 0.95)
    assert (found.threshold, found.called) == (0.8, 72)
    assert find_rule_out(y[1:], p[1:], 0.95, 0.95).threshold is None


def test_net_benefit_by_hand() -> None:
    # At 0.8: 2 true, 1 false positive of 10, odds 4: 0.2 - 0.1 * 4. At 0.9: 1 true positive.
    found = net_benefits(Y, P, [0.8, 0.9], once_each(10))
    assert found[0] == pytest.approx([-0.2, 0.1])


def test_treating_all_is_the_prevalence_less_the_rest_at_the_odds() -> None:
    table = decision_curve(Y, P, [0.7, 0.9], draw_resamples(10, 300, seed=0), 0.95)
    assert table["treat_all"].to_numpy() == pytest.approx([0.3 - 0.7 * 7 / 3, 0.3 - 0.7 * 9])
    assert (table["net_benefit_low"] <= table["net_benefit"]).all()
    assert (table["net_benefit"] <= table["net_benefit_high"]).all()
    assert (table["treat_none"] == 0).all()


def test_net_benefit_of_resamples_is_that_of_repeated_rows() -> None:
    weights = draw_resamples(10, 20, seed=2)
    weights = weights[(weights[:, :3].sum(axis=1) > 0)]
    found = net_benefits(Y, P, [0.75], weights)
    for row, value in zip(weights.astype(int), found[:, 0], strict=True):
        y, p = np.repeat(Y, row), np.repeat(P, row)
        called = p >= 0.75
        by_hand = (called & (y == 1)).mean() - (called & (y == 0)).mean() * 3
        assert value == pytest.approx(by_hand)
