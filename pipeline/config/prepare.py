"""Settings of ``configs/prepare.yaml``: how scans become prepared volumes."""

from pydantic import Field

from pipeline.config.loading import Settings
from pipeline.config.registration import RegistrationConfig

PHASE_ORDER = (
    *("arterial", "portal", "delayed", "hbp", "native", "t1", "t2", "adc", "dwi"),
    "suv",
)
"""Of the phases that a visit has, the first shows most of a liver tumour."""


class PrepareConfig(Settings):
    """Everything in ``configs/prepare.yaml``; the comments there explain each key."""

    margin_mm: float = Field(default=30.0, ge=0)
    bias_field: bool = True
    phase_order: tuple[str, ...] = Field(default=PHASE_ORDER, min_length=1)
    registration: RegistrationConfig = Field(default_factory=RegistrationConfig)

    def volume_settings(self) -> dict[str, object]:
        """Return what decides a prepared volume; registration leaves volumes as they are."""
        return {"margin_mm": self.margin_mm, "bias_field": self.bias_field}
