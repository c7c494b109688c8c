"""How a tumour marker moved between baseline and operation."""

from dataclasses import dataclass
from enum import StrEnum
from math import log

from pipeline.config.biomarkers import Analyte


class MarkerState(StrEnum):
    """Whether a marker can tell anything about response in this patient."""

    INFORMATIVE = "informative"
    """The baseline is above normal, and there is a later value."""
    BASELINE_NORMAL = "baseline_normal"
    """The tumour never secreted the marker: its response is undefined, not zero."""
    MISSING = "missing"
    """A draw is missing."""


@dataclass(frozen=True, slots=True)
class Kinetics:
    """Change of one marker; NaN wherever the state is not informative.

    Parameters
    ----------
    log_ratio : float
        ln(preop / baseline); negative when the marker fell.
    responded : float
        1.0 if the decline reached the configured share of the baseline, else 0.0.
    normalised : float
        1.0 if the later value is at or below the upper limit of normal, else 0.0.
    """

    state: MarkerState
    log_ratio: float = float("nan")
    responded: float = float("nan")
    normalised: float = float("nan")


def marker_state(baseline: float, preop: float, upper_normal: float) -> MarkerState:
    """Classify a marker; values in the canonical unit, NaN where there is no draw."""
    if baseline != baseline:  # NaN
        return MarkerState.MISSING
    if baseline <= upper_normal:
        return MarkerState.BASELINE_NORMAL
    return MarkerState.MISSING if preop != preop else MarkerState.INFORMATIVE


def compute_kinetics(
    baseline: float, preop: float, analyte: Analyte, response_decline_percent: float
) -> Kinetics:
    """Compute the change of a marker between its two draws.

    Parameters
    ----------
    baseline, preop : float
        Values in the analyte's canonical unit, NaN where missing.
    analyte : Analyte
        Its ``upper_normal`` tells informative baselines from normal ones.
    response_decline_percent : float
        Decline that counts as a response, in percent of the baseline (50 % for AFP in
        BMC Cancer 2023;23:416, PMID 37158833).
    """
    upper_normal = analyte.upper_normal
    if upper_normal is None:
        msg = f"{analyte.key}: kinetics need upper_normal"
        raise ValueError(msg)
    state = marker_state(baseline, preop, upper_normal)
    if state is not MarkerState.INFORMATIVE:
        return Kinetics(state)
    decline_percent = 100 * (1 - preop / baseline)
    return Kinetics(
        state,
        log_ratio=log(preop / baseline),
        responded=float(decline_percent >= response_decline_percent),
        normalised=float(preop <= upper_normal),
    )
