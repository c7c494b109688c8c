"""Stage ``evaluate``: out-of-fold predictions to figures with intervals, plots and a verdict."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.cli import ExitCode, run_command

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.config.evaluate import EvaluateConfig
    from pipeline.evaluation.assessment import Assessment
    from pipeline.evaluation.safe_thresholds import SafeThreshold

MOST_CURVES = 6
"""Curves in one picture: the declared set and five others; more cannot be told apart."""


def run(predictions: "pd.DataFrame", config: "EvaluateConfig") -> "Assessment":
    """Judge the predictions of the train stage.

    Inputs
    ------
    predictions
        One row a feature set, candidate, repeat and patient: ``feature_set, candidate, repeat,
        fold, patient_id, y, p``; probabilities from 0 to 1.
    config
        ``configs/evaluate.yaml``.

    Outputs
    -------
    Assessment
        Figures with intervals, comparisons, thresholds, tables of the plots, acceptance.

    Raises
    ------
    ModelingError
        If the table is unfit or lacks the declared run.
    """
    from pipeline.evaluation.assessment import assess_predictions

    return assess_predictions(predictions, config)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from the command line."""
    return run_command(_command, argv)


def _command(argv: Sequence[str]) -> ExitCode:
    parser = argparse.ArgumentParser(prog="python -m pipeline.stages.evaluate", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="configs/evaluate.yaml")
    parser.add_argument("--predictions", type=Path, required=True, help="predictions.parquet")
    parser.add_argument("--cohort", type=Path, required=True, help="cohort.json")
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")
    paths = parser.parse_args(argv)

    import pandas as pd

    from pipeline.config.evaluate import EvaluateConfig
    from pipeline.config.loading import load_settings
    from pipeline.report.sources import read_json, read_table

    config = load_settings(EvaluateConfig, paths.config)
    cohort = read_json(paths.cohort)
    assessment = run(read_table(paths.predictions, pd.read_parquet), config)
    _write_tables(assessment, config, paths.out)
    _write_pictures(assessment, cohort, paths.out)
    return ExitCode.DONE


def _write_tables(assessment: "Assessment", config: "EvaluateConfig", out: Path) -> None:
    from pipeline.tabular import write_csv, write_json, write_text

    # Not sorted: the declared run's figures come first, where people and tools look.
    figures = json.dumps(assessment.metrics, indent=2, allow_nan=False)
    write_text(figures + "\n", out / "metrics.json")
    write_json([item._asdict() for item in assessment.acceptance], out / "acceptance.json")
    write_json(_summarise(assessment, config), out / "summary.json")
    for name in ("sets", "comparisons", "operating_points", "roc", "calibration", "decision"):
        write_csv(getattr(assessment, name), out / f"{name}.csv")
    write_csv(assessment.roc_band, out / "roc_band.csv")


def _summarise(assessment: "Assessment", config: "EvaluateConfig") -> dict[str, Any]:
    return {
        "declared": config.declared.model_dump(),
        "level": config.level,
        "bootstraps": config.bootstraps,
        "seed": config.seed,
        "prevalences": list(config.prevalences),
        "decision_curve": config.decision_curve.model_dump(),
        "rule_in": _describe_safe(assessment.rule_in),
        "rule_out": _describe_safe(assessment.rule_out),
    }


def _describe_safe(found: "SafeThreshold") -> dict[str, Any]:
    if found.threshold is None:
        return {**asdict(found), "value": None}  # JSON knows no NaN
    return asdict(found)


def _write_pictures(assessment: "Assessment", cohort: dict[str, Any], out: Path) -> None:
    from pipeline.report import figures

    note = "synthetic, not evidence" if cohort["synthetic"] else ""
    comparisons = assessment.comparisons
    shown = comparisons[comparisons["available"].astype(bool)]["feature_set"].tolist()
    sets = [assessment.declared.feature_set, *shown][:MOST_CURVES]
    outcome = cohort["outcome"]["name"]
    figures.write_figure(
        figures.draw_roc(assessment.roc, assessment.roc_band, sets, note), out / "roc"
    )
    figures.write_figure(
        figures.draw_calibration(assessment.calibration, outcome, note), out / "calibration"
    )
    figures.write_figure(figures.draw_decision(assessment.decision, sets, note), out / "decision")


if __name__ == "__main__":
    raise SystemExit(main())
