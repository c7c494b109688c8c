"""Settings of ``configs/measure.yaml``: how response is measured on the images."""

from enum import StrEnum

from pydantic import Field

from pipeline.config.loading import Settings


class ReferenceTissue(StrEnum):
    """What liver a lesion is compared with."""

    SPHERE = "sphere"
    """About 1 cm3 near the lesion, clear of vessels; all remaining liver where it has no place."""
    WHOLE = "whole"
    """All liver that keeps its distance from the tumour."""


class MeasureConfig(Settings):
    """Everything in ``configs/measure.yaml``; the comments there explain each key."""

    reference: ReferenceTissue
    liver_margin_mm: float = Field(ge=0)
    enhancing_sd_factor: float = Field(ge=0)
    enhancing_minimum_hu: float = Field(ge=0)
    least_gain_hu: float = Field(ge=0)
    minimum_viable_mm3: float = Field(ge=0)
    lipiodol_hu: float = Field(gt=0)
    qeasl_factors: tuple[float, ...] = Field(min_length=1)
    minimum_necrosis_mm3: float = Field(ge=0)
    gain_bin_width: float = Field(gt=0)
    lipiodol_bands_hu: tuple[float, ...] = Field(min_length=1)
    lipiodol_complete_percent: float = Field(gt=0, le=100)
    lipiodol_tolerated_percent: float = Field(ge=0, le=100)
    adc_unit_mm2_per_s: float = Field(gt=0)
    adc_viable_below: float = Field(gt=0)
    suv_threshold_share: float = Field(gt=0, le=1)
    contrast_arrival_s: float = Field(ge=0)
