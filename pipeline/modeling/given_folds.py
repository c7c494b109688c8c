"""Folds that a user brings along, checked against the table."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from pipeline.domain.errors import ModelingError
from pipeline.modeling.estimators import Groups
from pipeline.modeling.splits import Rows
from pipeline.modeling.table_checks import list_some

Ids = Sequence[Sequence[Sequence[str]]]


def read_folds(path: Path, ids: Sequence[str], groups: Groups) -> list[list[Rows]]:
    """Read ``{"repeats": [[[ids tested in fold 1], [fold 2], ...], ...]}``.

    Parameters
    ----------
    path : Path
        JSON file.
    ids : sequence of str
        Identifiers of the table's rows, in order.
    groups : numpy.ndarray or None
        Patient of each row; a patient's rows must be in one fold of a repeat.

    Returns
    -------
    list of list of numpy.ndarray
        Tested rows by repeat and fold, each in table order.

    Raises
    ------
    ModelingError
        Listing what is wrong: format, unknown, missing or repeated identifiers, split patients.
    """
    repeats = _read_ids(path)
    position = {name: row for row, name in enumerate(ids)}
    problems = [
        problem
        for number, folds in enumerate(repeats, start=1)
        for problem in _find_problems(number, folds, position, groups)
    ]
    if problems:
        msg = "\n".join(f"{path}: {problem}" for problem in problems)
        raise ModelingError(f"{msg}\nMend the folds, or leave --folds out to have them made.")
    return [[np.sort([position[name] for name in fold]) for fold in folds] for folds in repeats]


def _read_ids(path: Path) -> list[list[list[str]]]:
    expected = 'expected {"repeats": [[[test ids of fold 1], [test ids of fold 2], ...], ...]}'
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        repeats = content["repeats"]
        read = [[[str(name) for name in fold] for fold in folds] for folds in repeats]
        lists = all(isinstance(fold, list) for folds in repeats for fold in folds)
    except OSError as error:
        msg = f"{path}: cannot be read ({error.strerror}). Check the path given as --folds."
        raise ModelingError(msg) from None
    except (ValueError, TypeError, KeyError):
        msg = f"{path}: {expected}, got something else. See the README for an example."
        raise ModelingError(msg) from None
    if not lists or not read or any(len(folds) < 2 or [] in folds for folds in read):
        msg = f"{path}: {expected} with two or more folds, none of them empty. Mend the file."
        raise ModelingError(msg)
    return read


def _find_problems(
    repeat: int, folds: Sequence[Sequence[str]], position: dict[str, int], groups: Groups
) -> Iterator[str]:
    listed = [name for fold in folds for name in fold]
    unknown = sorted(set(listed) - position.keys())
    missing = sorted(position.keys() - set(listed))
    twice = sorted({name for name in listed if listed.count(name) > 1})
    for what, names in (("unknown", unknown), ("missing", missing), ("repeated", twice)):
        if names:
            yield (
                f"repeat {repeat}: expected each identifier of the table once,"
                f" {what}: {list_some(names)}."
            )
    if groups is not None and not unknown:
        split = _find_split_groups(folds, position, groups)
        if split:
            yield (
                f"repeat {repeat}: expected each group in one fold, got several for"
                f" {list_some(split)}."
            )


def _find_split_groups(
    folds: Sequence[Sequence[str]], position: dict[str, int], groups: Groups
) -> list[str]:
    if groups is None:
        return []
    places: dict[str, set[int]] = {}
    for number, fold in enumerate(folds):
        for name in fold:
            places.setdefault(str(groups[position[name]]), set()).add(number)
    return sorted(group for group, found in places.items() if len(found) > 1)
