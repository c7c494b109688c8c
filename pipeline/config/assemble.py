"""Settings of ``configs/assemble.yaml``: how a patient's rows become one row."""

from enum import StrEnum

from pydantic import Field

from pipeline.config.loading import Settings
from pipeline.domain.scan import Modality


class LesionRule(StrEnum):
    """How lesions become a patient."""

    LARGEST = "largest"
    """The values of the lesion with the greatest volume at the earliest time point."""
    VOLUME_WEIGHTED = "volume_weighted"
    """The mean, weighted by the volumes at the earliest time point."""
    UNION = "union"
    """The values of all lesions taken as one."""
    WORST = "worst"
    """The values that speak most for living tumour."""


class DeltaForm(StrEnum):
    """How the change of a feature is written."""

    ABSOLUTE = "absolute"
    """Later minus earlier."""
    RELATIVE = "relative"
    """The difference in percent of the earlier value's size."""
    LOG_RATIO = "log_ratio"
    """Natural logarithm of later over earlier."""
    PER_DAY = "per_day"
    """The difference over the days between the scans."""


class TargetLesions(Settings):
    """Which lesions the response criteria sum; the source of the defaults is RECIST 1.1."""

    most: int = Field(default=2, ge=1)
    least_diameter_mm: float = Field(default=10.0, ge=0)


class AssembleConfig(Settings):
    """Everything in ``configs/assemble.yaml``; the comments there explain each key."""

    lesion_rule: LesionRule = LesionRule.LARGEST
    modality_order: tuple[Modality, ...] = Field(min_length=1)
    match_tolerance_mm: float = Field(default=10.0, ge=0)
    target_lesions: TargetLesions = Field(default_factory=TargetLesions)
    lipiodol_tolerated_percent: float = Field(default=5.0, ge=0, le=100)
    delta_forms: tuple[DeltaForm, ...] = Field(default=(DeltaForm.ABSOLUTE,), min_length=1)
