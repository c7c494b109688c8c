"""Settings of ``configs/demo.yaml``: the synthetic demo cohort."""

from typing import Annotated

from pydantic import Field, field_validator

from pipeline.config.loading import Settings

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]


class Scanner(Settings):
    """What one site's scanners do to an image."""

    spacing_mm: tuple[Positive, Positive, Positive]
    slices: int = Field(ge=8)
    noise_hu: float = Field(ge=0)
    blur_voxels: float = Field(ge=0)
    offset_hu: float
    mr_scale: Positive


class MissingShares(Settings):
    """How often something is missing, as in life."""

    covariate: Share
    marker_draw: Share
    baseline_native: Share
    draw_timepoint: Share


class ReportingLimits(Settings):
    """Detection limits of one assay in its canonical unit; beyond them values are censored."""

    low: Positive
    high: Positive


class DemoConfig(Settings):
    """Everything in ``configs/demo.yaml``; the comments there explain each key."""

    seed: int = Field(ge=0)
    patients: int = Field(ge=1)
    matrix: int = Field(ge=32)
    second_site_share: Share
    mr_share: Share
    lipiodol_share: Share
    other_unit_share: Share
    sites: dict[str, Scanner]
    missing: MissingShares
    limits: dict[str, ReportingLimits]

    @field_validator("sites")
    @classmethod
    def _are_two(cls, sites: dict[str, Scanner]) -> dict[str, Scanner]:
        if len(sites) != 2:
            msg = f"two sites are needed, got {len(sites)}: {', '.join(sites)}"
            raise ValueError(msg)
        return sites
