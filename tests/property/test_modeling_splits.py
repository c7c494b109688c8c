"""Folds: every row tested once, no patient on both sides."""

import warnings

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.modeling.splits import split_for_tuning, split_repeatedly, training_rows

cohorts = st.lists(
    st.tuples(st.integers(1, 4), st.integers(0, 1)), min_size=14, max_size=40
).filter(lambda patients: 5 <= sum(y for _, y in patients) <= len(patients) - 5)


@settings(max_examples=40, deadline=None)
@given(patients=cohorts, seed=st.integers(0, 10**6))
def test_patients_are_on_one_side_and_every_row_is_tested_once(
    patients: list[tuple[int, int]], seed: int
) -> None:
    groups = np.repeat(np.arange(len(patients)), [rows for rows, _ in patients])
    y = np.repeat([label for _, label in patients], [rows for rows, _ in patients])
    for folds in split_repeatedly(y, groups, 5, 2, seed):
        assert sorted(np.concatenate(folds).tolist()) == list(range(y.size))
        for test in folds:
            train = training_rows(test, y.size)
            assert not set(groups[test]) & set(groups[train])


@settings(max_examples=40, deadline=None)
@given(patients=cohorts, seed=st.integers(0, 10**6))
def test_tuning_folds_keep_patients_together_and_train_on_both_classes(
    patients: list[tuple[int, int]], seed: int
) -> None:
    groups = np.repeat(np.arange(len(patients)), [rows for rows, _ in patients])
    y = np.repeat([label for _, label in patients], [rows for rows, _ in patients])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for train, test in split_for_tuning(y, groups, 5, seed):
            assert not set(groups[test]) & set(groups[train])
            assert set(y[train]) == {0, 1}


@given(events=st.integers(5, 30), others=st.integers(5, 60), seed=st.integers(0, 10**6))
def test_events_are_shared_out_evenly(events: int, others: int, seed: int) -> None:
    y = np.array([1] * events + [0] * others)
    for folds in split_repeatedly(y, None, 5, 1, seed):
        counts = [int(y[test].sum()) for test in folds]
        assert max(counts) - min(counts) <= 1
