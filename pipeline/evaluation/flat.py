"""Figures as flat entries: for ``metrics.json``, which DVC and MLflow read, and for tables."""

from collections.abc import Mapping, Sequence

import pandas as pd

from pipeline.evaluation.comparisons import find_best_simple, name_limits
from pipeline.evaluation.estimate import Estimate
from pipeline.evaluation.operating_points import (
    OperatingPoint,
    describe_rates,
    ppv_at_prevalence,
)
from pipeline.evaluation.out_of_fold import OutOfFold

_SHOWN_FOR_EVERY_SET = ("auc", "brier", "scaled_brier", "calibration_slope")


def declared_metrics(
    declared: OutOfFold, figures: Mapping[str, Estimate], comparisons: pd.DataFrame
) -> dict[str, float]:
    """Return the declared run's figures; undefined ones are left out.

    ``difference_to_best_comparator`` is the AUC minus that of the best simple comparator.
    """
    metrics = {
        "patients": len(declared.y),
        "events": int(declared.y.sum()),
        **_flatten_defined(figures),
    }
    best = find_best_simple(comparisons)
    if best is not None:
        difference = Estimate(
            float(best["difference"]),
            float(best["difference_low"]),
            float(best["difference_high"]),
        )
        metrics |= _flatten_defined({"difference_to_best_comparator": difference})
    return metrics


def rate_metrics(points: Sequence[tuple[str, OperatingPoint]]) -> dict[str, float]:
    """Return ``<operating point>_<rate>`` with limits, and ``<operating point>_threshold``."""
    metrics: dict[str, float] = {}
    for name, point in points:
        metrics[f"{name}_threshold"] = point.threshold
        metrics |= _flatten_defined({f"{name}_{rate}": of for rate, of in describe_rates(point)})
    return metrics


def set_metrics(
    runs: Sequence[OutOfFold], figures: Sequence[Mapping[str, Estimate]]
) -> dict[str, float]:
    """Return ``<set>/<candidate>/<figure>`` with limits for the main figures of every run."""
    metrics: dict[str, float] = {}
    for run, of_run in zip(runs, figures, strict=True):
        prefix = f"{run.feature_set}/{run.candidate}/"
        metrics |= _flatten_defined({prefix + name: of_run[name] for name in _SHOWN_FOR_EVERY_SET})
    return metrics


def tabulate_sets(
    runs: Sequence[OutOfFold], figures: Sequence[Mapping[str, Estimate]]
) -> pd.DataFrame:
    """Return one row a run: ``feature_set, candidate``, then every figure with its limits."""
    rows = [
        {"feature_set": run.feature_set, "candidate": run.candidate, **_flatten(of_run)}
        for run, of_run in zip(runs, figures, strict=True)
    ]
    return pd.DataFrame(rows)


def tabulate_points(
    points: Sequence[tuple[str, OperatingPoint]], prevalences: Sequence[float]
) -> pd.DataFrame:
    """Return one row an operating point: counts, rates, and ``ppv_at_<prevalence>``."""
    rows = [_point_row(name, point, prevalences) for name, point in points]
    return pd.DataFrame(rows, columns=None if rows else ["name", "threshold"])


def _point_row(
    name: str, point: OperatingPoint, prevalences: Sequence[float]
) -> dict[str, str | float]:
    restated = {f"ppv_at_{share:g}": ppv_at_prevalence(point, share) for share in prevalences}
    return {
        "name": name,
        "threshold": point.threshold,
        "true_positives": point.true_positives,
        "false_positives": point.false_positives,
        "false_negatives": point.false_negatives,
        "true_negatives": point.true_negatives,
        **_flatten({**dict(describe_rates(point)), **restated}),
    }


def _flatten(figures: Mapping[str, Estimate]) -> dict[str, float]:
    entries = (name_limits(name, estimate) for name, estimate in figures.items())
    return {key: value for of_one in entries for key, value in of_one.items()}


def _flatten_defined(figures: Mapping[str, Estimate]) -> dict[str, float]:
    return _flatten({name: value for name, value in figures.items() if value.is_defined})
