"""The procedure refitted and judged fold by fold, several columns sets on identical folds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from pipeline.config.train import TrainConfig
from pipeline.domain.errors import ModelingError
from pipeline.modeling.estimators import Groups, Labels, Matrix
from pipeline.modeling.procedure import build_procedure, fit_procedure, predict_by_candidate
from pipeline.modeling.splits import Repeats, Rows, training_rows

PREDICTION_COLUMNS = ["feature_set", "candidate", "repeat", "fold", "patient_id", "y", "p"]
"""Columns of the out-of-fold predictions; repeats and folds count from 1."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """One feature set with one procedure.

    Parameters
    ----------
    name : str
        Feature set or comparator.
    columns : tuple of str
        Its columns.
    candidate : str
        What is fitted; of an average, the members are judged too.
    """

    name: str
    columns: tuple[str, ...] = field(repr=False)
    candidate: str


@dataclass(frozen=True, slots=True)
class LabelledTable:
    """What is cross-validated.

    Parameters
    ----------
    values : pandas.DataFrame
        A row a patient (or row identifier), a column a feature, NaN where missing.
    y : numpy.ndarray of {0, 1}, shape (rows,)
        Outcomes.
    groups : numpy.ndarray or None, shape (rows,)
        Patient of each row, where a patient may have several.
    """

    values: pd.DataFrame = field(repr=False)
    y: Labels = field(repr=False)
    groups: Groups = field(default=None, repr=False)

    def matrix(self, columns: Sequence[str]) -> Matrix:
        """Return the columns as floats, shape (rows, columns)."""
        return self.values[list(columns)].to_numpy(dtype=np.float64)


FoldFeatures: TypeAlias = Callable[[Rows], pd.DataFrame]
"""From the training rows to columns of all rows, in the table's order, that are learned from the
training rows alone."""

_Task: TypeAlias = tuple[Experiment, int, int]
"""Experiment, repeat and fold."""


def cross_validate(
    table: LabelledTable,
    experiments: Sequence[Experiment],
    repeats: Repeats,
    config: TrainConfig,
    jobs: int,
    fold_features: FoldFeatures | None = None,
) -> pd.DataFrame:
    """Predict every row by procedures that were fitted without it.

    Parameters
    ----------
    table : LabelledTable
        Checked already.
    experiments : sequence of Experiment
        All on the same folds.
    repeats : sequence of sequence of numpy.ndarray
        Tested rows by repeat and fold.
    config : TrainConfig
        Settings of the procedure.
    jobs : int
        Processes. The result does not depend on it, bit for bit.
    fold_features : callable, optional
        Learns columns: in each fold they take the place of the table's columns of their names.

    Returns
    -------
    pandas.DataFrame
        ``PREDICTION_COLUMNS``, ordered by experiment, candidate, repeat, fold and row.

    Raises
    ------
    ModelingError
        If a training part has one class only or no column that varies.
    """
    tasks: list[_Task] = [
        (experiment, repeat, fold)
        for experiment in experiments
        for repeat, folds in enumerate(repeats)
        for fold in range(len(folds))
    ]
    # The longest first, so that no process is left alone with one at the end.
    tasks.sort(key=lambda task: -len(task[0].columns))
    run = Parallel(n_jobs=jobs, batch_size=1)
    learned = _learn_columns(table, repeats, fold_features)
    fitted = run(
        delayed(_predict_fold)(
            _matrix(table, task[0].columns, learned.get(task[1:])),
            table.y,
            table.groups,
            repeats[task[1]][task[2]],
            (task[0], config),
        )
        for task in tasks
    )
    rows = [
        _as_frame(table, task, candidate, repeats[task[1]][task[2]], p)
        for task, probabilities in zip(tasks, fitted, strict=True)
        for candidate, p in probabilities.items()
    ]
    return _in_order(pd.concat(rows), experiments, config)


def _learn_columns(
    table: LabelledTable, repeats: Repeats, fold_features: FoldFeatures | None
) -> dict[tuple[int, int], pd.DataFrame]:
    """Return the learned columns by repeat and fold; once for all experiments.

    In this process: what they are learned from may be large, and would be copied to each other.
    """
    if fold_features is None:
        return {}
    return {
        (repeat, fold): fold_features(training_rows(test, table.y.size))
        for repeat, folds in enumerate(repeats)
        for fold, test in enumerate(folds)
    }


def _matrix(table: LabelledTable, columns: Sequence[str], learned: pd.DataFrame | None) -> Matrix:
    X = table.matrix(columns)
    for place, name in enumerate(columns):
        if learned is not None and name in learned:
            X[:, place] = learned[name]
    return X


def _predict_fold(
    X: Matrix, y: Labels, groups: Groups, test: Rows, what: tuple[Experiment, TrainConfig]
) -> dict[str, Matrix]:
    experiment, config = what
    train = training_rows(test, y.size)
    if np.unique(y[train]).size < 2:
        msg = (
            f"feature set {experiment.name}: a training part of {train.size} rows has one outcome"
            " only, expected both. Use folds that spread the rarer outcome."
        )
        raise ModelingError(msg)
    procedure = build_procedure(experiment.candidate, config)
    fit_procedure(procedure, X[train], y[train], None if groups is None else groups[train])
    return predict_by_candidate(procedure, X[test], experiment.candidate)


def _as_frame(
    table: LabelledTable, task: _Task, candidate: str, test: Rows, p: Matrix
) -> pd.DataFrame:
    experiment, repeat, fold = task
    return pd.DataFrame(
        {
            "feature_set": experiment.name,
            "candidate": candidate,
            "repeat": repeat + 1,
            "fold": fold + 1,
            "patient_id": table.values.index[test],
            "y": table.y[test],
            "p": p,
        }
    )


def _in_order(
    predictions: pd.DataFrame, experiments: Sequence[Experiment], config: TrainConfig
) -> pd.DataFrame:
    """Sort as configured, so that the file does not depend on which fit took longest."""
    sets = {experiment.name: place for place, experiment in enumerate(experiments)}
    candidates = {name: place for place, name in enumerate(config.candidates)}
    return (
        predictions.assign(
            _set=predictions["feature_set"].map(sets),
            _candidate=predictions["candidate"].map(candidates).fillna(len(candidates)),
        )
        .sort_values(["_set", "_candidate", "repeat", "fold"], kind="stable", ignore_index=True)
        .loc[:, PREDICTION_COLUMNS]
    )
