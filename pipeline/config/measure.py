"""Settings of ``configs/measure.yaml``: how response is measured on the images."""

from pydantic import Field

from pipeline.config.loading import Settings


class MeasureConfig(Settings):
    """Everything in ``configs/measure.yaml``; the comments there explain each key."""

    phase_order: tuple[str, ...] = Field(min_length=1)
    liver_margin_mm: float = Field(ge=0)
    enhancing_sd_factor: float = Field(ge=0)
    enhancing_minimum_hu: float = Field(ge=0)
    minimum_viable_mm3: float = Field(ge=0)
    lipiodol_hu: float = Field(gt=0)
