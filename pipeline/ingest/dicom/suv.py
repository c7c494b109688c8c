"""Standardised uptake value of a PET series by body weight, from its header.

``SUVbw = activity concentration x body weight / injected activity at the reference time`` in g/mL,
the reference time being the one that the image's voxels are decay-corrected to (DICOM PS3.3
C.8.9.1; vendor-neutral rules of the QIBA SUV work group, https://qibawiki.rsna.org, "Standardized
Uptake Value"). Only that definition: lean body mass, body surface and glucose corrections are not
computed, and an image that is already one of them is refused.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pydicom
from pydicom.valuerep import DA, DT, TM

from pipeline.ingest.codes import Code
from pipeline.ingest.read_error import ReadError

PLAUSIBLE_WEIGHT_KG = (1.0, 400.0)
"""A weight outside is a typing error or in another unit."""

PLAUSIBLE_ACTIVITY_BQ = (1e5, 1e11)
"""Injected activity; some exporters write it in MBq, which would make the SUV a million-fold."""

LONGEST_UPTAKE_HALF_LIVES = 10.0
"""After ten half-lives a thousandth is left: later scans have a wrong date in their header."""

PHILIPS_PRIVATE_GROUP, PHILIPS_CREATOR = 0x7053, "Philips PET Private Group"
GE_PRIVATE_GROUP, GE_CREATOR, GE_SCAN_TIME = 0x0009, "GEMS_PETD_01", 0x0D
"""Where GE keeps the scan's start when later processing has replaced the series' time."""


def suv_factor(path: Path, headers: Sequence[pydicom.Dataset]) -> float:
    """Return what a PET's rescaled voxels are multiplied by to be SUVbw in g/mL.

    Parameters
    ----------
    path : Path
        The series, for messages.
    headers : sequence of pydicom.Dataset
        Headers of its slices, any order; everything but times is taken from the first.

    Raises
    ------
    ReadError
        With code ``suv-not-possible`` if the header lacks something, contradicts itself, or holds
        another kind of uptake value. The message says which attribute, never an identifier.
    """
    first = headers[0]
    units = str(first.get("Units", "") or "").strip().upper()
    if units == "GML":
        _check_body_weight_kind(path, first)
        return 1.0
    if units == "BQML":
        return _weight_g(path, first) / _reference_activity_bq(path, headers)
    philips = _philips_factor(first) if units == "CNTS" else None
    if philips is not None:
        return philips
    raise _impossible(path, "Units GML, or BQML with weight and injected activity", units or "none")


def _check_body_weight_kind(path: Path, header: pydicom.Dataset) -> None:
    kind = str(header.get("SUVType", "") or "BW").strip().upper()
    if kind != "BW":
        raise _impossible(path, "SUVType BW (body weight)", f"SUVType {kind}")


def _weight_g(path: Path, header: pydicom.Dataset) -> float:
    return 1000.0 * _number(path, header, "PatientWeight", PLAUSIBLE_WEIGHT_KG, "kg")


def _reference_activity_bq(path: Path, headers: Sequence[pydicom.Dataset]) -> float:
    """Return the injected activity at the time that the voxels are decay-corrected to."""
    first = headers[0]
    if "ATTN" not in _words(first, "CorrectedImage"):
        raise _impossible(path, "CorrectedImage with ATTN", "no attenuation correction")
    drug = _radiopharmaceutical(path, first)
    activity_bq = _number(path, drug, "RadionuclideTotalDose", PLAUSIBLE_ACTIVITY_BQ, "Bq")
    reference = str(first.get("DecayCorrection", "") or "").strip().upper()
    if reference == "ADMIN":  # already corrected to the time of injection
        return activity_bq
    if reference != "START":
        raise _impossible(path, "DecayCorrection START or ADMIN", reference or "none")
    half_life_s = _number(path, drug, "RadionuclideHalfLife", (1.0, 1e9), "s")
    started = _scan_start(path, headers)
    elapsed_s = (started - _injection(path, drug, started)).total_seconds()
    if not 0 <= elapsed_s <= LONGEST_UPTAKE_HALF_LIVES * half_life_s:
        raise _impossible(
            path,
            f"an injection before the scan, at most {LONGEST_UPTAKE_HALF_LIVES:g} half-lives",
            f"{elapsed_s:g} s between the two (half-life {half_life_s:g} s)",
        )
    return float(activity_bq * 2.0 ** (-elapsed_s / half_life_s))


def _scan_start(path: Path, headers: Sequence[pydicom.Dataset]) -> datetime:
    """Return when the scan began.

    The series' time, unless it lies after the first acquisition: then it is the time of later
    processing, and GE's private copy or the earliest acquisition of the series counts.
    """
    acquired = [
        moment
        for header in headers
        if (moment := _moment(header, "AcquisitionDate", "AcquisitionTime"))
    ]
    series = _moment(headers[0], "SeriesDate", "SeriesTime")
    if series and (not acquired or series <= min(acquired)):
        return series
    ge = _date_time(_private(headers[0], GE_PRIVATE_GROUP, GE_CREATOR, GE_SCAN_TIME))
    if ge:
        return ge
    if acquired:
        return min(acquired)
    raise _impossible(path, "SeriesTime or AcquisitionTime with its date", "neither")


def _injection(path: Path, drug: pydicom.Dataset, scan: datetime) -> datetime:
    """Return when the tracer was given; a time of day without date means the scan's day."""
    full = _date_time(drug.get("RadiopharmaceuticalStartDateTime"))
    if full:
        return full
    try:
        clock = TM(str(drug.get("RadiopharmaceuticalStartTime", "") or ""))
    except ValueError:
        clock = None
    if clock is None:
        raise _impossible(path, "RadiopharmaceuticalStartTime or ...StartDateTime", "neither")
    return datetime.combine(scan.date(), clock)


def _radiopharmaceutical(path: Path, header: pydicom.Dataset) -> pydicom.Dataset:
    items = header.get("RadiopharmaceuticalInformationSequence") or []
    if len(items) != 1:
        raise _impossible(
            path, "one item in RadiopharmaceuticalInformationSequence", f"{len(items)}"
        )
    return items[0]  # type: ignore[no-any-return]  # pydicom types elements as Any


def _philips_factor(header: pydicom.Dataset) -> float | None:
    """Return the factor that Philips keeps in a private element for images in counts."""
    value = _private(header, PHILIPS_PRIVATE_GROUP, PHILIPS_CREATOR, 0x00)
    try:
        factor = float(value)
    except (TypeError, ValueError):
        return None
    return factor if 0 < factor < float("inf") else None


def _private(header: pydicom.Dataset, group: int, creator: str, element: int) -> Any:
    try:
        return header.private_block(group, creator)[element].value
    except KeyError:
        return None


def _moment(header: pydicom.Dataset, date: str, time: str) -> datetime | None:
    try:
        day, clock = DA(str(header.get(date, "") or "")), TM(str(header.get(time, "") or ""))
    except ValueError:
        return None
    return None if day is None or clock is None else datetime.combine(day, clock)


def _date_time(value: object) -> datetime | None:
    """Read a DICOM date-time as the scanner's local clock, which all other times follow."""
    try:
        moment = DT(str(value or ""))
    except ValueError:
        return None
    return None if moment is None else moment.replace(tzinfo=None)


def _number(
    path: Path, header: pydicom.Dataset, keyword: str, limits: tuple[float, float], unit: str
) -> float:
    expected = f"{keyword} from {limits[0]:g} to {limits[1]:g} {unit}"
    try:
        number = float(header.get(keyword))  # pydicom converts, and fails, only here
    except (TypeError, ValueError):
        raise _impossible(path, expected, "none, or no number") from None
    if not limits[0] <= number <= limits[1]:
        raise _impossible(path, expected, f"{number:g}")
    return number


def _words(header: pydicom.Dataset, keyword: str) -> list[str]:
    value = header.get(keyword) or []
    return [value] if isinstance(value, str) else [str(word) for word in value]


def _impossible(path: Path, expected: str, got: str) -> ReadError:
    return ReadError(
        path,
        "the PET cannot be converted to SUV",
        expected=expected,
        got=got,
        next_step="Convert the series to SUV with the scanner's software, or correct its header.",
        code=Code.SUV_NOT_POSSIBLE,
    )
