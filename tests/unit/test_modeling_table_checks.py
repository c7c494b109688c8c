"""Tables that cannot be trained on are refused with every reason."""

import numpy as np
import pandas as pd
import pytest

from pipeline.config.train import Declared, TrainConfig
from pipeline.domain.errors import ModelingError
from pipeline.domain.features import FeatureGroup
from pipeline.modeling.table_checks import check_training_table, list_some

CONFIG = TrainConfig(
    declared=Declared(feature_set="all"), feature_sets={"all": (FeatureGroup.RADIOMICS,)}
)
Y = np.array([0, 1] * 12)


def values(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({"a": np.arange(24.0), **columns}, index=[f"P{i}" for i in range(24)])


def test_a_good_table_passes_without_warnings() -> None:
    assert check_training_table(values(flag=Y == 1), Y, None, CONFIG) == []


def test_few_events_are_a_warning() -> None:
    y = np.array([1] * 6 + [0] * 18)
    assert "only 6 patients" in check_training_table(values(), y, None, CONFIG)[0]


def test_too_few_events_are_refused() -> None:
    y = np.array([1] * 4 + [0] * 20)
    with pytest.raises(ModelingError, match=r"at least 5 patients of each class.*got 4"):
        check_training_table(values(), y, None, CONFIG)


def test_events_are_counted_by_patient_not_by_row() -> None:
    groups = np.array(["one"] * 12 + [f"P{i}" for i in range(12)])
    y = np.array([1] * 12 + [0] * 12)
    with pytest.raises(ModelingError, match="got 1 of the rarer"):
        check_training_table(values(), y, groups, CONFIG)


def test_one_class_only_is_refused() -> None:
    with pytest.raises(ModelingError, match="expected both classes, got 24 rows that are all 1"):
        check_training_table(values(), np.ones(24, dtype=np.int64), None, CONFIG)


def test_every_reason_is_given_at_once() -> None:
    bad = values(text=["x"] * 24, infinite=[np.inf] + [0.0] * 23)
    bad.index = pd.Index(["P0", *bad.index[:-1]])
    expected = "several for P0.*\n.*columns text: expected numbers.*\n.*columns infinite"
    with pytest.raises(ModelingError, match=expected):
        check_training_table(bad, Y, None, CONFIG)


def test_a_table_without_predictors_is_refused() -> None:
    with pytest.raises(ModelingError, match="at least one predictor, got none"):
        check_training_table(values()[[]], Y, None, CONFIG)


def test_long_lists_are_cut_and_counted() -> None:
    assert list_some(list("abcdefgh")) == "a, b, c, d, e and 3 more"
