"""The declared predictor against each comparator, on identical patients and folds."""

from collections.abc import Sequence

import pandas as pd

from pipeline.config.evaluate import Comparators
from pipeline.evaluation.corrected_resampling import compare_folds
from pipeline.evaluation.delong import compare_aucs, estimate_auc
from pipeline.evaluation.estimate import Estimate
from pipeline.evaluation.out_of_fold import OutOfFold, pick_run

COLUMNS = (
    "feature_set",
    "kind",
    "available",
    "candidate",
    "auc",
    "auc_low",
    "auc_high",
    "difference",
    "difference_low",
    "difference_high",
    "p_value",
    "fold_difference",
    "fold_difference_low",
    "fold_difference_high",
    "fold_p_value",
)
"""Columns of the table of comparisons; numbers are empty where a comparator is not available."""


def compare_with_others(
    declared: OutOfFold, runs: Sequence[OutOfFold], comparators: Comparators, level: float
) -> pd.DataFrame:
    """Compare the declared run with every comparator, absent ones included.

    Parameters
    ----------
    declared : OutOfFold
        The headlined run.
    runs : sequence of OutOfFold
        All runs, on the same patients and folds.
    comparators : Comparators
        Names of feature sets. Each is represented by the declared candidate where it has it.
    level : float
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        One row a comparator: ``kind`` is ``simple`` or ``part``; ``difference`` is the declared
        AUC minus the comparator's, of patient-level means over repeats, with ``p_value`` of the
        paired DeLong test; ``fold_difference`` the mean over folds, with ``fold_p_value`` of the
        corrected resampled t-test. The p-values are not adjusted for their number.
    """
    rows = [
        _compare(declared, pick_run(runs, name, declared.candidate), name, kind, level)
        for kind, names in (("simple", comparators.simple), ("part", comparators.parts))
        for name in names
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def find_best_simple(comparisons: pd.DataFrame) -> pd.Series | None:
    """Return the available simple comparator with the highest AUC; None where there is none."""
    simple = comparisons[(comparisons["kind"] == "simple") & comparisons["available"]]
    return None if simple.empty else simple.iloc[int(simple["auc"].to_numpy(float).argmax())]


def _compare(
    declared: OutOfFold, other: OutOfFold | None, name: str, kind: str, level: float
) -> dict[str, object]:
    if other is None:
        return {"feature_set": name, "kind": kind, "available": False, "candidate": ""}
    by_patient = compare_aucs(declared.y, declared.p, other.p, level)
    by_fold = compare_folds(declared.fold_aucs, other.fold_aucs, declared.test_to_train, level)
    return {
        "feature_set": name,
        "kind": kind,
        "available": True,
        "candidate": other.candidate,
        **name_limits("auc", estimate_auc(other.y, other.p, level)),
        **name_limits("difference", by_patient.difference),
        "p_value": by_patient.p_value,
        **name_limits("fold_difference", by_fold.difference),
        "fold_p_value": by_fold.p_value,
    }


def name_limits(name: str, estimate: Estimate) -> dict[str, float]:
    """Return an estimate as three flat entries: ``name``, ``name_low``, ``name_high``."""
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
