"""Settings of ``configs/cohort.yaml``: which cohort, which outcome, which columns."""

import re
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field, field_validator, model_validator

from pipeline.config.checks import Checks
from pipeline.config.loading import Settings, parse_settings, read_yaml
from pipeline.domain.errors import ConfigError, LeakageError
from pipeline.domain.reading import MAX_VOXELS, Reading
from pipeline.domain.scan import Timepoint

_RULE = re.compile(r"^\s*(>=|>|==|<=|<)\s*(-?\d+(?:\.\d+)?)\s*$")


class Policy(StrEnum):
    """What happens to patients with problems."""

    STRICT = "strict"
    """Any error stops the run."""
    EXCLUDE = "exclude"
    """Patients with errors are left out and listed with the reason."""


class Outcome(Settings):
    """Which column of ``patients.csv`` is predicted, and when it counts as positive."""

    column: str
    positive: str = Field(description="comparison with a number, such as '>= 100' or '== 1'")
    name: str = "positive"

    @field_validator("positive")
    @classmethod
    def _is_a_comparison(cls, rule: str) -> str:
        if not _RULE.match(rule):
            msg = "must be a comparison with a number such as '>= 100' or '== 1'"
            raise ValueError(msg)
        return rule

    def is_positive(self, values: pd.Series) -> pd.Series:
        """Apply the rule; missing outcomes stay missing.

        Parameters
        ----------
        values : pandas.Series of float
            The outcome column.

        Returns
        -------
        pandas.Series of float
            1.0, 0.0, or NaN.
        """
        match = _RULE.match(self.positive)
        if match is None:  # unreachable: the validator has seen it
            raise AssertionError(self.positive)
        sign, number = match.group(1), float(match.group(2))
        compare = {
            ">=": values >= number,
            ">": values > number,
            "==": values == number,
            "<=": values <= number,
            "<": values < number,
        }
        return compare[sign].astype(float).where(values.notna(), np.nan)


AGE_RANGE_YEARS = (0.0, 120.0)
"""Of a covariate ``age`` in years without a range of its own; the oldest person on record reached
122 years."""


class Covariate(Settings):
    """A column of ``patients.csv`` that may be used as a predictor."""

    kind: Literal["numeric", "categorical", "lr_tr"]
    unit: str = "1"
    categories: tuple[str, ...] = ()
    range: tuple[float, float] | None = Field(
        default=None, description="smallest and largest possible value of a numeric covariate"
    )

    @field_validator("categories", mode="before")
    @classmethod
    def _as_text(cls, values: object) -> object:
        return tuple(str(value) for value in values) if isinstance(values, list) else values

    @model_validator(mode="after")
    def _has_the_categories_it_needs(self) -> "Covariate":
        if self.kind == "categorical" and len(self.categories) < 2:
            msg = "a categorical covariate needs at least two categories, the reference first"
            raise ValueError(msg)
        if self.kind != "categorical" and self.categories:
            msg = f"a covariate of kind {self.kind} has no categories of its own"
            raise ValueError(msg)
        if self.kind != "numeric" and self.range:
            msg = f"a covariate of kind {self.kind} has no range"
            raise ValueError(msg)
        if self.range and self.range[0] >= self.range[1]:
            msg = "range must be the smallest and the largest possible value"
            raise ValueError(msg)
        return self


def category_text(value: object) -> str | None:
    """Write a category as the settings do - 1, 1.0 and '1' are the same - or None where missing."""
    if value is None or value != value or value == "":
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


class CohortConfig(Settings):
    """Everything in ``configs/cohort.yaml``; the comments there explain each key."""

    root: Path
    preset: str | None = None
    allow_outside: bool = False
    policy: Policy = Policy.STRICT
    outcome: Outcome
    scoring_timepoint: Timepoint = Timepoint.PREOP
    covariates: dict[str, Covariate] = Field(default_factory=dict)
    not_predictors: tuple[str, ...] = ("post_*",)
    min_region_mm3: float = Field(default=100.0, gt=0)
    resample_masks: bool = False
    max_voxels: int = Field(default=MAX_VOXELS, gt=0)
    checks: Checks = Field(default_factory=Checks)

    @property
    def reading(self) -> Reading:
        """How the cohort's images may be read."""
        return Reading(resample_masks=self.resample_masks, max_voxels=self.max_voxels)

    def range_of(self, covariate: str) -> tuple[float, float] | None:
        """Return the smallest and largest possible value of a covariate, where there are any."""
        declared = self.covariates[covariate]
        is_age = covariate == "age" and declared.kind == "numeric" and declared.unit == "years"
        return declared.range or (AGE_RANGE_YEARS if is_age else None)

    def forbids(self, column: str) -> bool:
        """Tell whether a column must never be a predictor."""
        return column == self.outcome.column or any(
            fnmatchcase(column, pattern) for pattern in self.not_predictors
        )


def load_cohort_config(path: Path, preset: str | None = None) -> CohortConfig:
    """Read ``cohort.yaml``; the keys of its preset, if it names one, replace its own.

    A preset ``NAME`` is the file ``presets/NAME.yaml`` beside ``cohort.yaml``. ``root`` is always
    taken from ``cohort.yaml``, so that one preset serves a cohort wherever it lies.

    Parameters
    ----------
    path : Path
        ``cohort.yaml``.
    preset : str, optional
        Replaces the preset that the file names.

    Raises
    ------
    ConfigError
        If either file has a wrong key or value.
    LeakageError
        If a covariate is the outcome or only known after it.
    """
    content = read_yaml(path)
    if preset is not None:
        content["preset"] = preset
    name = content.get("preset")
    if name is not None:
        content = {**content, **_read_preset(path, str(name))}
    config = parse_settings(CohortConfig, content, path)
    leaks = sorted(name for name in config.covariates if config.forbids(name))
    if leaks:
        msg = (
            f"{path}: key covariates: {', '.join(leaks)} cannot be predictors: the outcome itself"
            f" or a column named in not_predictors ({', '.join(config.not_predictors)})."
            " Remove them from covariates."
        )
        raise LeakageError(msg)
    return config


def _read_preset(path: Path, name: str) -> dict[str, object]:
    folder = path.parent / "presets"
    file = folder / f"{name}.yaml"
    if not re.fullmatch(r"[\w-]+", name) or not file.is_file():
        known = ", ".join(sorted(item.stem for item in folder.glob("*.yaml"))) or "none"
        msg = f"{path}: key preset: no preset {name!r}. Known: {known}; or null for none."
        raise ConfigError(msg)
    preset = read_yaml(file)
    odd = sorted({"root", "preset"} & preset.keys())
    if odd:
        msg = f"{file}: key {odd[0]}: belongs into cohort.yaml, not into a preset."
        raise ConfigError(msg)
    return preset
