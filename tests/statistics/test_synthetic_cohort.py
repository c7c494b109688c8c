"""The planted cohort reproduces the published figures within sampling error, at n = 4000.

Synthetic, not evidence: this holds the generator to its targets, nothing more.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from pipeline.config.demo import DemoConfig
from pipeline.config.loading import load_settings
from pipeline.synthetic.tables import generate_tables

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

CONFIG = Path(__file__).parents[2] / "configs/demo.yaml"
PATIENTS = 4000
SEED = 1
STANDARD_ERRORS = 3.0


@pytest.fixture(scope="module")
def truth() -> pd.DataFrame:
    config = load_settings(DemoConfig, CONFIG).model_copy(
        update={"patients": PATIENTS, "seed": SEED}
    )
    return generate_tables(config).truth


@pytest.fixture(scope="module")
def complete(truth: pd.DataFrame) -> Bools:
    return (truth["necrosis_percent"] == 100).to_numpy()


@pytest.fixture(scope="module")
def depth(truth: pd.DataFrame) -> Floats:
    """Loss of viable diameter by mRECIST; 1 where no enhancing tumour is left."""
    ratio = (truth["viable_diameter_mm_preop"] / truth["viable_diameter_mm_baseline"]).to_numpy()
    return np.asarray(1 - ratio)


@pytest.fixture(scope="module")
def area_loss(depth: Floats) -> Floats:
    """Loss of enhanced area, as in PMID 37158833."""
    return np.asarray(1 - (1 - depth) ** 2)


@pytest.fixture(scope="module")
def afp_positive(truth: pd.DataFrame) -> Bools:
    return (truth["afp_baseline"] > 20).to_numpy()


@pytest.fixture(scope="module")
def afp_decline(truth: pd.DataFrame) -> Floats:
    return np.asarray(np.log(truth["afp_baseline"] / truth["afp_preop"]))


@pytest.fixture(scope="module")
def combined(
    truth: pd.DataFrame,
    complete: Bools,
    area_loss: Floats,
    afp_positive: Bools,
    afp_decline: Floats,
) -> Floats:
    """Logistic score of area loss and AFP decline; PIVKA-II where AFP was normal at baseline."""
    pivka_decline = np.asarray(np.log(truth["pivka_baseline"] / truth["pivka_preop"]))
    by_pivka = ~afp_positive & (truth["pivka_baseline"] > 40).to_numpy()
    predictors = np.column_stack(
        [
            area_loss,
            np.where(afp_positive, afp_decline, 0),
            afp_positive,
            np.where(by_pivka, pivka_decline, 0),
            by_pivka,
        ]
    )
    model = LogisticRegression(C=1e6).fit(predictors, complete)
    return np.asarray(model.decision_function(predictors))


def share_error(share: float, count: float) -> float:
    return float(np.sqrt(share * (1 - share) / count))


def auc_error(auc: float, positive: float, negative: float) -> float:
    """Hanley and McNeil, Radiology 1982;143:29-36."""
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = auc * (1 - auc) + (positive - 1) * (q1 - auc**2) + (negative - 1) * (q2 - auc**2)
    return float(np.sqrt(spread / (positive * negative)))


def assert_share(hits: Bools, published: float) -> None:
    tolerance = STANDARD_ERRORS * share_error(published, len(hits))
    assert hits.mean() == pytest.approx(published, abs=tolerance)


def assert_auc(outcome: Bools, score: Floats, target: float) -> None:
    error = auc_error(target, int(outcome.sum()), int((~outcome).sum()))
    assert roc_auc_score(outcome, score) == pytest.approx(target, abs=STANDARD_ERRORS * error)


def test_pathological_complete_response_share(complete: Bools) -> None:
    assert_share(complete, 0.30)


def test_necrosis_quartiles(truth: pd.DataFrame) -> None:
    low, high = truth["necrosis_percent"].quantile([0.25, 0.75])
    # The density at the lower quartile is about 0.0045 a percent: standard error 1.5 %.
    assert low == pytest.approx(52, abs=STANDARD_ERRORS * 1.5)
    assert high == 100


def test_radiologic_complete_response(depth: Floats, complete: Bools) -> None:
    responders = depth == 1
    assert_share(responders, 0.16)
    assert_share(complete[responders], 0.46)


def test_clinical_complete_response(truth: pd.DataFrame, depth: Floats, complete: Bools) -> None:
    markers_normal = (truth["afp_preop"] <= 20) & (truth["pivka_preop"] <= 40)
    responders = (depth == 1) & markers_normal.to_numpy()
    assert_share(responders, 0.05)
    assert_share(complete[responders], 0.72)


def test_objective_response(truth: pd.DataFrame, depth: Floats) -> None:
    total = truth["diameter_mm_preop"] / truth["diameter_mm_baseline"]
    assert_share(depth >= 0.3, 0.76)
    assert_share((total <= 0.7).to_numpy(), 0.43)


def test_major_radiographic_response(area_loss: Floats, complete: Bools) -> None:
    major = area_loss >= 0.8
    assert_share(major[complete], 0.51)
    assert_share(~major[~complete], 0.83)


@pytest.mark.parametrize(("score", "target"), [("depth", 0.79), ("combined", 0.88)])
def test_auc_in_all_patients(
    score: str, target: float, complete: Bools, request: pytest.FixtureRequest
) -> None:
    assert_auc(complete, request.getfixturevalue(score), target)


@pytest.mark.parametrize(("score", "target"), [("afp_decline", 0.85), ("combined", 0.90)])
def test_auc_in_afp_positive_patients(
    score: str,
    target: float,
    complete: Bools,
    afp_positive: Bools,
    request: pytest.FixtureRequest,
) -> None:
    values = request.getfixturevalue(score)[afp_positive]
    assert_auc(complete[afp_positive], values, target)


def test_sensitivity_of_combined_score_at_specificity_95(complete: Bools, combined: Floats) -> None:
    threshold = np.quantile(combined[~complete], 0.95)
    sensitivity = (combined[complete] > threshold).mean()
    # Error of the share itself and of the threshold: ROC slope of about 3 at this point.
    positive, negative = int(complete.sum()), int((~complete).sum())
    error = np.hypot(share_error(0.45, positive), 3 * share_error(0.05, negative))
    assert sensitivity == pytest.approx(0.45, abs=STANDARD_ERRORS * error)


def test_total_size_alone_predicts_less_than_depth(
    truth: pd.DataFrame, depth: Floats, complete: Bools
) -> None:
    shrinkage = 1 - truth["diameter_mm_preop"] / truth["diameter_mm_baseline"]
    assert roc_auc_score(complete, shrinkage) < roc_auc_score(complete, depth) - 0.02


def test_baseline_marker_distributions(truth: pd.DataFrame) -> None:
    assert_share((truth["afp_baseline"] > 400).to_numpy(), 0.49)
    normal = (truth["pivka_baseline"] <= 40).to_numpy()
    # 12 % are drawn normal (94 % of them at most 40), 88 % elevated (2 % of them at most 40).
    assert_share(normal, 0.12 * 0.94 + 0.88 * 0.018)
