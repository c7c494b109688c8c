"""Settings of ``configs/prepare.yaml``: how scans become prepared volumes."""

from pydantic import Field

from pipeline.config.loading import Settings


class PrepareConfig(Settings):
    """Everything in ``configs/prepare.yaml``; the comments there explain each key."""

    margin_mm: float = Field(default=30.0, ge=0)
