"""Settings of ``configs/biomarkers.yaml``: which serum analytes are known, in which units."""

from pathlib import Path

from pydantic import Field, field_validator, model_validator

from pipeline.config.loading import Settings, load_settings


class Analyte(Settings):
    """One serum analyte: its canonical unit, what may be converted, what is plausible."""

    key: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="stem of its feature names")
    unit: str
    unit_key: str = Field(pattern=r"^[a-z0-9_]+$", description="the unit in feature names")
    accepted_units: dict[str, float]
    refused_units: dict[str, str] = Field(default_factory=dict)
    hard_range: tuple[float, float]
    upper_normal: float | None = None
    log10: bool = False
    kinetics: bool = False

    @field_validator("accepted_units")
    @classmethod
    def _factors_are_positive(cls, units: dict[str, float]) -> dict[str, float]:
        wrong = [name for name, factor in units.items() if factor <= 0]
        if wrong:
            msg = f"conversion factors must be positive: {', '.join(wrong)}"
            raise ValueError(msg)
        return units

    @model_validator(mode="after")
    def _is_consistent(self) -> "Analyte":
        if self.accepted_units.get(self.unit) != 1.0:
            msg = f"accepted_units must list the canonical unit {self.unit} with factor 1"
            raise ValueError(msg)
        if not 0 < self.hard_range[0] < self.hard_range[1]:
            msg = f"hard_range must be two increasing positive numbers, got {self.hard_range}"
            raise ValueError(msg)
        if self.kinetics and self.upper_normal is None:
            msg = "kinetics needs upper_normal, to tell which baselines are informative"
            raise ValueError(msg)
        return self


class BiomarkersConfig(Settings):
    """Everything in ``configs/biomarkers.yaml``; the comments there explain each key."""

    analytes: dict[str, Analyte]
    below_limit_factor: float = Field(default=0.5, gt=0, le=1)
    window_days: int = Field(default=28, ge=0)
    distant_days: int = Field(default=14, ge=0)
    response_decline_percent: float = Field(default=50.0, gt=0, lt=100)

    @model_validator(mode="after")
    def _keys_are_unique(self) -> "BiomarkersConfig":
        keys = [analyte.key for analyte in self.analytes.values()]
        if len(set(keys)) != len(keys):
            msg = f"each analyte needs a key of its own, got {sorted(keys)}"
            raise ValueError(msg)
        return self


def load_biomarkers_config(path: Path) -> BiomarkersConfig:
    """Read ``biomarkers.yaml``.

    Raises
    ------
    ConfigError
        Naming each wrong key, its value and what is allowed.
    """
    return load_settings(BiomarkersConfig, path)
