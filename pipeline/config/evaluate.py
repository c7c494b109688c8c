"""Settings of ``configs/evaluate.yaml``: intervals, comparators, thresholds, acceptance."""

from typing import Annotated

from pydantic import Field, model_validator

from pipeline.config.loading import Settings

Share = Annotated[float, Field(gt=0, lt=1)]
"""A proportion strictly between 0 and 1."""


class Declared(Settings):
    """The feature set and candidate that were declared before looking at the results."""

    feature_set: str = "all"
    candidate: str = "average"


class Comparators(Settings):
    """Feature sets that the declared one is compared with."""

    simple: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, the simple ones first."""
        return self.simple + self.parts


class OperatingPointRule(Settings):
    """How one operating point gets its threshold: a number, or a specificity to reach."""

    name: str
    threshold: Share | None = None
    min_specificity: Share | None = None

    @model_validator(mode="after")
    def _has_one_rule(self) -> "OperatingPointRule":
        if (self.threshold is None) == (self.min_specificity is None):
            msg = "give either threshold or min_specificity"
            raise ValueError(msg)
        return self


class DecisionCurve(Settings):
    """Range of threshold probabilities of the decision curve."""

    lowest: Share = 0.70
    highest: Share = 0.95
    step: Share = 0.01

    @model_validator(mode="after")
    def _is_a_range(self) -> "DecisionCurve":
        if self.lowest >= self.highest:
            msg = "lowest must be below highest"
            raise ValueError(msg)
        return self

    @property
    def thresholds(self) -> tuple[float, ...]:
        """The thresholds from lowest to highest, rounded to a millionth."""
        steps = int((self.highest - self.lowest) / self.step + 1e-9)
        return tuple(round(self.lowest + index * self.step, 6) for index in range(steps + 1))


class Acceptance(Settings):
    """What the declared set must reach before its model is promoted."""

    min_auc_low: Share = 0.60
    min_calibration_slope: float = 0.7
    max_calibration_slope: float = 1.4
    min_scaled_brier: float = 0.0
    min_difference_low: float = 0.0


class EvaluateConfig(Settings):
    """Everything in ``configs/evaluate.yaml``; the comments there explain each key."""

    level: Share = 0.95
    bootstraps: int = Field(default=2000, ge=100)
    seed: int = Field(default=0, ge=0)
    declared: Declared = Declared()
    comparators: Comparators = Comparators()
    operating_points: tuple[OperatingPointRule, ...] = ()
    prevalences: tuple[Share, ...] = ()
    rule_in_ppv: Share = 0.90
    rule_out_npv: Share = 0.95
    decision_curve: DecisionCurve = DecisionCurve()
    calibration_groups: int = Field(default=5, ge=2)
    acceptance: Acceptance = Acceptance()

    @model_validator(mode="after")
    def _names_are_unique(self) -> "EvaluateConfig":
        names = [rule.name for rule in self.operating_points]
        for listed, key in ((names, "operating_points"), (self.comparators.names, "comparators")):
            if len(set(listed)) != len(listed):
                msg = f"{key}: each name once"
                raise ValueError(msg)
        if self.declared.feature_set in self.comparators.names:
            msg = "comparators: the declared feature set cannot be compared with itself"
            raise ValueError(msg)
        return self
