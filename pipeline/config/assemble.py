"""Settings of ``configs/assemble.yaml``: how a patient's rows become one row."""

from typing import Literal

from pydantic import Field

from pipeline.config.loading import Settings
from pipeline.domain.scan import Modality


class AssembleConfig(Settings):
    """Everything in ``configs/assemble.yaml``; the comments there explain each key."""

    lesion_rule: Literal["largest"]
    modality_order: tuple[Modality, ...] = Field(min_length=1)
