"""Refuse predictors that know the outcome."""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

import numpy as np
import pandas as pd

from pipeline.domain.errors import LeakageError
from pipeline.modeling.estimators import Matrix

ENOUGH_TO_JUDGE = 10
"""Present values from which a column that equals the outcome is no coincidence: a two-valued
column that knows nothing agrees with ten outcomes, or with their opposites, once in 500."""


def check_predictors(
    columns: pd.DataFrame, y: "pd.Series[int]", forbidden_patterns: Sequence[str]
) -> None:
    """Refuse columns that are the outcome or only known after it, all of them at once.

    Does not find a column that merely correlates with the outcome, however strongly: that is what
    a good predictor does.

    Parameters
    ----------
    columns : pandas.DataFrame
        The predictors, numeric, a row a patient.
    y : pandas.Series of {0, 1}
        The outcome in the same order; its name is the target's.
    forbidden_patterns : sequence of str
        Shell patterns of names that are only known after the outcome.

    Raises
    ------
    LeakageError
        Naming every such column and why.
    """
    reasons = [
        *_find_forbidden_names(columns, str(y.name), forbidden_patterns),
        *_find_copies(columns, np.asarray(y, dtype=np.float64)),
    ]
    if reasons:
        msg = (
            f"{len(reasons)} predictor(s) know the outcome: expected only what is known before"
            f" it, got {'; '.join(reasons)}. Remove the columns from the table."
        )
        raise LeakageError(msg)


def _find_forbidden_names(
    columns: pd.DataFrame, target: str, patterns: Sequence[str]
) -> Iterator[str]:
    for name in map(str, columns.columns):
        matched = [pattern for pattern in patterns if fnmatchcase(name, pattern)]
        if name == target:
            yield f"column {name} (the outcome itself)"
        elif matched:
            yield f"column {name} (not_predictors: {matched[0]})"


def _find_copies(columns: pd.DataFrame, y: Matrix) -> Iterator[str]:
    for name in columns.columns:
        values = columns[name].to_numpy(dtype=np.float64)
        present = np.isfinite(values)
        enough = present.sum() >= min(ENOUGH_TO_JUDGE, y.size)
        if enough and _tells_apart_alike(values[present], y[present]):
            yield f"column {name} (equal to the outcome or its opposite in every row)"


def _tells_apart_alike(values: Matrix, y: Matrix) -> bool:
    """Tell whether values take two levels, one for each outcome."""
    levels, outcomes = np.unique(values), np.unique(y)
    if levels.size != 2 or outcomes.size != 2:
        return False
    high = values == levels[1]
    return bool((high == (y == 1)).all() or (high == (y == 0)).all())
