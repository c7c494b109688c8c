"""Folds that keep a patient's rows together and share out the outcome evenly."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from pipeline.modeling.estimators import Groups, Labels

Rows: TypeAlias = npt.NDArray[np.int64]
"""Positions of rows."""
Repeats: TypeAlias = Sequence[Sequence[Rows]]
"""For each repeat, for each fold, the rows that are tested."""


def split_repeatedly(
    y: Labels, groups: Groups, folds: int, repeats: int, seed: int
) -> list[list[Rows]]:
    """Make stratified folds, several times over with different shuffles.

    Returns
    -------
    list of list of numpy.ndarray
        Tested rows by repeat and fold; in each repeat every row is tested exactly once.
    """
    return [
        [test for _, test in _split(y, groups, folds, seed + repeat)] for repeat in range(repeats)
    ]


def split_for_tuning(y: Labels, groups: Groups, folds: int, seed: int) -> list[tuple[Rows, Rows]]:
    """Make inner folds, as many as asked for or as the rarer class allows.

    Returns
    -------
    list of (train, test)
        Row positions. Empty where the rarer class has fewer than two units, or where no split
        leaves both classes to train on.
    """
    possible = min(folds, count_rarer_class(y, groups))
    if possible < 2:
        return []
    pairs = _split(y, groups, possible, seed)
    return [(train, test) for train, test in pairs if np.unique(y[train]).size == 2]


def count_rarer_class(y: Labels, groups: Groups) -> int:
    """Count the units (groups, or rows where there are none) that hold the rarer class."""
    units = np.arange(y.size) if groups is None else groups
    return min(np.unique(units[y == label]).size for label in (0, 1))


def training_rows(test: Rows, total: int) -> Rows:
    """Return the rows that are not tested, in order."""
    return np.setdiff1d(np.arange(total), test)


def _split(y: Labels, groups: Groups, folds: int, seed: int) -> list[tuple[Rows, Rows]]:
    maker = StratifiedKFold if groups is None else StratifiedGroupKFold
    splitter = maker(n_splits=folds, shuffle=True, random_state=seed)
    return list(splitter.split(np.zeros(y.size), y, groups))
