"""Settings of the registration: what may move, and what is too much to be believed."""

from enum import StrEnum

from pydantic import Field

from pipeline.config.loading import Settings


class RegistrationMethod(StrEnum):
    """How far a scan may be changed to lie on another."""

    NONE = "none"
    """Positions as the scanner wrote them."""
    RIGID = "rigid"
    """Turned and shifted."""
    DEFORMABLE = "deformable"
    """Turned, shifted and then bent."""


class RegistrationConfig(Settings):
    """What is asked for, and the limits beyond which a result is refused.

    The limits are proposals of this project, not published standards: a breath moves the liver by
    one to three centimetres, and tissue that shrinks to a fifth has been misread.
    """

    method: RegistrationMethod = RegistrationMethod.RIGID
    seed: int = Field(default=20240501, ge=1)
    largest_shift_mm: float = Field(default=60.0, gt=0)
    largest_rotation_deg: float = Field(default=20.0, gt=0, le=180)
    smallest_jacobian: float = Field(default=0.2, gt=0, lt=1)
    largest_jacobian: float = Field(default=5.0, gt=1)
    largest_dice_loss: float = Field(default=0.02, ge=0, le=1)
    smallest_gain_nats: float = Field(default=0.02, ge=0)
