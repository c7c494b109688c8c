"""A measure is a number or the reason why there is none; it is never zero for want of an input."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import nan


@dataclass(frozen=True, slots=True)
class Missing:
    """A measure that its inputs do not support.

    Parameters
    ----------
    reason : str
        What is wanting, in words for the user: ``no native phase``.
    """

    reason: str


Measured = float | Missing


def subtract(minuend: Measured, subtrahend: Measured) -> Measured:
    """Return the difference, or the reason of the first missing operand."""
    if isinstance(minuend, Missing):
        return minuend
    if isinstance(subtrahend, Missing):
        return subtrahend
    return minuend - subtrahend


def divide(
    numerator: Measured, denominator: Measured, denominator_name: str, minimum: float = 0.0
) -> Measured:
    """Return the quotient; missing where an operand is or the denominator is not above a minimum.

    Parameters
    ----------
    numerator, denominator : float or Missing
        In units that the caller knows.
    denominator_name : str
        What the denominator is, for the reason.
    minimum : float
        The denominator must exceed this; 0 refuses zero and negative ones.
    """
    if isinstance(numerator, Missing):
        return numerator
    if isinstance(denominator, Missing):
        return denominator
    if not denominator > minimum:
        return Missing(f"{denominator_name} is {denominator:.4g}, not above {minimum:.4g}")
    return numerator / denominator


def scale(value: Measured, factor: float) -> Measured:
    """Return a measure in another unit."""
    return value if isinstance(value, Missing) else factor * value


def to_numbers(measures: Mapping[str, Measured]) -> dict[str, float]:
    """Return the measures as table cells: NaN where missing."""
    return {name: nan if isinstance(value, Missing) else value for name, value in measures.items()}


def describe_missing(measures: Mapping[str, Measured]) -> str:
    """Return one line that names every missing measure after its reason; empty where none is.

    ``no native phase: ct_aphe_ratio, ct_necrosis_fraction; no reference liver: ct_...``
    """
    by_reason: dict[str, list[str]] = {}
    for name, reason in to_reasons(measures).items():
        # A reason of the images may have the mark that divides reasons.
        by_reason.setdefault(reason.replace("; ", ", "), []).append(name)
    return "; ".join(f"{reason}: {', '.join(names)}" for reason, names in by_reason.items())


def parse_missing(line: str) -> dict[str, str]:
    """Return the reason of every measure that :func:`describe_missing` named."""
    reasons = {}
    for part in line.split("; "):
        reason, _, names = part.rpartition(": ")
        reasons.update(dict.fromkeys(names.split(", "), reason))
    return reasons


def to_reasons(measures: Mapping[str, Measured]) -> dict[str, str]:
    """Return the reason of every missing measure by its name."""
    return {name: value.reason for name, value in measures.items() if isinstance(value, Missing)}
