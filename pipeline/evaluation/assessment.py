"""The whole judgement of a table of out-of-fold predictions."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from pipeline.config.evaluate import EvaluateConfig, OperatingPointRule
from pipeline.domain.errors import ModelingError
from pipeline.evaluation.acceptance import Criterion, judge_acceptance
from pipeline.evaluation.calibration import calibration_groups
from pipeline.evaluation.comparisons import compare_with_others
from pipeline.evaluation.corrected_resampling import estimate_fold_mean
from pipeline.evaluation.decision_curve import decision_curve
from pipeline.evaluation.estimate import Estimate
from pipeline.evaluation.flat import (
    declared_metrics,
    rate_metrics,
    set_metrics,
    tabulate_points,
    tabulate_sets,
)
from pipeline.evaluation.operating_points import (
    OperatingPoint,
    judge_threshold,
    threshold_for_specificity,
)
from pipeline.evaluation.out_of_fold import OutOfFold, collect_out_of_fold, pick_run
from pipeline.evaluation.outcomes import Floats
from pipeline.evaluation.performance import measure_performance
from pipeline.evaluation.resampling import draw_resamples
from pipeline.evaluation.roc import roc_band, roc_points
from pipeline.evaluation.safe_thresholds import SafeThreshold, find_rule_in, find_rule_out


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """Everything that is reported about the predictions.

    Parameters
    ----------
    declared : OutOfFold
        The headlined run.
    metrics : dict of str to float
        Flat, the declared run's figures first, then ``<set>/<candidate>/<figure>``; undefined
        figures are left out.
    sets : pandas.DataFrame
        One row a run: ``feature_set, candidate``, then each figure with ``_low`` and ``_high``.
    comparisons : pandas.DataFrame
        From :func:`pipeline.evaluation.comparisons.compare_with_others`.
    operating_points : pandas.DataFrame
        One row an operating point: counts, rates with limits, PPV at other prevalences.
    rule_in, rule_out : SafeThreshold
        The declared run's safe thresholds, if any.
    roc, roc_band, calibration, decision : pandas.DataFrame
        Tables of the plots; ``roc`` and ``decision`` hold the comparators too.
    acceptance : tuple of Criterion
        Whether the model may be promoted.
    """

    declared: OutOfFold
    metrics: dict[str, float]
    sets: pd.DataFrame = field(repr=False)
    comparisons: pd.DataFrame = field(repr=False)
    operating_points: pd.DataFrame = field(repr=False)
    rule_in: SafeThreshold
    rule_out: SafeThreshold
    roc: pd.DataFrame = field(repr=False)
    roc_band: pd.DataFrame = field(repr=False)
    calibration: pd.DataFrame = field(repr=False)
    decision: pd.DataFrame = field(repr=False)
    acceptance: tuple[Criterion, ...]


def assess_predictions(predictions: pd.DataFrame, config: EvaluateConfig) -> Assessment:
    """Judge out-of-fold predictions.

    Parameters
    ----------
    predictions : pandas.DataFrame
        ``feature_set, candidate, repeat, fold, patient_id, y, p``.
    config : EvaluateConfig
        Which run is declared, its comparators, levels and thresholds.

    Raises
    ------
    ModelingError
        If the table is unfit or lacks the declared run.
    """
    runs = collect_out_of_fold(predictions)
    declared = _find_declared(runs, config)
    y, p, level = declared.y, declared.p, config.level
    resamples = draw_resamples(len(y), config.bootstraps, config.seed)
    figures = [_figures_of(run, resamples, level) for run in runs]
    comparisons = compare_with_others(declared, runs, config.comparators, level)
    points = [(rule.name, _judge_rule(declared, rule, level)) for rule in config.operating_points]
    compared = [declared, *_available(runs, comparisons)]
    metrics = {
        **declared_metrics(declared, figures[runs.index(declared)], comparisons),
        **rate_metrics(points),
        **set_metrics(runs, figures),
    }
    return Assessment(
        declared=declared,
        metrics=metrics,
        sets=tabulate_sets(runs, figures),
        comparisons=comparisons,
        operating_points=tabulate_points(points, config.prevalences),
        rule_in=find_rule_in(y, p, config.rule_in_ppv, level),
        rule_out=find_rule_out(y, p, config.rule_out_npv, level),
        roc=_stack(compared, [roc_points(run.y, run.p) for run in compared]),
        roc_band=roc_band(y, p, resamples, level),
        calibration=calibration_groups(y, p, config.calibration_groups, level),
        decision=_stack(compared, _decision_curves(compared, config, resamples)),
        acceptance=tuple(judge_acceptance(metrics, config.acceptance)),
    )


def _find_declared(runs: Sequence[OutOfFold], config: EvaluateConfig) -> OutOfFold:
    wanted = config.declared
    for run in runs:
        if (run.feature_set, run.candidate) == (wanted.feature_set, wanted.candidate):
            return run
    known = ", ".join(f"{run.feature_set}/{run.candidate}" for run in runs)
    msg = (
        f"predictions: expected the declared {wanted.feature_set}/{wanted.candidate}, got {known}."
        " Name one of these as declared in evaluate.yaml, or train it."
    )
    raise ModelingError(msg)


def _figures_of(run: OutOfFold, resamples: Floats, level: float) -> dict[str, Estimate]:
    figures = measure_performance(run.y, run.p, resamples, level)
    folds = estimate_fold_mean(run.fold_aucs, run.test_to_train, level)
    # The t interval knows no bounds; an AUC does.
    figures["auc_folds"] = Estimate(folds.value, max(folds.low, 0.0), min(folds.high, 1.0))
    return figures


def _judge_rule(run: OutOfFold, rule: OperatingPointRule, level: float) -> OperatingPoint:
    threshold = rule.threshold
    if threshold is None:
        threshold = threshold_for_specificity(run.y, run.p, rule.min_specificity or 0.0)
    return judge_threshold(run.y, run.p, threshold, level)


def _available(runs: Sequence[OutOfFold], comparisons: pd.DataFrame) -> list[OutOfFold]:
    present = comparisons[comparisons["available"].astype(bool)]
    found = [
        pick_run(runs, name, candidate)
        for name, candidate in zip(present["feature_set"], present["candidate"], strict=True)
    ]
    return [run for run in found if run is not None]


def _decision_curves(
    runs: Sequence[OutOfFold], config: EvaluateConfig, resamples: Floats
) -> list[pd.DataFrame]:
    thresholds = config.decision_curve.thresholds
    return [decision_curve(run.y, run.p, thresholds, resamples, config.level) for run in runs]


def _stack(runs: Sequence[OutOfFold], tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    named = []
    for run, table in zip(runs, tables, strict=True):
        table.insert(0, "feature_set", run.feature_set)
        named.append(table)
    return pd.concat(named, ignore_index=True)
