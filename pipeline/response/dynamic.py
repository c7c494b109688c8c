"""Semi-quantitative parameters of an enhancement curve (DCE-MRI, perfusion CT).

Definitions as in the review PMC3996240, table 1, and RadioGraphics 2007;27:63, figure 5. They hold
for signal gains in HU or MR signal; no concentration is computed and no pharmacokinetic model
fitted, so they compare only within one protocol.
"""

import numpy as np
import numpy.typing as npt

from pipeline.domain.errors import MeasurementError
from pipeline.response.measured import Measured, Missing, divide

Series = npt.NDArray[np.float64]

AREA_SECONDS = 60.0
"""The initial area under the curve is taken over this time from the arrival of contrast."""

DYNAMIC_MEASURES = (
    "peak_gain",
    "peak_gain_relative",
    "time_to_peak_s",
    "wash_in_per_s",
    "steepest_wash_in_per_s",
    "auc60",
    "wash_out_per_s",
)


def measure_dynamic_curve(
    times_s: Series, signals: Series, arrival_s: float
) -> dict[str, Measured]:
    """Return wash-in, time to peak, initial area and wash-out of a mean signal over time.

    Parameters
    ----------
    times_s : numpy.ndarray, shape (n,)
        Acquisition times, rising.
    signals : numpy.ndarray, shape (n,)
        Mean signal of the region at each time.
    arrival_s : float
        When contrast arrives, on the same clock. The mean of the images up to then is the baseline.

    Returns
    -------
    dict
        ``peak_gain`` (signal), ``peak_gain_relative`` (of the baseline), ``time_to_peak_s`` (from
        arrival), ``wash_in_per_s`` (peak gain over time to peak), ``steepest_wash_in_per_s``
        (largest slope between successive images up to the peak), ``auc60`` (signal x s over 60 s
        from arrival, trapezoids, the end interpolated), ``wash_out_per_s`` (fall from the peak to
        the last image over the time between; never negative).

    Raises
    ------
    MeasurementError
        If times and signals differ in number, are not finite or times do not rise.
    """
    _check(times_s, signals)
    before = times_s <= arrival_s
    if not before.any():
        return _all_missing("no image before contrast arrives")
    if np.count_nonzero(~before) < 2:
        return _all_missing("fewer than two images after contrast arrives")
    baseline = float(signals[before].mean())
    clock = np.concatenate([[0.0], times_s[~before] - arrival_s])
    gains = np.concatenate([[0.0], signals[~before] - baseline])
    return _measure_gains(clock, gains, baseline)


def _measure_gains(clock_s: Series, gains: Series, baseline: float) -> dict[str, Measured]:
    """Measure gains over the time since arrival; the first point is arrival itself, gain 0."""
    peak = int(gains.argmax())
    area = _initial_area(clock_s, gains)
    if peak == 0:
        flat = _all_missing("the signal never rises above its baseline")
        return flat | {"peak_gain": float(gains[1:].max()), "auc60": area}
    slopes = np.diff(gains[: peak + 1]) / np.diff(clock_s[: peak + 1])
    height = float(gains[peak])
    return {
        "peak_gain": height,
        "peak_gain_relative": divide(height, baseline, "signal before contrast"),
        "time_to_peak_s": float(clock_s[peak]),
        "wash_in_per_s": height / float(clock_s[peak]),
        "steepest_wash_in_per_s": float(slopes.max()),
        "auc60": area,
        "wash_out_per_s": _wash_out(clock_s, gains, peak),
    }


def _initial_area(clock_s: Series, gains: Series) -> Measured:
    if clock_s[-1] < AREA_SECONDS:
        return Missing(f"the series ends {clock_s[-1]:.0f} s after arrival, before 60 s")
    within = clock_s < AREA_SECONDS
    times = np.append(clock_s[within], AREA_SECONDS)
    heights = np.append(gains[within], np.interp(AREA_SECONDS, clock_s, gains))
    return float(np.trapezoid(heights, times))


def _wash_out(clock_s: Series, gains: Series, peak: int) -> Measured:
    if peak == len(gains) - 1:
        return Missing("the signal still rises at the last image")
    return float((gains[peak] - gains[-1]) / (clock_s[-1] - clock_s[peak]))


def _all_missing(reason: str) -> dict[str, Measured]:
    return dict.fromkeys(DYNAMIC_MEASURES, Missing(reason))


def _check(times_s: Series, signals: Series) -> None:
    if times_s.ndim != 1 or times_s.shape != signals.shape:
        msg = f"a curve needs as many times as signals, got {times_s.shape} and {signals.shape}"
        raise MeasurementError(msg)
    if not (np.isfinite(times_s).all() and np.isfinite(signals).all()):
        msg = "a curve has times or signals that are not finite; leave those images out"
        raise MeasurementError(msg)
    if (np.diff(times_s) <= 0).any():
        msg = f"times of a curve must rise, got {times_s.tolist()} s; sort the images by time"
        raise MeasurementError(msg)
