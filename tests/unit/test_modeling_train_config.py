"""The shipped settings are valid, and impossible ones are refused by key."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.config.loading import load_settings, parse_settings, read_yaml
from pipeline.config.train import TrainConfig
from pipeline.domain.errors import ConfigError

FILE = Path(__file__).parents[2] / "configs/train.yaml"


def test_shipped_settings_declare_the_average_of_everything() -> None:
    config = load_settings(TrainConfig, FILE)
    assert (config.declared.feature_set, config.declared.candidate) == ("all", "average")
    assert {group.value for group in config.feature_sets["all"]} == {
        "clinical", "serum", "size", "response", "radiomics", "delta", "habitat",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"outer_fold": 3}, "key outer_fold: unknown. Did you mean outer_folds"),
        ({"candidates": ["svm"]}, "key candidates.0"),
        ({"candidates": ["lightgbm", "lightgbm"]}, "candidates must not repeat"),
        ({"declared": {"feature_set": "every"}}, "declared.feature_set must be one of"),
        (
            {
                "candidates": ["lightgbm"],
                "declared": {"feature_set": "all", "candidate": "random_forest"},
            },
            "declared.candidate must be average or in",
        ),
        ({"comparators": {"all": ["a"]}}, "all must not be feature set and comparator at once"),
        ({"comparators": {"size": []}}, "comparator size must name at least one member"),
        ({"elastic_net": {"l1_ratios": [0.0]}}, "l1_ratios must be above 0"),
        ({"elastic_net": {"strengths": [4, 2]}}, "strengths must be positive and ascending"),
        ({"preprocessing": {"correlation_limit": 0}}, "key preprocessing.correlation_limit"),
    ],
)  # fmt: skip
def test_impossible_settings_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_settings(TrainConfig, {**read_yaml(FILE), **change}, "train.yaml")
