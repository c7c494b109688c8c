"""Stage ``train``: cross-validate every feature set, refit the declared procedure, bundle it.

Inputs
    The feature table, the checked cohort's outcome and, where features must be stable, their ICC;
    voxels of tumours, whose habitats are found anew in each training part.
Outputs
    Out-of-fold predictions of every feature set, candidate and comparator on identical folds, a
    summary, the declared procedure fitted on all patients as a model bundle, and the inputs that it
    was fitted on.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.cli import ExitCode, at_least_one, run_command

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.pipeline import Pipeline

    from pipeline.config.cohort import CohortConfig
    from pipeline.config.train import TrainConfig
    from pipeline.domain.features import FeatureSpec, FeatureTable
    from pipeline.modeling.crossvalidation import LabelledTable
    from pipeline.modeling.habitat_data import HabitatData
    from pipeline.modeling.habitat_models import Models


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What training found.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Out of fold: ``feature_set, candidate, repeat, fold, patient_id, y, p``.
    summary : dict
        Settings, counts, scores, what was skipped and why, warnings.
    procedure : sklearn.pipeline.Pipeline
        The declared one, fitted on all patients with an outcome.
    features : tuple of FeatureSpec
        Its inputs, in order.
    table : LabelledTable
        The patients it was fitted on.
    habitats : mapping of str to HabitatModel
        By modality, found in all their tumours.
    """

    predictions: "pd.DataFrame" = field(repr=False)
    summary: dict[str, Any] = field(repr=False)
    procedure: "Pipeline" = field(repr=False)
    features: "tuple[FeatureSpec, ...]" = field(repr=False)
    table: "LabelledTable" = field(repr=False)
    habitats: "Models" = field(default_factory=dict, repr=False)


def run(
    table: "FeatureTable",
    outcome: "pd.Series[float]",
    config: "TrainConfig",
    jobs: int = 1,
    stability: "pd.DataFrame | None" = None,
    habitats: "HabitatData | None" = None,
) -> TrainingResult:
    """Cross-validate and refit.

    Parameters
    ----------
    table : FeatureTable
        One row a patient.
    outcome : pandas.Series of {0, 1, NaN}
        Indexed by ``patient_id``, named like its column. Patients without one are left out and
        counted.
    config : TrainConfig
        Folds, candidates, feature sets.
    jobs : int
        Processes; the result does not depend on them.
    stability : pandas.DataFrame, optional
        ICC of radiomic features, as the stage stability writes it; needed for ``minimum_icc``.
    habitats : HabitatData, optional
        Voxels of tumours; without them there are no habitat features.

    Raises
    ------
    ModelingError
        If the table is not fit for training, the declared feature set has no usable column, or a
        radiomic feature has no ICC where one is asked for.
    LeakageError
        If a column knows the outcome.
    """
    from dataclasses import asdict

    from pipeline.modeling.crossvalidation import cross_validate
    from pipeline.modeling.habitat_features import learn_habitats
    from pipeline.modeling.leakage import check_predictors
    from pipeline.modeling.procedure import build_procedure, fit_procedure
    from pipeline.modeling.splits import split_repeatedly
    from pipeline.modeling.stable_features import keep_stable
    from pipeline.modeling.table_checks import check_outcome, check_training_table
    from pipeline.modeling.training_plan import plan_experiments

    stable = keep_stable(table, stability, config.preprocessing.minimum_icc)
    labelled = _with_outcome(stable.table, outcome)
    check_outcome(labelled.y, config)
    patients = tuple(labelled.values.index)
    folds = split_repeatedly(labelled.y, None, config.outer_folds, config.repeats, config.seed)
    learned = learn_habitats(stable.table, patients, folds, habitats, config.habitats)
    table, labelled = learned.table, _with_outcome(learned.table, outcome)
    warnings = check_training_table(labelled.values, labelled.y, None, config)
    target = outcome.loc[labelled.values.index].astype(int)
    check_predictors(labelled.values, target, config.not_predictors)
    plan = plan_experiments(table.specs, labelled.values, config)
    predictions = cross_validate(
        labelled, plan.experiments, folds, config, jobs, learned.fold_features
    )
    declared = plan.declared
    procedure = build_procedure(config.declared.candidate, config)
    fit_procedure(procedure, labelled.matrix(declared.columns), labelled.y)
    chosen = set(declared.columns)
    summary = {
        **config.model_dump(mode="json", exclude={"feature_sets", "comparators"}),
        "patients": _count(table, labelled),
        "feature_sets": plan.describe(predictions),
        "skipped": plan.skipped,
        "unstable": {"features": len(stable.dropped), "reasons": stable.dropped},
        "habitat_tumours": {name: asdict(count) for name, count in learned.tumours.items()},
        "warnings": warnings,
    }
    specs = tuple(spec for spec in table.specs if spec.name in chosen)
    return TrainingResult(predictions, summary, procedure, specs, labelled, learned.models)


def _with_outcome(table: "FeatureTable", outcome: "pd.Series[float]") -> "LabelledTable":
    import numpy as np

    from pipeline.modeling.crossvalidation import LabelledTable

    known = outcome.reindex(table.values.index)
    values = table.values[known.notna()]
    return LabelledTable(values, np.asarray(known.dropna(), dtype=np.int64))


def _count(table: "FeatureTable", labelled: "LabelledTable") -> dict[str, int]:
    return {
        "in_table": len(table.values),
        "with_outcome": len(labelled.values),
        "without_outcome": len(table.values) - len(labelled.values),
        "events": int(labelled.y.sum()),
    }


def _command(argv: Sequence[str]) -> ExitCode:
    args = _parse(argv)

    import joblib

    from pipeline.config.cohort import load_cohort_config
    from pipeline.config.loading import load_settings
    from pipeline.config.train import TrainConfig
    from pipeline.domain.features import FeatureTable
    from pipeline.ingest.cohort import read_checked_cohort
    from pipeline.modeling.habitat_data import HabitatData
    from pipeline.modeling.stable_features import read_stability
    from pipeline.tabular import (
        read_feature_table,
        write_feature_table,
        write_json,
        write_parquet,
    )

    config = load_settings(TrainConfig, args.config)
    cohort = load_cohort_config(args.cohort_config)
    table = read_feature_table(args.features)
    patients = read_checked_cohort(args.cohort).patients.set_index("patient_id")
    outcome = cohort.outcome.is_positive(patients[cohort.outcome.column].astype(float))
    stability = read_stability(args.stability) if args.stability else None
    habitats = None
    if args.habitats:
        habitats = HabitatData.load(args.habitats, args.weights, cohort.scoring_timepoint)
    result = run(table, outcome, config, args.jobs or joblib.cpu_count(), stability, habitats)
    write_parquet(result.predictions, args.out / "predictions.parquet")
    write_json(result.summary, args.out / "train.json")
    inputs = result.table.values[[spec.name for spec in result.features]]
    write_feature_table(FeatureTable(inputs, result.features), args.out / "inputs.parquet")
    _write_bundle(result, cohort, config, args)
    return ExitCode.DONE


def _write_bundle(
    result: TrainingResult, cohort: "CohortConfig", config: "TrainConfig", args: argparse.Namespace
) -> None:
    import json

    from pipeline.modeling.bundle_contents import (
        BundleContents,
        OutcomeDescription,
        TrainingCounts,
        measure_ranges,
    )
    from pipeline.modeling.bundle_writer import (
        collect_settings,
        hash_inputs,
        list_versions,
        write_bundle,
    )
    from pipeline.modeling.habitat_models import to_plain
    from pipeline.modeling.manifest import hash_file

    about = json.loads((args.cohort / "cohort.json").read_text(encoding="utf-8"))
    settings = collect_settings(args.configs, cohort)
    table, declared = result.table, config.declared
    judged = args.stability if config.preprocessing.minimum_icc is not None else None
    tables = [path for path in (args.habitats, args.weights, judged) if path is not None]
    scores = result.summary["feature_sets"][declared.feature_set]["scores"]
    contents = BundleContents(
        features=result.features,
        outcome=OutcomeDescription(**cohort.outcome.model_dump()),
        synthetic=bool(about["synthetic"]),
        training=TrainingCounts(int(table.y.size), int(table.y.sum())),
        training_ranges=measure_ranges(table.values, [spec.name for spec in result.features]),
        out_of_fold=scores[declared.candidate],
        declared=declared.model_dump(),
        seed=config.seed,
        sha256=hash_inputs(args.features, settings)
        | {path.name: hash_file(path) for path in tables},
        versions=list_versions(),
        revision=args.revision,
        habitats=to_plain(result.habitats),
    )
    # The worked example is nobody's row: a bundle travels, patients' data does not.
    write_bundle(args.bundle, contents, result.procedure, table.values.median(), settings)


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="pipeline.stages.train", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="train.yaml")
    parser.add_argument("--features", type=Path, required=True, help="feature table (Parquet)")
    parser.add_argument("--stability", type=Path, help="table of stage stability (minimum_icc)")
    parser.add_argument("--habitats", type=Path, help="voxels of tumours, of stage measure")
    parser.add_argument("--weights", type=Path, help="of stage assemble; goes with --habitats")
    parser.add_argument("--cohort", type=Path, required=True, help="the checked cohort's folder")
    parser.add_argument("--configs", type=Path, required=True, help="settings to put in the bundle")
    parser.add_argument("--cohort-config", type=Path, required=True, help="cohort.yaml")
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")
    parser.add_argument("--bundle", type=Path, required=True, help="folder for the model bundle")
    parser.add_argument("--jobs", type=at_least_one, help="processes (default: one a core)")
    parser.add_argument("--revision", help="git revision to note in the bundle")
    args = parser.parse_args(argv)
    if (args.habitats is None) != (args.weights is None):
        parser.error("--habitats and --weights go together: give both or neither")
    return args


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from the command line."""
    return run_command(_command, argv)


if __name__ == "__main__":
    raise SystemExit(main())
