"""Settings of ``configs/train.yaml``: folds, candidates, feature sets, comparators."""

from typing import Literal, Self

from pydantic import Field, model_validator

from pipeline.config.loading import Settings
from pipeline.domain.features import FeatureGroup

CandidateName = Literal["elastic_net", "lightgbm", "random_forest"]
"""Candidates that a user may choose from; each is a file in ``pipeline/modeling/candidates``."""

AVERAGE = "average"
"""The mean probability of the configured candidates."""
LOGISTIC = "logistic"
"""The plain logistic regression of the comparators."""


class Declared(Settings):
    """What becomes the model, said before the results are seen."""

    feature_set: str
    candidate: CandidateName | Literal["average"] = "average"


class PreprocessingSettings(Settings):
    """What happens to the columns: ``minimum_icc`` to all, the rest inside each training part."""

    indicator_share: float = Field(default=0.1, gt=0, le=1)
    winsorise_at: float = Field(default=2.5, gt=0)
    correlation_limit: float = Field(default=0.95, gt=0, le=1)
    minimum_icc: float | None = Field(default=None, gt=0, le=1)


class ElasticNetSettings(Settings):
    """Search grid and early stop of the elastic net."""

    l1_ratios: tuple[float, ...] = Field(default=(0.1, 0.7), min_length=1)
    strengths: tuple[float, ...] = Field(default=(2.0, 5.0, 12.0, 30.0), min_length=1)
    tolerance: float = Field(default=0.03, gt=0)
    max_passes: int = Field(default=30, ge=1)

    @model_validator(mode="after")
    def _grid_is_possible(self) -> Self:
        if not all(0 < ratio <= 1 for ratio in self.l1_ratios):
            msg = "l1_ratios must be above 0 and at most 1"
            raise ValueError(msg)
        ascending = sorted(set(self.strengths)) == list(self.strengths)
        if not ascending or self.strengths[0] <= 0:
            msg = "strengths must be positive and ascending"
            raise ValueError(msg)
        return self


class LightGBMSettings(Settings):
    """Shape of the boosted trees."""

    max_trees: int = Field(default=150, ge=1)
    leaves: int = Field(default=4, ge=2)
    min_leaf_patients: int = Field(default=4, ge=1)
    learning_rate: float = Field(default=0.05, gt=0, le=1)
    column_share: float = Field(default=0.2, gt=0, le=1)


class RandomForestSettings(Settings):
    """Shape of the random forest."""

    trees: int = Field(default=150, ge=1)
    min_leaf_patients: int = Field(default=3, ge=1)


class HabitatSettings(Settings):
    """How the habitats of tumours are found in each training part."""

    enabled: bool = True
    clusters: int = Field(default=3, ge=2, le=255)
    voxels_a_tumour: int = Field(default=500, ge=1)
    minimum_tumours: int = Field(default=10, ge=1)
    seed: int = Field(default=20240519, ge=0)


class TrainConfig(Settings):
    """Everything in ``configs/train.yaml``; the comments there explain each key."""

    seed: int = Field(default=20240519, ge=0)
    outer_folds: int = Field(default=5, ge=2)
    repeats: int = Field(default=3, ge=1)
    inner_folds: int = Field(default=5, ge=2)
    candidates: tuple[CandidateName, ...] = Field(
        default=("elastic_net", "lightgbm", "random_forest"), min_length=1
    )
    declared: Declared
    feature_sets: dict[str, tuple[FeatureGroup, ...]]
    comparators: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    not_predictors: tuple[str, ...] = ("post_*",)
    min_events_per_class: int = Field(default=5, ge=2)
    warn_events_per_class: int = Field(default=10, ge=0)
    preprocessing: PreprocessingSettings = PreprocessingSettings()
    habitats: HabitatSettings = HabitatSettings()
    elastic_net: ElasticNetSettings = ElasticNetSettings()
    lightgbm: LightGBMSettings = LightGBMSettings()
    random_forest: RandomForestSettings = RandomForestSettings()

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        """Refuse settings that name things which are not there, or twice."""
        problems = [
            f"{kind} {name} must name at least one member"
            for kind, members in (
                ("feature set", self.feature_sets),
                ("comparator", self.comparators),
            )
            for name, listed in members.items()
            if not listed
        ]
        both = sorted(self.feature_sets.keys() & self.comparators.keys())
        if both:
            problems.append(f"{', '.join(both)} must not be feature set and comparator at once")
        if len(set(self.candidates)) < len(self.candidates):
            problems.append("candidates must not repeat")
        if self.declared.feature_set not in self.feature_sets:
            problems.append(f"declared.feature_set must be one of {', '.join(self.feature_sets)}")
        if self.declared.candidate not in (*self.candidates, AVERAGE):
            problems.append(f"declared.candidate must be average or in {self.candidates}")
        if problems:
            raise ValueError("; ".join(problems))
        return self
