"""Model families: tuned, repeatable, and sane on very small cohorts."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from pipeline.config.train import Declared, TrainConfig
from pipeline.domain.features import FeatureGroup
from pipeline.modeling.candidates import BUILDERS, build_candidate
from pipeline.modeling.candidates.average import Average
from pipeline.modeling.candidates.elastic_net import ElasticNet
from pipeline.modeling.splits import split_for_tuning

CONFIG = TrainConfig(
    declared=Declared(feature_set="all"), feature_sets={"all": (FeatureGroup.RADIOMICS,)}
)
RNG = np.random.default_rng(11)
X = RNG.normal(size=(40, 10))
Y = (X[:, 0] + 0.5 * RNG.normal(size=40) > 0).astype(np.int64)


@pytest.mark.parametrize("name", BUILDERS)
def test_forty_patients_are_enough_to_find_a_strong_signal(name: str) -> None:
    model = build_candidate(name, CONFIG).fit(X, Y)
    p = model.predict_proba(X)
    assert roc_auc_score(Y, p[:, 1]) > 0.85
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_array_equal(model.predict(X), p[:, 1] >= 0.5)


@pytest.mark.parametrize("name", BUILDERS)
def test_the_same_seed_gives_the_same_bits(name: str) -> None:
    first, second = (build_candidate(name, CONFIG).fit(X, Y).predict_proba(X) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_boosted_trees_tell_more_than_two_groups_of_patients_apart() -> None:
    p = build_candidate("lightgbm", CONFIG).fit(X, Y).predict_proba(X)[:, 1]
    assert np.unique(p).size > 10


def test_average_is_the_mean_of_its_members() -> None:
    average = build_candidate("average", CONFIG)
    assert isinstance(average, Average)
    each = average.fit(X, Y).predict_each(X)
    alone = {str(name): build_candidate(name, CONFIG).fit(X, Y) for name in CONFIG.candidates}
    for name, p in each.items():
        np.testing.assert_array_equal(p, alone[name].predict_proba(X)[:, 1])
    mean = (each["elastic_net"] + each["lightgbm"] + each["random_forest"]) / 3
    np.testing.assert_allclose(average.predict_proba(X)[:, 1], mean, rtol=1e-15)


def test_a_nearly_ridge_elastic_net_agrees_with_lbfgs() -> None:
    model = ElasticNet((1e-6,), (4e-5,), tolerance=1e-8, max_passes=20000, inner_folds=5, seed=0)
    model.fit(X, Y)
    ridge = LogisticRegression(C=model.model_.C, tol=1e-10).fit(X, Y)
    np.testing.assert_allclose(model.model_.coef_, ridge.coef_, atol=1e-4)


def test_the_smallest_strength_of_a_lasso_has_no_coefficients() -> None:
    model = ElasticNet((1.0,), (0.999,), tolerance=1e-6, max_passes=5000, inner_folds=5, seed=0)
    centred = X - X.mean(axis=0)
    assert not model.fit(centred, np.tile([0, 1], 20)).model_.coef_.any()


def test_noise_is_given_the_strongest_penalty_on_offer() -> None:
    noise = np.random.default_rng(2).normal(size=(40, 200))
    model = build_candidate("elastic_net", CONFIG).fit(noise, np.tile([0, 1], 20))
    assert isinstance(model, ElasticNet)
    assert model.strength_ == min(CONFIG.elastic_net.strengths)


@pytest.mark.parametrize("name", ["elastic_net", "lightgbm"])
def test_a_single_event_leaves_nothing_to_tune_on_and_still_fits(name: str) -> None:
    y = np.zeros(40, dtype=np.int64)
    y[0] = 1
    assert split_for_tuning(y, None, 5, 0) == []
    p = build_candidate(name, CONFIG).fit(X, y).predict_proba(X)[:, 1]
    assert np.isfinite(p).all()
