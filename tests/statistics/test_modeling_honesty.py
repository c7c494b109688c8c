"""The whole procedure finds what is there and nothing where there is nothing."""

import numpy as np
import pandas as pd
import pytest

from pipeline.config.train import (
    Declared,
    ElasticNetSettings,
    LightGBMSettings,
    RandomForestSettings,
    TrainConfig,
)
from pipeline.domain.features import FeatureGroup
from pipeline.modeling.crossvalidation import Experiment, LabelledTable, cross_validate
from pipeline.modeling.scores import summarise_predictions
from pipeline.modeling.splits import split_repeatedly

CONFIG = TrainConfig(
    declared=Declared(feature_set="all"),
    feature_sets={"all": (FeatureGroup.RADIOMICS,)},
    inner_folds=3,
    elastic_net=ElasticNetSettings(strengths=(2.0, 12.0)),
    lightgbm=LightGBMSettings(max_trees=40),
    random_forest=RandomForestSettings(trees=30),
)
PATIENTS, COLUMNS = 60, 80


def noise(seed: int) -> pd.DataFrame:
    values = np.random.default_rng(seed).normal(size=(PATIENTS, COLUMNS))
    return pd.DataFrame(values, columns=[f"f{column}" for column in range(COLUMNS)])


def out_of_fold(values: pd.DataFrame, y: np.ndarray, jobs: int = 1) -> pd.DataFrame:
    table = LabelledTable(values, y)
    experiment = Experiment("all", tuple(values.columns), "average")
    folds = split_repeatedly(y, None, 5, 1, seed=0)
    return cross_validate(table, [experiment], folds, CONFIG, jobs)


def auc(predictions: pd.DataFrame, candidate: str = "average") -> float:
    chosen = predictions[predictions["candidate"] == candidate]
    value = summarise_predictions(chosen)["auc"]
    assert value is not None
    return value


@pytest.mark.slow
def test_noise_gives_an_auc_of_one_half() -> None:
    y = np.tile([0, 1], PATIENTS // 2)
    aucs = [auc(out_of_fold(noise(seed), y)) for seed in range(8)]
    # SD of an AUC without signal, 30 against 30 (Mann-Whitney): sqrt(61 / (12 * 30 * 30)).
    error = np.sqrt((PATIENTS + 1) / (12 * 30 * 30)) / np.sqrt(len(aucs))
    assert np.mean(aucs) == pytest.approx(0.5, abs=3 * error)


@pytest.mark.slow
def test_a_planted_signal_is_recovered_by_every_candidate() -> None:
    latent = np.random.default_rng(2).normal(size=PATIENTS)
    y = (latent > 0).astype(np.int64)
    values = noise(1)
    values.iloc[:, :6] += latent[:, np.newaxis]  # six noisy measurements of what decides
    predictions = out_of_fold(values, y)
    # Their mean has a signal-to-noise ratio of 6, so that an ideal reader reaches about 0.98.
    aucs = {name: auc(predictions, name) for name in (*CONFIG.candidates, "average")}
    assert min(aucs.values()) > 0.8, aucs


@pytest.mark.slow
def test_units_of_the_columns_do_not_matter() -> None:
    values = noise(4)
    y = (values["f0"] > 0).to_numpy(dtype=np.int64)
    rng = np.random.default_rng(5)
    scale, shift = rng.uniform(0.1, 50, COLUMNS), rng.normal(0, 10, COLUMNS)
    plain, changed = out_of_fold(values, y), out_of_fold(values * scale + shift, y)
    # Rounding may move a tree's threshold between two patients, not more.
    assert auc(changed) == pytest.approx(auc(plain), abs=0.01)
    np.testing.assert_allclose(changed["p"], plain["p"], atol=0.05)


@pytest.mark.slow
def test_the_number_of_processes_changes_no_bit() -> None:
    values = noise(6)
    y = (values["f0"] > 0).to_numpy(dtype=np.int64)
    alone, shared = out_of_fold(values, y, jobs=1), out_of_fold(values, y, jobs=2)
    pd.testing.assert_frame_equal(alone, shared, check_exact=True)


@pytest.mark.slow
def test_a_tested_patient_cannot_change_another_ones_prediction() -> None:
    values = noise(7)
    y = np.tile([0, 1], PATIENTS // 2)
    test = split_repeatedly(y, None, 5, 1, seed=0)[0][0]
    changed = values.copy()
    changed.iloc[test[0]] = 1e3
    before, after = out_of_fold(values, y), out_of_fold(changed, y)
    same_fold = before["patient_id"].isin(test[1:])
    assert same_fold.sum() == 4 * (test.size - 1)
    pd.testing.assert_frame_equal(before[same_fold], after[same_fold], check_exact=True)
