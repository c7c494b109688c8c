"""Columns that know the outcome are refused, all of them at once."""

import numpy as np
import pandas as pd
import pytest

from pipeline.domain.errors import LeakageError
from pipeline.modeling.leakage import check_predictors

Y = pd.Series([0, 1] * 8, name="necrosis_percent")


def table(**columns: object) -> pd.DataFrame:
    noise = np.random.default_rng(0).normal(size=len(Y))
    return pd.DataFrame({"noise": noise, **columns})


def test_an_innocent_table_passes() -> None:
    check_predictors(table(strong=Y + np.linspace(0, 0.1, len(Y))), Y, ["post_*"])


@pytest.mark.parametrize("name", ["post_afp", "post_"])
def test_columns_known_only_afterwards_are_refused(name: str) -> None:
    columns = table().rename(columns={"noise": name})
    with pytest.raises(LeakageError, match=rf"column {name} \(not_predictors: post_\*\)"):
        check_predictors(columns, Y, ["post_*"])


def test_the_target_itself_is_refused_by_name() -> None:
    with pytest.raises(LeakageError, match=r"column necrosis_percent \(the outcome itself"):
        check_predictors(table().rename(columns={"noise": "necrosis_percent"}), Y, [])


@pytest.mark.parametrize("copy", [Y, 1 - Y, 7.5 * Y - 2, Y.where(Y.index > 3)])
def test_copies_and_opposites_are_refused(copy: "pd.Series[float]") -> None:
    with pytest.raises(LeakageError, match=r"column copy \(equal to the outcome or its opposite"):
        check_predictors(table(copy=copy), Y, [])


def test_a_few_present_values_that_agree_are_no_proof() -> None:
    check_predictors(table(rare=Y.where(Y.index > 10)), Y, [])


def test_all_are_named_at_once() -> None:
    with pytest.raises(LeakageError, match=r"2 predictor\(s\).*post_a.*copy"):
        check_predictors(table(post_a=Y + 0.1 * Y.index, copy=Y), Y, ["post_*"])
