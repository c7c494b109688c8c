"""Enhancement curves with known wash-in, area and wash-out."""

from math import exp

import numpy as np
import pytest

from pipeline.domain.errors import MeasurementError
from pipeline.response.dynamic import DYNAMIC_MEASURES, measure_dynamic_curve
from pipeline.response.measured import Missing


def test_a_triangle_by_hand() -> None:
    """100 before 20 s, 300 at 40 s, 200 at 100 s, straight between."""
    times = np.array([0.0, 10.0, 20.0, 30.0, 40.0, 70.0, 100.0])
    signals = np.array([100.0, 100.0, 100.0, 200.0, 300.0, 250.0, 200.0])
    measures = measure_dynamic_curve(times, signals, arrival_s=20)
    # Area to 80 s: 20 * 200 / 2 up to the peak, then 40 s from 200 down to 200 - 100 * 40 / 60.
    assert measures == pytest.approx(
        {
            "peak_gain": 200,
            "peak_gain_relative": 2,
            "time_to_peak_s": 20,
            "wash_in_per_s": 10,
            "steepest_wash_in_per_s": 10,
            "auc60": 2000 + 40 * (200 + 200 - 4000 / 60) / 2,
            "wash_out_per_s": 100 / 60,
        }
    )


def test_a_gamma_curve_within_the_error_of_trapezoids() -> None:
    """Gain A t/T exp(1 - t/T): peak A at T; area to 60 s is A e T (1 - (1 + 60/T) exp(-60/T))."""
    height, peak_s, step_s = 150.0, 24.0, 0.5
    clock = np.arange(-20, 180 + step_s / 2, step_s)
    gain = np.where(clock > 0, height * clock / peak_s * np.exp(1 - clock / peak_s), 0)
    measures = measure_dynamic_curve(clock + 35, 400 + gain, arrival_s=35)
    ratio = 60 / peak_s
    area = height * exp(1) * peak_s * (1 - (1 + ratio) * exp(-ratio))
    # Trapezoids err by at most (60 / 12) step^2 max|f''|, which is 2 A e / T^2 at t = 0.
    bound = 60 / 12 * step_s**2 * 2 * height * exp(1) / peak_s**2
    assert measures["auc60"] == pytest.approx(area, abs=bound)
    assert measures["peak_gain"] == pytest.approx(height)
    assert measures["time_to_peak_s"] == pytest.approx(peak_s)
    assert measures["wash_in_per_s"] == pytest.approx(height / peak_s)
    # The steepest rise is at arrival: the mean slope over the first step.
    first = height / peak_s * exp(1 - step_s / peak_s)
    assert measures["steepest_wash_in_per_s"] == pytest.approx(first)
    last = height * 180 / peak_s * exp(1 - 180 / peak_s)
    assert measures["wash_out_per_s"] == pytest.approx((height - last) / (180 - peak_s))


def test_a_curve_that_still_rises_has_no_wash_out() -> None:
    times = np.array([0.0, 30.0, 60.0, 90.0])
    measures = measure_dynamic_curve(times, np.array([10.0, 20.0, 30.0, 35.0]), arrival_s=0)
    assert measures["wash_out_per_s"] == Missing("the signal still rises at the last image")
    assert measures["auc60"] == pytest.approx(30 * 10 / 2 + 30 * 15)


def test_a_short_series_has_no_area_of_60_s() -> None:
    times = np.array([0.0, 10.0, 20.0, 50.0])
    measures = measure_dynamic_curve(times, np.array([10.0, 30.0, 20.0, 15.0]), arrival_s=0)
    assert measures["auc60"] == Missing("the series ends 50 s after arrival, before 60 s")
    assert measures["wash_out_per_s"] == pytest.approx(15 / 40)


def test_dead_tissue_has_no_wash_in_but_a_gain() -> None:
    times = np.array([0.0, 20.0, 40.0, 80.0])
    measures = measure_dynamic_curve(times, np.array([50.0, 50.0, 48.0, 49.0]), arrival_s=0)
    assert measures["peak_gain"] == 0
    assert measures["auc60"] == pytest.approx(-20 - 20 * 1.75)
    assert measures["wash_in_per_s"] == Missing("the signal never rises above its baseline")


@pytest.mark.parametrize(
    ("arrival_s", "reason"),
    [
        (-1, "no image before contrast arrives"),
        (25, "fewer than two images after contrast arrives"),
    ],
)
def test_a_series_without_before_or_after(arrival_s: float, reason: str) -> None:
    times = np.array([0.0, 10.0, 20.0, 30.0])
    measures = measure_dynamic_curve(times, np.ones(4), arrival_s)
    assert measures == dict.fromkeys(DYNAMIC_MEASURES, Missing(reason))


@pytest.mark.parametrize(
    ("times", "signals", "message"),
    [
        ([0.0, 2.0, 1.0], [1.0, 1.0, 1.0], "times of a curve must rise"),
        ([0.0, 1.0], [1.0, 1.0, 1.0], "as many times as signals"),
        ([0.0, 1.0, 2.0], [1.0, float("nan"), 1.0], "not finite"),
    ],
)
def test_what_is_no_curve(times: list[float], signals: list[float], message: str) -> None:
    with pytest.raises(MeasurementError, match=message):
        measure_dynamic_curve(np.array(times), np.array(signals), 0)
