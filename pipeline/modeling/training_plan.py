"""Which feature sets and comparators can be trained on a table, and why others cannot."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from pipeline.config.train import AVERAGE, LOGISTIC, TrainConfig
from pipeline.domain.errors import ModelingError
from pipeline.domain.features import FeatureSpec
from pipeline.modeling.crossvalidation import Experiment
from pipeline.modeling.scores import summarise_predictions


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """What will be trained.

    Parameters
    ----------
    experiments : tuple of Experiment
        Feature sets, then comparators, in the order of the settings.
    declared : Experiment
        The one that becomes the model.
    skipped : dict of str to str
        Reason by name.
    """

    experiments: tuple[Experiment, ...]
    declared: Experiment
    skipped: dict[str, str] = field(default_factory=dict)

    def describe(self, predictions: pd.DataFrame) -> dict[str, Any]:
        """Return, by experiment, its number of features and the scores of its candidates."""
        return {
            experiment.name: {
                "features": len(experiment.columns),
                "scores": {
                    str(candidate): summarise_predictions(rows)
                    for candidate, rows in predictions[
                        predictions["feature_set"] == experiment.name
                    ].groupby("candidate", sort=False)
                },
            }
            for experiment in self.experiments
        }


def plan_experiments(
    specs: Sequence[FeatureSpec], values: pd.DataFrame, config: TrainConfig
) -> TrainingPlan:
    """Find the columns of every feature set and comparator.

    Parameters
    ----------
    specs : sequence of FeatureSpec
        Meaning of the columns.
    values : pandas.DataFrame
        Patients with an outcome.
    config : TrainConfig
        Feature sets, comparators and what is declared.

    Raises
    ------
    ModelingError
        If the declared feature set has no usable column.
    """
    wanted = {
        name: tuple(spec.name for spec in specs if spec.group in groups)
        for name, groups in config.feature_sets.items()
    }
    varied = {str(name) for name in values if values[name].nunique() > 1}
    skipped = {name: why for name, columns in wanted.items() if (why := _reason(columns, varied))}
    experiments = [
        # All candidates are judged on every set, whichever is declared.
        Experiment(name, columns, AVERAGE)
        for name, columns in wanted.items()
        if name not in skipped
    ]
    for name, columns in config.comparators.items():
        absent = [column for column in columns if column not in varied]
        if absent:
            skipped[name] = f"columns absent, empty or constant: {', '.join(absent)}"
        else:
            experiments.append(Experiment(name, columns, LOGISTIC))
    declared = [item for item in experiments if item.name == config.declared.feature_set]
    if not declared:
        name = config.declared.feature_set
        msg = (
            f"train.yaml: declared feature set {name}: expected a column with two different"
            f" values, got {skipped[name]}. Declare another set or provide its data."
        )
        raise ModelingError(msg)
    return TrainingPlan(tuple(experiments), declared[0], skipped)


def _reason(columns: Sequence[str], varied: set[str]) -> str:
    if not columns:
        return "the table has no column of these groups"
    return "" if varied.intersection(columns) else "all its columns are empty or constant"
