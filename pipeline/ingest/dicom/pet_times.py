"""When a PET scan began and when its tracer was given, by the scanner's clock.

The rules are those of the QIBA SUV work group (https://qibawiki.rsna.org, "Standardized Uptake
Value"), which deal with series times that later processing has replaced. An injection before
midnight is known only where the header gives its date.
"""

from collections.abc import Sequence
from datetime import date, datetime

import pydicom

from pipeline.ingest.dicom.moments import (
    local_zone,
    parse_date_only,
    parse_date_time,
    read_clock,
    read_moment,
)

SAME_MOMENT_S = 60.0
"""Two statements of the injection may differ by rounding to minutes, not by more."""

GE_PRIVATE_GROUP, GE_CREATOR, GE_SCAN_TIME = 0x0009, "GEMS_PETD_01", 0x0D
"""Where GE keeps the scan's start when later processing has replaced the series' time."""


class PetTimeError(ValueError):
    """A time is absent or contradicts another.

    Parameters
    ----------
    expected, got : str
        For the message; times of day at most, no dates.
    """

    def __init__(self, expected: str, got: str) -> None:
        self.expected = expected
        self.got = got
        super().__init__(f"expected {expected}, got {got}")


def scan_start(headers: Sequence[pydicom.Dataset]) -> datetime:
    """Return when the scan began.

    The series' time, unless it lies after the first acquisition: then it is the time of later
    processing, and GE's private copy or the earliest acquisition of the series counts.

    Raises
    ------
    PetTimeError
        If the headers give none of them.
    """
    moments = [read_moment(header, "AcquisitionDate", "AcquisitionTime") for header in headers]
    acquired = [moment for moment in moments if moment is not None]
    series = read_moment(headers[0], "SeriesDate", "SeriesTime")
    if series and (not acquired or series <= min(acquired)):
        return series
    ge = _ge_scan_start(headers[0])
    if ge is not None:
        return ge
    if acquired:
        return min(acquired)
    raise PetTimeError("SeriesTime or AcquisitionTime with its date", "neither")


def injection_time(drug: pydicom.Dataset, header: pydicom.Dataset, scan: datetime) -> datetime:
    """Return when the tracer was given.

    Parameters
    ----------
    drug : pydicom.Dataset
        Item of RadiopharmaceuticalInformationSequence.
    header : pydicom.Dataset
        Of a slice; says which zone its local times are in.
    scan : datetime
        When the scan began: a time of day without date means that day.

    Raises
    ------
    PetTimeError
        If there is no time, two that differ, or one in a zone that cannot be compared.
    """
    clock = read_clock(drug, "RadiopharmaceuticalStartTime")
    text = str(drug.get("RadiopharmaceuticalStartDateTime", "") or "")
    full = parse_date_time(text)
    if full is None:
        if clock is None:
            expected = "RadiopharmaceuticalStartTime or ...StartDateTime with a time"
            raise PetTimeError(expected, "neither")
        return datetime.combine(parse_date_only(text) or scan.date(), clock)
    local = _local(full, header)
    if clock is not None:
        stated = datetime.combine(date(1, 1, 1), clock)
        same_day = datetime.combine(date(1, 1, 1), local.time())
        if abs((stated - same_day).total_seconds()) > SAME_MOMENT_S:
            got = f"{clock:%H:%M:%S} and {local:%H:%M:%S}"
            raise PetTimeError("one time of injection in both attributes that give it", got)
    return local


def _local(moment: datetime, header: pydicom.Dataset) -> datetime:
    """Return a moment by the scanner's clock, without zone."""
    if moment.tzinfo is None:
        return moment
    zone = local_zone(header)
    if zone is None:
        expected = "TimezoneOffsetFromUTC, because the injection is given with a zone"
        raise PetTimeError(expected, "none")
    return moment.astimezone(zone).replace(tzinfo=None)


def _ge_scan_start(header: pydicom.Dataset) -> datetime | None:
    try:
        value = header.private_block(GE_PRIVATE_GROUP, GE_CREATOR)[GE_SCAN_TIME].value
    except KeyError:
        return None
    moment = parse_date_time(str(value or ""))
    return None if moment is None else moment.replace(tzinfo=None)
