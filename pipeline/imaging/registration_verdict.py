"""Figures of a registration, and whether they are good enough for it to be used."""

from dataclasses import dataclass
from math import nan

from pipeline.config.registration import RegistrationConfig

SMALLEST_OVERLAP = 0.25
"""Share of the compared positions that must lie within the moving scan."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Figures of one registration; NaN where there is nothing to measure.

    Parameters
    ----------
    mutual_information_before, mutual_information_rigid, mutual_information_deformable : float
        In nats, within the liver and its surroundings where a liver mask guided.
    chance : float
        Mutual information of the rigid result when one scan is shifted by half its size.
    overlap : float
        Share of the compared positions within the moving scan, after the rigid motion.
    dice_before, dice_rigid, dice_deformable : float
        Of the liver masks, where each scan has its own; one drawing used for both tells nothing.
    shift_mm, rotation_deg : float
        Of the rigid motion: movement of the fixed scan's centre - between examinations beyond
        the shift that brings the scans' or livers' centres together - and angle.
    jacobian_smallest, jacobian_largest : float
        Of the displacement: smallest and largest factor that a volume changes by.
    """

    mutual_information_before: float = nan
    mutual_information_rigid: float = nan
    mutual_information_deformable: float = nan
    chance: float = nan
    overlap: float = nan
    dice_before: float = nan
    dice_rigid: float = nan
    dice_deformable: float = nan
    shift_mm: float = nan
    rotation_deg: float = nan
    jacobian_smallest: float = nan
    jacobian_largest: float = nan


def refuse_rigid(quality: Quality, config: RegistrationConfig) -> str:
    """Return why a rigid result is not to be used; empty where it is."""
    found = quality.mutual_information_rigid
    if quality.overlap < SMALLEST_OVERLAP:
        return f"only {quality.overlap:.0%} of the compared part lies within the moving scan"
    if found < quality.chance + config.smallest_gain_nats:
        return (
            f"the scans match no better than by chance (mutual information {found:.3f} nats,"
            f" shifted by half their size {quality.chance:.3f})"
        )
    if quality.shift_mm > config.largest_shift_mm:
        return f"a shift of {quality.shift_mm:.0f} mm, more than {config.largest_shift_mm:g} mm"
    if quality.rotation_deg > config.largest_rotation_deg:
        return (
            f"a rotation of {quality.rotation_deg:.0f} degrees,"
            f" more than {config.largest_rotation_deg:g}"
        )
    return _dice_loss(quality.dice_before, quality.dice_rigid, config)


def refuse_deformable(quality: Quality, config: RegistrationConfig) -> str:
    """Return why a deformable result is not to be used; empty where it is."""
    smallest, largest = quality.jacobian_smallest, quality.jacobian_largest
    if smallest < config.smallest_jacobian or largest > config.largest_jacobian:
        return (
            f"not bent: volumes would change by factors of {smallest:.2g} to {largest:.2g}, allowed"
            f" {config.smallest_jacobian:g} to {config.largest_jacobian:g}"
        )
    found, before = quality.mutual_information_deformable, quality.mutual_information_rigid
    if found < before + config.smallest_gain_nats:
        return (
            f"not bent: hardly better than rigid (mutual information {found:.3f} nats,"
            f" rigid {before:.3f})"
        )
    loss = _dice_loss(quality.dice_rigid, quality.dice_deformable, config)
    return f"not bent: {loss}" if loss else ""


def _dice_loss(before: float, after: float, config: RegistrationConfig) -> str:
    if after < before - config.largest_dice_loss:  # never so where either is NaN
        return f"the livers overlap less than before (Dice {after:.3f}, before {before:.3f})"
    return ""
