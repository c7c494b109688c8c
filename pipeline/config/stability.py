"""Settings of ``configs/stability.yaml``: how stable radiomic features are under small changes."""

from pydantic import Field

from pipeline.config.loading import Settings


class PerturbationSettings(Settings):
    """How far one perturbation may go; the comments in the file explain each key."""

    noise_factor: float = Field(default=1.0, ge=0)
    translation_percent: float = Field(default=50.0, ge=0, le=100)
    rotation_degrees: float = Field(default=5.0, ge=0, le=45)
    volume_percent: float = Field(default=15.0, ge=0, lt=100)
    supervoxel_mm3: float = Field(default=500.0, gt=0)
    supervoxel_compactness: float = Field(default=0.3, gt=0)


class StabilityConfig(Settings):
    """Everything in ``configs/stability.yaml``."""

    seed: int = Field(default=20240519, ge=0)
    cases: int = Field(default=5, ge=2)
    perturbations: int = Field(default=6, ge=2)
    perturbation: PerturbationSettings = PerturbationSettings()
