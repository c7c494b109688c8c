"""Folds that a user brings are used as they are, or refused with the reason."""

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.domain.errors import ModelingError
from pipeline.modeling.given_folds import read_folds

IDS = ["a", "b", "c", "d"]


def write(folder: Path, repeats: object) -> Path:
    path = folder / "folds.json"
    path.write_text(json.dumps({"repeats": repeats}))
    return path


def test_folds_become_row_positions(tmp_path: Path) -> None:
    repeats = read_folds(write(tmp_path, [[["d", "a"], ["b", "c"]]]), IDS, None)
    assert [[fold.tolist() for fold in folds] for folds in repeats] == [[[0, 3], [1, 2]]]


def test_numbers_match_identifiers_read_as_text(tmp_path: Path) -> None:
    repeats = read_folds(write(tmp_path, [[[1], [2]]]), ["1", "2"], None)
    assert [fold.tolist() for fold in repeats[0]] == [[0], [1]]


@pytest.mark.parametrize(
    ("repeats", "message"),
    [
        ([[["a", "b"], ["c", "x"]]], "repeat 1: .*unknown: x"),
        ([[["a", "b"], ["c"]]], "repeat 1: .*missing: d"),
        ([[["a", "b"], ["b", "c", "d"]]], "repeat 1: .*repeated: b"),
        ([[["a", "b"], ["c", "d"]], [["a"], ["c", "d"]]], "repeat 2: .*missing: b"),
        ([[IDS]], "two or more folds"),
        ([[["a", "b", "c", "d"], []]], "none of them empty"),
        ([], "two or more folds"),
        (5, "got something else"),
    ],
)
def test_unfit_folds_are_refused(tmp_path: Path, repeats: object, message: str) -> None:
    with pytest.raises(ModelingError, match=message):
        read_folds(write(tmp_path, repeats), IDS, None)


def test_a_patient_in_two_folds_is_refused(tmp_path: Path) -> None:
    groups = np.array(["P1", "P1", "P2", "P3"])
    with pytest.raises(ModelingError, match="each group in one fold, got several for P1"):
        read_folds(write(tmp_path, [[["a", "c"], ["b", "d"]]]), IDS, groups)


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelingError, match=r"none\.json: cannot be read"):
        read_folds(tmp_path / "none.json", IDS, None)
