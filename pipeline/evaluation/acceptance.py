"""Whether the figures suffice to promote a model, criterion by criterion."""

from collections.abc import Mapping
from math import inf
from typing import NamedTuple

from pipeline.config.evaluate import Acceptance


class Criterion(NamedTuple):
    """One requirement and what was found.

    Parameters
    ----------
    criterion : str
        What is required to be large or within a range.
    required : str
        In words.
    got : float or None
        The figure; None where it is undefined or its comparator is not available.
    passed : bool
        False also where ``got`` is None: what is not shown is not passed.
    """

    criterion: str
    required: str
    got: float | None
    passed: bool


def judge_acceptance(metrics: Mapping[str, float], config: Acceptance) -> list[Criterion]:
    """Compare the declared set's figures with the acceptance thresholds.

    Parameters
    ----------
    metrics : mapping of str to float
        Flat figures as in ``metrics.json``: ``auc_low``, ``calibration_slope``, ``scaled_brier``,
        ``difference_to_best_comparator_low``. An absent key fails its criterion.
    config : Acceptance
        The thresholds.

    Returns
    -------
    list of Criterion
        In the order of the configuration. The model is accepted where all have passed.
    """
    slope = (config.min_calibration_slope, config.max_calibration_slope)
    return [
        _judge("AUC, lower limit", metrics.get("auc_low"), (config.min_auc_low, inf)),
        _judge("Calibration slope", metrics.get("calibration_slope"), slope),
        _judge("Scaled Brier score", metrics.get("scaled_brier"), (config.min_scaled_brier, inf)),
        _judge(
            "AUC difference to the best simple comparator, lower limit",
            metrics.get("difference_to_best_comparator_low"),
            (config.min_difference_low, inf),
        ),
    ]


def _judge(name: str, got: float | None, allowed: tuple[float, float]) -> Criterion:
    low, high = allowed
    required = f"above {low:g}" if high == inf else f"from {low:g} to {high:g}"
    if got is None:
        return Criterion(name, required, None, False)
    # One-sided requirements are strict: a skill of exactly 0 is none.
    return Criterion(name, required, got, got > low if high == inf else low <= got <= high)
