"""Calibration figures of predictors whose miscalibration is known."""

import numpy as np
import pytest
from scipy.special import expit, logit

from pipeline.evaluation.calibration import (
    calibration_groups,
    calibration_intercept,
    calibration_slope,
)
from pipeline.evaluation.outcomes import Bools, Floats


def make_calibrated(patients_a_level: int = 1000) -> tuple[Bools, Floats]:
    """Return a cohort whose observed shares equal its probabilities exactly."""
    levels = np.array([0.1, 0.2, 0.4, 0.5, 0.7, 0.9])
    events = np.round(levels * patients_a_level).astype(int)
    y = np.concatenate([np.arange(patients_a_level) < count for count in events])
    return y, np.repeat(levels, patients_a_level)


def test_exact_calibration_has_intercept_0_and_slope_1() -> None:
    y, p = make_calibrated()
    assert calibration_intercept(y, p, 0.95).value == pytest.approx(0, abs=1e-9)
    assert calibration_slope(y, p, 0.95).value == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_stretched_logits_give_the_inverse_slope(factor: float) -> None:
    y, p = make_calibrated()
    found = calibration_slope(y, expit(factor * logit(p)), 0.95)
    assert found.value == pytest.approx(1 / factor, rel=1e-4)


def test_shifted_logits_give_the_opposite_intercept() -> None:
    y, p = make_calibrated()
    found = calibration_intercept(y, expit(logit(p) + 0.8), 0.95)
    assert found.value == pytest.approx(-0.8, abs=1e-9)


def test_slope_error_is_the_inverse_fisher_information() -> None:
    y, p = make_calibrated()
    design = np.column_stack([np.ones(len(p)), logit(p)])
    information = design.T @ (design * (p * (1 - p))[:, np.newaxis])
    error = np.sqrt(np.linalg.inv(information)[1, 1])
    found = calibration_slope(y, p, 0.95)
    assert (found.high - found.low) / (2 * 1.959964) == pytest.approx(error, rel=1e-3)


def test_intercept_of_a_constant_is_the_difference_of_logits() -> None:
    y = np.array([1, 0, 0, 0])
    assert calibration_intercept(y, np.full(4, 0.5), 0.95).value == pytest.approx(logit(0.25))


@pytest.mark.parametrize("p", [[0.3, 0.3, 0.3, 0.3], [0.9, 0.8, 0.2, 0.1], [0.1, 0.2, 0.2, 0.9]])
def test_slope_is_undefined_for_constants_and_perfect_separation(p: list[float]) -> None:
    assert not calibration_slope([1, 1, 0, 0], p, 0.95).is_defined


def test_certain_probabilities_do_not_break_the_logits() -> None:
    y, p = [1, 0, 1, 0, 1], [1.0, 0.0, 0.0, 1.0, 0.6]
    assert calibration_intercept(y, p, 0.95).is_defined
    assert calibration_slope(y, p, 0.95).is_defined


def test_groups_cover_every_patient_once() -> None:
    y, p = make_calibrated(10)
    table = calibration_groups(y, p, 3, 0.95)
    assert table["patients"].tolist() == [20, 20, 20]
    assert table["events"].tolist() == [3, 9, 16]
    assert table["mean_probability"].to_numpy() == pytest.approx([0.15, 0.45, 0.8])
    assert (table["observed_low"] < table["observed"]).all()


def test_equal_probabilities_stay_in_one_group() -> None:
    table = calibration_groups([1, 0, 0, 1, 0], [0.4] * 5, 5, 0.95)
    assert table["patients"].tolist() == [5]
