"""Dates and times of a DICOM header, by the clock of the scanner.

DICOM writes times of day without a zone (VR TM) in local time, and date-times (VR DT) with an
optional offset from UTC; ``TimezoneOffsetFromUTC`` says what local means (PS3.5 6.2, PS3.3
C.12.1.1.8).
"""

import re
from datetime import date, datetime, time, timedelta, timezone

import pydicom
from pydicom.valuerep import DA, DT, TM

_TIME_OF_DAY_FROM = 12
"""A date-time of fewer digits (YYYYMMDDHHMM) says no time of day."""

_OFFSET = re.compile(r"([+-])(\d\d)(\d\d)")


def read_day(header: pydicom.Dataset, keyword: str) -> date | None:
    """Return a date (VR DA), or None where there is none."""
    try:
        return DA(_text(header, keyword))
    except ValueError:
        return None


def read_clock(header: pydicom.Dataset, keyword: str) -> time | None:
    """Return a time of day (VR TM), or None where there is none."""
    try:
        return TM(_text(header, keyword))
    except ValueError:
        return None


def read_moment(header: pydicom.Dataset, day: str, clock: str) -> datetime | None:
    """Return the moment that a date and a time of day name, or None where either lacks."""
    date_part, time_part = read_day(header, day), read_clock(header, clock)
    return (
        None if date_part is None or time_part is None else datetime.combine(date_part, time_part)
    )


def parse_date_time(text: str) -> datetime | None:
    """Return a date-time (VR DT), with its zone where it has one; None where it says no time."""
    digits = re.match(r"\d*", text.strip())
    if digits is None or len(digits[0]) < _TIME_OF_DAY_FROM:
        return None
    try:
        return DT(text.strip())
    except ValueError:
        return None


def parse_date_only(text: str) -> date | None:
    """Return the date with which a date-time (VR DT) begins."""
    try:
        return DA(text.strip()[:8])
    except ValueError:
        return None


def local_zone(header: pydicom.Dataset) -> timezone | None:
    """Return the zone of a header's local times, or None where it does not say."""
    match = _OFFSET.fullmatch(_text(header, "TimezoneOffsetFromUTC"))
    if match is None:
        return None
    offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return timezone(-offset if match[1] == "-" else offset)


def _text(header: pydicom.Dataset, keyword: str) -> str:
    return str(header.get(keyword, "") or "").strip()
