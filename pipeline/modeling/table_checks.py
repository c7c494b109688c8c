"""Refuse tables that no model can honestly be trained on."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from pipeline.config.train import TrainConfig
from pipeline.domain.errors import ModelingError
from pipeline.modeling.estimators import Groups, Labels
from pipeline.modeling.splits import count_rarer_class

SHOWN = 5
"""Names listed in a message before it says how many more there are."""


def check_training_table(
    values: pd.DataFrame, y: Labels, groups: Groups, config: TrainConfig
) -> list[str]:
    """Refuse an unfit table, all reasons at once; return what is only worth a warning.

    Parameters
    ----------
    values : pandas.DataFrame
        Predictors, a row an identifier.
    y : numpy.ndarray of {0, 1}
        Outcomes in the same order.
    groups : numpy.ndarray or None
        Patient of each row where a patient may have several.
    config : TrainConfig
        Folds and the least number of events.

    Returns
    -------
    list of str
        Warnings.

    Raises
    ------
    ModelingError
        If identifiers repeat, columns are not numbers, or an outcome is too rare.
    """
    problems = [*_find_table_problems(values), *_find_outcome_problems(y, groups, config)]
    if problems:
        raise ModelingError("\n".join(problems))
    rarer = count_rarer_class(y, groups)
    if rarer >= config.warn_events_per_class:
        return []
    return [
        f"only {rarer} patients have the rarer outcome (fewer than"
        f" {config.warn_events_per_class}): every figure is very uncertain."
    ]


def check_outcome(y: Labels, config: TrainConfig) -> None:
    """Refuse outcomes that cannot be shared out over folds.

    Raises
    ------
    ModelingError
        If one is too rare.
    """
    problems = list(_find_outcome_problems(y, None, config))
    if problems:
        raise ModelingError("\n".join(problems))


def list_some(names: list[str]) -> str:
    """Return the first names and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _find_table_problems(values: pd.DataFrame) -> Iterator[str]:
    twice = sorted({str(label) for label in values.index[values.index.duplicated()]})
    if twice:
        yield (
            f"identifiers: expected one row each, got several for {list_some(twice)}."
            " Merge the rows, or give each row its own identifier and name the patient's column"
            " as the group."
        )
    if values.shape[1] == 0:
        yield "columns: expected at least one predictor, got none. Add feature columns."
    texts = [str(name) for name in values if not _is_number(values[name])]
    if texts:
        yield (
            f"columns {list_some(texts)}: expected numbers, got text or dates."
            " Encode or remove them."
        )
    infinite = [
        str(name)
        for name in values
        if str(name) not in texts and np.isinf(values[name].to_numpy(dtype=np.float64)).any()
    ]
    if infinite:
        yield (
            f"columns {list_some(infinite)}: expected finite numbers, got infinity."
            " Mend the computation, or leave the cell empty."
        )


def _is_number(column: "pd.Series[float]") -> bool:
    return is_numeric_dtype(column) or is_bool_dtype(column)


def _find_outcome_problems(y: Labels, groups: Groups, config: TrainConfig) -> Iterator[str]:
    if np.unique(y).size < 2:
        yield (
            f"outcome: expected both classes, got {y.size} rows that are all"
            f" {y[0] if y.size else 'missing'}. Check the outcome's column and rule, or add"
            " patients of the other class."
        )
        return
    needed = max(config.min_events_per_class, config.outer_folds)
    rarer = count_rarer_class(y, groups)
    if rarer < needed:
        yield (
            f"outcome: expected at least {needed} patients of each class"
            f" (min_events_per_class {config.min_events_per_class}, outer_folds"
            f" {config.outer_folds}), got {rarer} of the rarer. Add patients: a model of so few"
            " cannot be told from chance."
        )
