"""Scores against scikit-learn and by hand; resamples as weights against repeated rows."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import expit
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from pipeline.evaluation import scores
from pipeline.evaluation.outcomes import Bools, Floats
from pipeline.evaluation.performance import measure_performance
from pipeline.evaluation.resampling import draw_resamples, once_each, percentile_interval

Reference = Callable[[npt.NDArray[np.bool_], npt.NDArray[np.float64]], float]


def make_cohort(seed: int = 0) -> tuple[Bools, Floats]:
    rng = np.random.default_rng(seed)
    y = rng.uniform(size=60) < 0.3
    return y, np.round(expit(rng.normal(size=60) + y - 1), 1)  # rounded: many ties


@pytest.mark.parametrize(
    ("score", "reference"),
    [
        (scores.weighted_auc, roc_auc_score),
        (scores.weighted_average_precision, average_precision_score),
        (scores.weighted_brier, brier_score_loss),
        (scores.weighted_log_loss, log_loss),
    ],
)
def test_scores_of_resamples_are_scikit_learns_on_repeated_rows(
    score: Callable[[Bools, Floats, Floats], Floats], reference: Reference
) -> None:
    y, p = make_cohort()
    p = np.clip(p, 0.05, 0.95)
    weights = np.vstack([once_each(60), draw_resamples(60, 5, seed=1)])
    expected = [
        reference(np.repeat(y, row.astype(int)), np.repeat(p, row.astype(int))) for row in weights
    ]
    assert score(y, p, weights) == pytest.approx(expected)


def test_brier_by_hand() -> None:
    y, p = np.array([True, False, False]), np.array([0.7, 0.2, 0.4])
    assert scores.weighted_brier(y, p, once_each(3)) == pytest.approx((0.09 + 0.04 + 0.16) / 3)
    # Giving everyone the prevalence 1/3 scores 2/9.
    expected = 1 - (0.29 / 3) / (2 / 9)
    assert scores.weighted_scaled_brier(y, p, once_each(3)) == pytest.approx(expected)


def test_prevalence_for_everyone_has_no_skill() -> None:
    y = np.array([True, False, False, False])
    skill = scores.weighted_scaled_brier(y, np.full(4, 0.25), once_each(4))
    assert skill == pytest.approx(0.0, abs=1e-12)


def test_a_resample_of_one_class_is_undefined_not_wrong() -> None:
    y, p = np.array([True, False]), np.array([0.7, 0.2])
    only_positive = np.array([[2.0, 0.0]])
    assert np.isnan(scores.weighted_auc(y, p, only_positive)).all()
    assert np.isnan(scores.weighted_scaled_brier(y, p, only_positive)).all()


def test_resamples_keep_the_size_and_the_seed() -> None:
    drawn = draw_resamples(30, 200, seed=4)
    assert (drawn.sum(axis=1) == 30).all()
    assert np.array_equal(drawn, draw_resamples(30, 200, seed=4))
    # A patient is left out of a resample with probability (1 - 1/30) ** 30 = 0.362.
    assert (drawn == 0).mean() == pytest.approx((1 - 1 / 30) ** 30, abs=0.02)


def test_percentile_interval_leaves_out_undefined_resamples_up_to_a_tenth() -> None:
    few = np.append(np.arange(1.0, 100.0), [np.nan])
    assert percentile_interval(50.0, few, 0.9).low == pytest.approx(1 + 0.05 * 98)
    many = np.append(np.arange(8.0), [np.nan, np.nan])
    assert not percentile_interval(4.0, many, 0.9).is_defined
    assert np.isnan(percentile_interval(np.nan, few, 0.9).low)


def test_every_figure_of_a_cohort_is_within_its_interval() -> None:
    y, p = make_cohort(1)
    for figure in measure_performance(y, p, draw_resamples(60, 400, seed=0), 0.95).values():
        assert figure.low <= figure.value <= figure.high


def test_figures_do_not_depend_on_the_order_of_patients() -> None:
    y, p = make_cohort(2)
    order = np.random.default_rng(5).permutation(60)
    resamples = draw_resamples(60, 200, seed=0)
    before = measure_performance(y, p, resamples, 0.95)
    after = measure_performance(y[order], p[order], resamples[:, order], 0.95)
    for name, figure in before.items():
        assert after[name].value == pytest.approx(figure.value)
        assert after[name].low == pytest.approx(figure.low, abs=1e-6)


def test_no_information_rate_is_the_larger_class() -> None:
    y, p = make_cohort(3)
    figures = measure_performance(y, p, draw_resamples(60, 100, seed=0), 0.95)
    assert figures["no_information_rate"].value == pytest.approx(1 - y.mean())
    assert figures["prevalence"].value == pytest.approx(y.mean())
