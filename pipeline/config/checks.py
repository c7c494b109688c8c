"""Limits of the checks of images and dates: the section ``checks`` of ``configs/cohort.yaml``."""

from typing import Literal

from pydantic import Field, field_validator

from pipeline.config.loading import Settings

Quantity = Literal["aorta", "portal_vein", "liver", "aorta_minus_portal_vein", "aorta_minus_liver"]
"""Median HU of a region, or the difference of two such medians."""

Limits = tuple[float | None, float | None, float | None, float | None]
"""Possible from, usual from, usual to, possible to (HU); None where there is no limit."""

PhaseLimits = dict[str, dict[Quantity, Limits]]

DEFAULT_PHASE_HU: PhaseLimits = {
    "native": {
        "aorta": (None, None, 75, 100),
        "portal_vein": (None, None, 75, 100),
        "liver": (None, None, 80, 126),
    },
    "arterial": {
        "aorta": (110, 180, None, None),
        "liver": (None, None, 105, 150),
        "aorta_minus_portal_vein": (0, 50, None, None),
        "aorta_minus_liver": (40, 100, None, None),
    },
    "portal": {
        "aorta": (75, 100, 220, 350),
        "portal_vein": (75, 100, 260, 400),
        "liver": (20, 75, 170, 220),
        "aorta_minus_portal_vein": (None, None, 40, 100),
        "aorta_minus_liver": (None, None, 110, 180),
    },
    "delayed": {
        "aorta": (65, 80, 150, 220),
        "portal_vein": (65, 80, 160, 250),
        "liver": (15, 65, 130, 180),
        "aorta_minus_portal_vein": (None, None, 25, 80),
        "aorta_minus_liver": (None, None, 70, 150),
    },
}
"""What each phase of a CT of the liver looks like; sources in ``configs/cohort.yaml``."""


class Checks(Settings):
    """Limits from which an image or a date is reported; ``cohort.yaml`` explains each key."""

    max_slice_mm: float = Field(default=5.0, gt=0)
    max_components: int = Field(default=5, ge=1)
    air_hu: float = -300.0
    air_share_warning: float = Field(default=0.05, ge=0, le=1)
    air_share_error: float = Field(default=0.5, ge=0, le=1)
    liver_air_share_error: float = Field(default=0.04, ge=0, le=1)
    liver_fat_hu: float = -30.0
    liver_fat_share_warning: float = Field(default=0.1, ge=0, le=1)
    liver_fat_share_error: float = Field(default=0.3, ge=0, le=1)
    min_liver_ml: float = Field(default=300.0, ge=0)
    max_liver_ml: float = Field(default=4000.0, gt=0)
    max_tumour_ml: float = Field(default=1000.0, gt=0)
    image_share_warning: float = Field(default=0.5, ge=0, le=1)
    image_share_error: float = Field(default=0.9, ge=0, le=1)
    outside_liver_warning: float = Field(default=0.05, ge=0, le=1)
    outside_liver_error: float = Field(default=0.5, ge=0, le=1)
    whole_liver_warning: float = Field(default=0.7, ge=0, le=1)
    whole_liver_error: float = Field(default=0.95, ge=0, le=1)
    lesion_overlap_warning: float = Field(default=0.05, ge=0, le=1)
    lesion_overlap_error: float = Field(default=0.5, ge=0, le=1)
    lesion_shift_mm: float = Field(default=20.0, ge=0)
    clipped_share: float = Field(default=0.001, ge=0, le=1)
    suv_warning: float = Field(default=1000.0, gt=0)
    suv_error: float = Field(default=5000.0, gt=0)
    lipiodol_hu: float = 150.0
    lipiodol_share: float = Field(default=0.05, ge=0, le=1)
    phase_in_header: Literal["error", "warning"] = "error"
    phase_order_warning_hu: float = Field(default=5.0, ge=0)
    phase_order_error_hu: float = Field(default=20.0, ge=0)
    surgery_window_days: int = Field(default=30, ge=0)
    visit_spread_days: int = Field(default=30, ge=0)
    phase_hu: PhaseLimits = Field(default_factory=lambda: DEFAULT_PHASE_HU)

    @field_validator("phase_hu")
    @classmethod
    def _limits_ascend(cls, phases: PhaseLimits) -> PhaseLimits:
        for phase, quantities in phases.items():
            for quantity, limits in quantities.items():
                given = [limit for limit in limits if limit is not None]
                if given != sorted(given):
                    msg = f"{phase}.{quantity}: the four limits must ascend, got {limits}"
                    raise ValueError(msg)
        return phases
