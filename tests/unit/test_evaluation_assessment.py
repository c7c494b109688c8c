"""The whole judgement: declared figures, absent comparators, acceptance, configuration."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from pipeline.config.evaluate import Acceptance, Comparators, EvaluateConfig
from pipeline.config.loading import load_settings, parse_settings
from pipeline.domain.errors import ConfigError, ModelingError
from pipeline.evaluation.acceptance import judge_acceptance
from pipeline.evaluation.assessment import assess_predictions
from pipeline.evaluation.delong import compare_aucs, estimate_auc

CONFIG = Path(__file__).parents[2] / "configs" / "evaluate.yaml"

GOOD = {
    "auc_low": 0.7,
    "calibration_slope": 1.0,
    "scaled_brier": 0.2,
    "difference_to_best_comparator_low": 0.01,
}


def make_predictions(strengths: dict[str, float], patients: int = 60) -> pd.DataFrame:
    y = np.arange(patients) % 3 == 0
    frames = []
    for index, (name, strength) in enumerate(strengths.items()):
        for repeat in range(2):
            noise = np.random.default_rng([index, repeat]).normal(size=patients)
            frames.append(
                pd.DataFrame(
                    {
                        "feature_set": name,
                        "candidate": "average",
                        "repeat": repeat,
                        "fold": np.random.default_rng(repeat).permutation(patients) % 5,
                        "patient_id": [f"P{i:02d}" for i in range(patients)],
                        "y": y.astype(int),
                        "p": expit(strength * y + noise - 1),
                    }
                )
            )
    return pd.concat(frames, ignore_index=True)


def make_config(**changes: object) -> EvaluateConfig:
    return load_settings(EvaluateConfig, CONFIG).model_copy(update={"bootstraps": 200, **changes})


def test_declared_figures_come_first_and_are_those_of_its_patients() -> None:
    table = make_predictions({"size": 0.2, "all": 1.5})
    found = assess_predictions(table, make_config())
    means = table[table["feature_set"] == "all"].groupby("patient_id")[["y", "p"]].mean()
    expected = estimate_auc(means["y"].to_numpy(), means["p"].to_numpy(), 0.95)
    assert list(found.metrics)[:4] == ["patients", "events", "auc", "auc_low"]
    assert found.metrics["auc"] == expected.value
    assert found.metrics["auc_low"] == expected.low
    assert found.metrics["all/average/auc"] == expected.value
    assert np.isfinite(list(found.metrics.values())).all()


def test_absent_comparators_are_listed_not_dropped() -> None:
    config = make_config(comparators=Comparators(simple=("size", "afp_response"), parts=("delta",)))
    found = assess_predictions(make_predictions({"all": 1.5, "size": 0.2}), config).comparisons
    assert found["feature_set"].tolist() == ["size", "afp_response", "delta"]
    assert found["available"].tolist() == [True, False, False]
    assert found.loc[1:, "auc"].isna().all()


def test_without_simple_comparators_the_difference_is_absent_and_not_passed() -> None:
    found = assess_predictions(make_predictions({"all": 1.5}), make_config())
    assert "difference_to_best_comparator" not in found.metrics
    assert not found.acceptance[3].passed


def test_difference_to_the_best_simple_comparator_is_reported() -> None:
    table = make_predictions({"all": 1.5, "size": 0.2, "afp_response": 1.0, "radiomics": 3.0})
    found = assess_predictions(table, make_config())
    y = found.declared.y
    best = table[table["feature_set"] == "afp_response"].groupby("patient_id")["p"].mean()
    expected = compare_aucs(y, found.declared.p, best.to_numpy(), 0.95).difference
    assert found.metrics["difference_to_best_comparator"] == pytest.approx(expected.value)
    assert found.metrics["difference_to_best_comparator_low"] == pytest.approx(expected.low)


def test_a_missing_declared_run_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(ModelingError, match="declared all/average, got size/average"):
        assess_predictions(make_predictions({"size": 1.0}), make_config())


def test_same_input_gives_the_same_figures() -> None:
    table = make_predictions({"all": 1.0, "size": 0.5})
    first, second = (assess_predictions(table, make_config()).metrics for _ in range(2))
    assert first == second


def test_all_criteria_met() -> None:
    assert all(item.passed for item in judge_acceptance(GOOD, Acceptance()))


@pytest.mark.parametrize(
    ("change", "failing"),
    [
        ({"auc_low": 0.6}, 0),
        ({"calibration_slope": 0.69}, 1),
        ({"calibration_slope": 1.41}, 1),
        ({"scaled_brier": 0.0}, 2),
        ({"difference_to_best_comparator_low": -0.01}, 3),
    ],
)
def test_each_criterion_can_fail(change: dict[str, float], failing: int) -> None:
    passed = [item.passed for item in judge_acceptance({**GOOD, **change}, Acceptance())]
    assert passed == [index != failing for index in range(4)]


@pytest.mark.parametrize("key", list(GOOD))
def test_what_is_not_shown_is_not_passed(key: str) -> None:
    metrics = {name: value for name, value in GOOD.items() if name != key}
    judged = judge_acceptance(metrics, Acceptance())
    assert [item.got for item in judged if not item.passed] == [None]


def test_decision_thresholds_span_the_declared_range() -> None:
    thresholds = make_config().decision_curve.thresholds
    assert (thresholds[0], thresholds[-1], len(thresholds)) == (0.70, 0.95, 26)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"operating_points": [{"name": "a"}]}, "either threshold or min_specificity"),
        ({"comparators": {"simple": ["all"]}}, "cannot be compared with itself"),
        ({"comparators": {"simple": ["size"], "parts": ["size"]}}, "each name once"),
        ({"decision_curve": {"lowest": 0.9, "highest": 0.8}}, "lowest must be below highest"),
        ({"level": 95}, "level: Input should be less than 1"),
        ({"boots": 5}, "Did you mean bootstraps"),
    ],
)
def test_impossible_settings_are_refused(content: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_settings(EvaluateConfig, content, "evaluate.yaml")
