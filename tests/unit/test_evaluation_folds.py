"""Corrected resampled interval and test; the table of out-of-fold predictions."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t, ttest_1samp
from sklearn.metrics import roc_auc_score

from pipeline.domain.errors import ModelingError
from pipeline.evaluation.corrected_resampling import compare_folds, estimate_fold_mean
from pipeline.evaluation.out_of_fold import collect_out_of_fold, pick_run


def make_predictions(sets: tuple[str, ...] = ("all", "size"), patients: int = 20) -> pd.DataFrame:
    rows = []
    for index, name in enumerate(sets):
        for repeat in range(2):
            rng = np.random.default_rng([index, repeat])
            folds = np.random.default_rng(repeat).permutation(np.arange(patients) % 4)
            rows += [
                (name, "average", repeat, folds[i], f"P{i:02d}", i % 3 == 0, rng.uniform())
                for i in range(patients)
            ]
    columns = ["feature_set", "candidate", "repeat", "fold", "patient_id", "y", "p"]
    return pd.DataFrame(rows, columns=columns).astype({"y": int})


def test_interval_by_hand() -> None:
    # Mean 0.7, variance 0.01, three folds, a quarter of the patients tested a fold: ratio 1/3.
    found = estimate_fold_mean([0.6, 0.7, 0.8], 1 / 3, 0.95)
    reach = t.ppf(0.975, 2) * np.sqrt((1 / 3 + 1 / 3) * 0.01)
    assert found.value == pytest.approx(0.7)
    assert (found.low, found.high) == pytest.approx((0.7 - reach, 0.7 + reach))


def test_without_correction_it_is_students_test() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=15), rng.normal(size=15)
    found = compare_folds(first, second, 0.0, 0.95)
    assert found.p_value == pytest.approx(ttest_1samp(first - second, 0).pvalue)


def test_undefined_folds_are_left_out() -> None:
    whole = estimate_fold_mean([0.6, 0.8], 0.25, 0.95)
    assert estimate_fold_mean([0.6, np.nan, 0.8], 0.25, 0.95) == whole


def test_one_fold_has_no_interval() -> None:
    assert not estimate_fold_mean([0.6], 0.25, 0.95).is_defined
    assert np.isnan(compare_folds([0.6], [0.5], 0.25, 0.95).p_value)


def test_identical_folds_do_not_differ() -> None:
    assert compare_folds([0.6, 0.7], [0.6, 0.7], 0.25, 0.95).p_value == 1.0


def test_patients_are_averaged_over_repeats_and_folds_kept_apart() -> None:
    table = make_predictions()
    run = collect_out_of_fold(table)[0]
    of_all = table[table["feature_set"] == "all"]
    assert run.p == pytest.approx(of_all.groupby("patient_id")["p"].mean().to_numpy())
    folds = [fold for _, fold in of_all.groupby(["repeat", "fold"])]
    expected = [
        roc_auc_score(fold["y"], fold["p"]) if fold["y"].nunique() == 2 else np.nan
        for fold in folds
    ]
    assert np.isnan(expected).sum() == 1  # the example has a fold without events
    assert run.fold_aucs == pytest.approx(expected, nan_ok=True)
    assert run.test_to_train == pytest.approx(1 / 3)


def test_order_of_rows_does_not_matter() -> None:
    table = make_predictions()
    shuffled = table.sample(frac=1, random_state=0).sort_values("feature_set", kind="stable")
    for one, other in zip(collect_out_of_fold(table), collect_out_of_fold(shuffled), strict=True):
        assert np.allclose(one.p, other.p, rtol=0, atol=1e-15)
        assert np.array_equal(one.fold_aucs, other.fold_aucs, equal_nan=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.drop(columns="fold"), "lacking fold"),
        (lambda table: table.iloc[:0], "at least one row"),
        (lambda table: table.assign(p=1.5), "column p: expected probabilities"),
        (lambda table: table.assign(y=2), "column y: expected 0 or 1"),
        (lambda table: pd.concat([table, table.iloc[:1]]), "twice: all/average/0/P00"),
        (
            lambda table: table.assign(y=np.where(table.index == 0, 1 - table["y"], table["y"])),
            "one outcome a patient, got several",
        ),
        (lambda table: table.iloc[1:], "all/average: expected every patient in every repeat"),
        (lambda table: table[table["patient_id"] != "P01"].assign(fold=0), "two or more folds"),
        (
            lambda table: table[(table["feature_set"] == "all") | (table["patient_id"] != "P01")],
            "size/average: folds or patients differ",
        ),
    ],
)
def test_unfit_tables_are_refused(change: object, message: str) -> None:
    assert callable(change)
    with pytest.raises(ModelingError, match=message):
        collect_out_of_fold(change(make_predictions()))


def test_a_set_with_one_candidate_is_represented_by_it() -> None:
    runs = collect_out_of_fold(make_predictions())
    found = pick_run(runs, "size", "logistic")
    assert found is not None
    assert found.candidate == "average"
    assert pick_run(runs, "serum", "average") is None


def test_a_set_without_the_declared_candidate_among_several_is_an_error() -> None:
    table = make_predictions(("all",))
    runs = collect_out_of_fold(pd.concat([table, table.assign(candidate="forest")]))
    with pytest.raises(ModelingError, match="no candidate logistic, got average, forest"):
        pick_run(runs, "all", "logistic")
