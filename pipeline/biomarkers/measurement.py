"""One serum measurement: text from a laboratory list becomes a number in a known unit."""

import math
import re
from dataclasses import dataclass
from enum import StrEnum

from pipeline.config.biomarkers import Analyte, BiomarkersConfig
from pipeline.domain.errors import MeasurementError

_VALUE = re.compile(r"^\s*([<>]?)\s*(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)\s*$")
_MICRO_SIGNS = str.maketrans({"\u00b5": "u", "\u03bc": "u"})


class Censoring(StrEnum):
    """Whether a laboratory gave the value itself or only a bound."""

    NONE = ""
    BELOW = "<"
    ABOVE = ">"


@dataclass(frozen=True, slots=True)
class Measurement:
    """A value in its analyte's canonical unit.

    Parameters
    ----------
    value : float
        As reported, or the bound where the laboratory gave only that.
    censoring : Censoring
        Whether the true value is below or above ``value``.
    """

    value: float
    censoring: Censoring = Censoring.NONE

    def point_value(self, below_limit_factor: float) -> float:
        """Return the number used in computations: ``<x`` counts as ``x * factor``, ``>x`` as x."""
        is_below = self.censoring is Censoring.BELOW
        return self.value * below_limit_factor if is_below else self.value


def read_measurement(text: str, unit: str, analyte: Analyte) -> Measurement:
    """Interpret a value and its unit as written.

    Parameters
    ----------
    text : str
        A positive number with a decimal point, optionally after ``<`` or ``>``.
    unit : str
        Compared without regard to case, spaces and the two micro signs.
    analyte : Analyte
        Its units and hard range.

    Raises
    ------
    MeasurementError
        If the text is not a number, the unit is unknown or refused, or the value is impossible.
    """
    match = _VALUE.match(text)
    if match is None:
        msg = f"value: expected a number such as 12.5, <1.3 or >60000, got {text!r}"
        raise MeasurementError(msg)
    value = float(match.group(2)) * conversion_factor(unit, analyte)
    censoring = Censoring(match.group(1))
    _check_range(value, censoring, text, unit, analyte)
    return Measurement(value, censoring)


def conversion_factor(unit: str, analyte: Analyte) -> float:
    """Return what turns a value in ``unit`` into the analyte's canonical unit.

    Raises
    ------
    MeasurementError
        If the unit is unknown, or refused because no factor is valid.
    """
    wanted = _plain(unit)
    for refused, reason in analyte.refused_units.items():
        if _plain(refused) == wanted:
            msg = f"unit: expected {analyte.unit}, got {unit}: {reason}"
            raise MeasurementError(msg)
    for accepted, factor in analyte.accepted_units.items():
        if _plain(accepted) == wanted:
            return factor
    msg = f"unit: expected one of {', '.join(analyte.accepted_units)}, got {unit or 'nothing'}"
    raise MeasurementError(msg)


def find_analyte(name: str, config: BiomarkersConfig) -> Analyte | None:
    """Return the analyte of that name, without regard to case and hyphens; None if unknown."""
    wanted = _name(name)
    matches = (analyte for known, analyte in config.analytes.items() if _name(known) == wanted)
    return next(matches, None)


def _check_range(
    value: float, censoring: Censoring, text: str, unit: str, analyte: Analyte
) -> None:
    low, high = analyte.hard_range
    # A bound says nothing about the side it leaves open.
    too_low = value < low and censoring is not Censoring.BELOW
    too_high = value > high and censoring is not Censoring.ABOVE
    if too_low or too_high or not math.isfinite(value) or value <= 0:
        msg = (
            f"value: expected {low:g} to {high:g} {analyte.unit},"
            f" got {text.strip()} {unit} = {value:g} {analyte.unit}; is the unit right?"
        )
        raise MeasurementError(msg)


def _plain(unit: str) -> str:
    return "".join(unit.translate(_MICRO_SIGNS).split()).casefold()


def _name(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).casefold()
