"""Predictions of repeated cross-validation, checked and brought to one row a patient."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from pipeline.domain.errors import ModelingError
from pipeline.evaluation.outcomes import Bools, Floats, check_outcomes
from pipeline.evaluation.resampling import once_each
from pipeline.evaluation.scores import weighted_auc

COLUMNS = ("feature_set", "candidate", "repeat", "fold", "patient_id", "y", "p")
"""Columns of ``predictions.parquet``: one row a feature set, candidate, repeat and patient."""

_RUN = ["feature_set", "candidate"]


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """What one candidate on one feature set predicted for patients it was not trained on.

    Parameters
    ----------
    feature_set, candidate : str
        Which.
    y : numpy.ndarray of bool, shape (patients,)
        Outcomes, in the order of the patients' identifiers.
    p : numpy.ndarray, shape (patients,)
        Mean over the repeats of each patient's out-of-fold probability. Averaging lessens the luck
        of a single division into folds and makes the figures slightly better than those of one
        trained model.
    fold_aucs : numpy.ndarray, shape (repeats x folds,)
        AUC within each test fold, NaN where the fold has one class only.
    test_to_train : float
        Mean number of patients tested over trained on, a fold.
    """

    feature_set: str
    candidate: str
    y: Bools = field(repr=False)
    p: Floats = field(repr=False)
    fold_aucs: Floats = field(repr=False)
    test_to_train: float


def collect_out_of_fold(predictions: pd.DataFrame) -> tuple[OutOfFold, ...]:
    """Check the table of predictions and bring it to one row a patient.

    Parameters
    ----------
    predictions : pandas.DataFrame
        With the columns of ``COLUMNS``; more are ignored.

    Returns
    -------
    tuple of OutOfFold
        One a feature set and candidate, in the order of the table, all on the same patients.

    Raises
    ------
    ModelingError
        Listing everything that is wrong with the table.
    """
    problems = list(_find_problems(predictions))
    if problems:
        msg = "predictions: " + " ".join(problems) + " Run the train stage again."
        raise ModelingError(msg)
    return tuple(
        _collect_run(str(feature_set), str(candidate), run)
        for (feature_set, candidate), run in predictions.groupby(_RUN, sort=False)
    )


def pick_run(runs: Sequence[OutOfFold], feature_set: str, candidate: str) -> OutOfFold | None:
    """Return a feature set's run of a candidate, its only run, or None where there is none.

    Parameters
    ----------
    runs : sequence of OutOfFold
        From :func:`collect_out_of_fold`.
    feature_set, candidate : str
        What is looked for. A feature set that was trained with a single other candidate (a
        threshold on one measure, say) is represented by that one.

    Raises
    ------
    ModelingError
        If the set has several candidates, none of them the one looked for.
    """
    of_set = [run for run in runs if run.feature_set == feature_set]
    named = [run for run in of_set if run.candidate == candidate]
    if named:
        return named[0]
    if len(of_set) < 2:
        return of_set[0] if of_set else None
    known = ", ".join(run.candidate for run in of_set)
    msg = (
        f"predictions: feature set {feature_set}: no candidate {candidate}, got {known}."
        " Name one of these as declared.candidate in evaluate.yaml."
    )
    raise ModelingError(msg)


def _collect_run(feature_set: str, candidate: str, run: pd.DataFrame) -> OutOfFold:
    patients = run.groupby("patient_id", sort=True).agg(y=("y", "first"), p=("p", "mean"))
    y, p = check_outcomes(patients["y"].to_numpy(), patients["p"].to_numpy())
    folds = [fold for _, fold in run.groupby(["repeat", "fold"], sort=True)]
    ratios = [len(fold) / (len(patients) - len(fold)) for fold in folds]
    aucs = [
        float(
            weighted_auc(
                fold["y"].to_numpy(dtype=np.bool_), fold["p"].to_numpy(), once_each(len(fold))
            )[0]
        )
        for fold in folds
    ]
    return OutOfFold(feature_set, candidate, y, p, np.array(aucs), float(np.mean(ratios)))


def _find_problems(predictions: pd.DataFrame) -> Iterator[str]:
    missing = [column for column in COLUMNS if column not in predictions.columns]
    if missing:
        yield f"expected the columns {', '.join(COLUMNS)}, lacking {', '.join(missing)}."
        return
    if predictions.empty:
        yield "expected at least one row, got none."
        return
    if not predictions["y"].isin([0, 1]).all():
        yield "column y: expected 0 or 1 in every row."
    if not predictions["p"].between(0, 1).all():
        yield "column p: expected probabilities from 0 to 1 in every row."
    rows = [*_RUN, "repeat", "patient_id"]
    if predictions.duplicated(rows).any():
        first = predictions.loc[predictions.duplicated(rows), rows].iloc[0].tolist()
        yield f"expected each patient once a repeat, got twice: {'/'.join(map(str, first))}."
    if predictions.groupby("patient_id")["y"].nunique().max() > 1:
        yield "expected one outcome a patient, got several."
    yield from _find_uneven_runs(predictions)


def _find_uneven_runs(predictions: pd.DataFrame) -> Iterator[str]:
    """Find runs on other patients or other folds than the first: their figures do not compare."""
    keys = ["repeat", "fold", "patient_id"]
    first: pd.DataFrame | None = None
    for name, run in predictions.groupby(_RUN, sort=False):
        rows = run[keys].sort_values(keys, ignore_index=True)
        counts = rows.groupby("patient_id").size()
        if counts.nunique() > 1:
            yield f"{'/'.join(map(str, name))}: expected every patient in every repeat."
        if rows["fold"].nunique() < 2:
            yield f"{'/'.join(map(str, name))}: expected two or more folds."
        if first is None:
            first = rows
        elif not rows.equals(first):
            yield f"{'/'.join(map(str, name))}: folds or patients differ from the first run's."
