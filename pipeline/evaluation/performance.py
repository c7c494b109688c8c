"""All figures of one set of predictions, each with its interval."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from pipeline.evaluation.calibration import calibration_intercept, calibration_slope
from pipeline.evaluation.delong import estimate_auc
from pipeline.evaluation.estimate import Estimate
from pipeline.evaluation.outcomes import Bools, Floats, check_outcomes
from pipeline.evaluation.proportions import exact_proportion
from pipeline.evaluation.resampling import once_each, percentile_interval
from pipeline.evaluation.scores import (
    weighted_auc,
    weighted_average_precision,
    weighted_brier,
    weighted_log_loss,
    weighted_scaled_brier,
)

Score = Callable[[Bools, Floats, Floats], Floats]

_BOOTSTRAPPED: dict[str, Score] = {
    "auc_bootstrap": weighted_auc,
    "average_precision": weighted_average_precision,
    "brier": weighted_brier,
    "scaled_brier": weighted_scaled_brier,
    "log_loss": weighted_log_loss,
}


def measure_performance(
    y_true: npt.ArrayLike, p: npt.ArrayLike, resamples: Floats, level: float
) -> dict[str, Estimate]:
    """Compute every figure of one predictor.

    Parameters
    ----------
    y_true : array-like of {0, 1}, shape (n,)
        Outcomes, one a patient.
    p : array-like, shape (n,)
        Probabilities of patients who were not in the training of the model that scored them.
    resamples : numpy.ndarray, shape (count, n)
        From :func:`pipeline.evaluation.resampling.draw_resamples`.
    level : float
        Confidence level.

    Returns
    -------
    dict of str to Estimate
        ``auc`` (DeLong), ``auc_bootstrap``, ``average_precision``, ``brier``, ``scaled_brier``,
        ``log_loss`` (percentile bootstrap over patients), ``calibration_intercept``,
        ``calibration_slope`` (Wald), ``prevalence``, ``no_information_rate`` (exact).

    Raises
    ------
    ModelingError
        If the arrays are unfit.
    """
    outcomes, probabilities = check_outcomes(y_true, p)
    figures = {"auc": estimate_auc(outcomes, probabilities, level)}
    for name, score in _BOOTSTRAPPED.items():
        value = float(score(outcomes, probabilities, once_each(len(outcomes)))[0])
        drawn = score(outcomes, probabilities, resamples)
        figures[name] = percentile_interval(value, drawn, level)
    figures["calibration_intercept"] = calibration_intercept(outcomes, probabilities, level)
    figures["calibration_slope"] = calibration_slope(outcomes, probabilities, level)
    events, patients = int(np.count_nonzero(outcomes)), len(outcomes)
    figures["prevalence"] = exact_proportion(events, patients, level)
    figures["no_information_rate"] = exact_proportion(
        max(events, patients - events), patients, level
    )
    return figures
