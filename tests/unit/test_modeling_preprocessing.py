"""Steps of the procedure before the model, each against values worked out by hand."""

import numpy as np
import pytest

from pipeline.config.train import Declared, TrainConfig
from pipeline.domain.errors import ModelingError
from pipeline.domain.features import FeatureGroup
from pipeline.modeling.preprocessing.informative_columns import InformativeColumns
from pipeline.modeling.preprocessing.median_imputer import MedianImputer
from pipeline.modeling.preprocessing.near_duplicates import NearDuplicateFilter
from pipeline.modeling.preprocessing.winsoriser import Winsoriser
from pipeline.modeling.procedure import build_procedure

NAN = np.nan


def test_constant_empty_and_rounding_noise_columns_go() -> None:
    X = np.array(
        [
            [1.0, 5.0, NAN, 1e6, NAN],
            [2.0, 5.0, NAN, 1e6 + 1e-9, 3.0],
            [3.0, NAN, NAN, 1e6, 3.0],
        ]
    )
    assert InformativeColumns().fit(X).kept_.tolist() == [0]


def test_two_values_are_enough_whatever_their_size() -> None:
    X = np.array([[0.0, 1e-12, -3.0], [1e-30, 2e-12, NAN], [0.0, 1e-12, -4.0]])
    assert InformativeColumns().fit(X).kept_.tolist() == [0, 1, 2]


def test_no_informative_column_is_refused() -> None:
    with pytest.raises(ModelingError, match="expected at least one column with two different"):
        InformativeColumns().fit(np.ones((4, 2)))


def test_gaps_are_filled_with_the_training_median() -> None:
    train = np.array([[1.0, 10.0], [2.0, NAN], [9.0, 30.0]])
    imputer = MedianImputer(indicator_share=1.0).fit(train)
    assert imputer.transform(np.array([[NAN, NAN], [4.0, 5.0]])).tolist() == [[2, 20], [4, 5]]


def test_only_often_missing_columns_get_an_indicator() -> None:
    train = np.arange(20.0).reshape(10, 2)
    train[0, 0] = NAN
    train[:3, 1] = NAN
    imputer = MedianImputer(indicator_share=0.2).fit(train)
    assert imputer.indicated_.tolist() == [1]
    assert imputer.transform(np.array([[NAN, NAN], [1.0, 2.0]]))[:, 2].tolist() == [1, 0]


def test_winsoriser_clips_on_both_sides() -> None:
    clipped = Winsoriser(2.5).fit_transform(np.array([[-7.0, 2.0], [3.0, -2.5]]))
    assert clipped.tolist() == [[-2.5, 2.0], [2.5, -2.5]]


def test_the_first_of_near_duplicates_stays(rng_values: np.ndarray) -> None:
    base, other = rng_values[:, 0], rng_values[:, 1]
    X = np.column_stack([base, -3 * base + 1, other, base + 0.1 * other])
    assert NearDuplicateFilter(0.95).fit(X).kept_.tolist() == [0, 2]


def test_duplicates_of_a_dropped_column_may_stay() -> None:
    # r(a, b) and r(b, c) exceed the limit, r(a, c) does not: c repeats nothing that was kept.
    a, c = np.array([1.0, -1.0, 1.0, -1.0]), np.array([1.0, 1.0, -1.0, -1.0])
    b = a + c
    kept = NearDuplicateFilter(0.7).fit(np.column_stack([a, b, c])).kept_
    assert np.corrcoef(a, b)[0, 1] == pytest.approx(np.sqrt(0.5))
    assert kept.tolist() == [0, 2]


def test_a_patient_is_prepared_alike_in_any_company(rng_values: np.ndarray) -> None:
    config = TrainConfig(
        declared=Declared(feature_set="all"), feature_sets={"all": (FeatureGroup.RADIOMICS,)}
    )
    steps = build_procedure("elastic_net", config)[:-1].fit(rng_values[:20])
    together = steps.transform(rng_values[20:])
    alone = np.vstack([steps.transform(row[np.newaxis]) for row in rng_values[20:]])
    np.testing.assert_array_equal(together, alone)


@pytest.fixture
def rng_values() -> np.ndarray:
    return np.random.default_rng(3).normal(size=(30, 6))
