"""Attributes of a DICOM header as plain Python values."""

import math
import struct
from functools import cache

import pydicom
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag, Tag

from pipeline.ingest.dicom.header import PARSE_ERRORS

_PLAIN_TEXT = frozenset({"CS", "DA", "DS", "DT", "IS", "TM", "UI"})
"""Value representations of the default character set (PS3.5 section 6.2)."""


def words(header: pydicom.Dataset, keyword: str) -> tuple[str, ...]:
    """Return the values of an attribute as text, without padding; empty where it is absent.

    Codes and numbers are decoded here from their bytes, because pydicom's conversion takes ten
    times as long and a series has tens of thousands of values.
    """
    tag, value_type = _lookup(keyword)
    element = header.get_item(tag)
    if element is None or element.value is None:
        return ()
    if isinstance(element, RawDataElement) and isinstance(element.value, bytes):
        known = element.VR or value_type
        if known in _PLAIN_TEXT:
            found = element.value.decode("latin-1").split("\\")
            return tuple(item.strip(" \0") for item in found) if element.value else ()
        if known == "US":
            order = "<" if element.is_little_endian else ">"
            return tuple(
                str(number) for (number,) in struct.iter_unpack(f"{order}H", element.value)
            )
    return _converted(header[tag].value)


def _converted(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    values = value if isinstance(value, list | tuple | MultiValue) else [value]
    return tuple(str(item).strip(" \0") for item in values)


@cache
def _lookup(keyword: str) -> tuple[BaseTag, str]:
    tag = tag_for_keyword(keyword)
    if tag is None:
        msg = f"{keyword} is not an attribute of the standard"
        raise KeyError(msg)
    return Tag(tag), dictionary_VR(tag)


def text(header: pydicom.Dataset, keyword: str) -> str:
    """Return an attribute as text, several values joined by a backslash as in the file."""
    return "\\".join(words(header, keyword))


def numbers(header: pydicom.Dataset, keyword: str, count: int) -> tuple[float, ...] | None:
    """Return the numbers of an attribute, None where it is absent or empty.

    Raises
    ------
    ValueError
        If it has another number of values, or one is not a number.
    """
    found = [item for item in words(header, keyword) if item]
    if not found:
        return None
    if len(found) != count:
        msg = f"{keyword} must have {count} values, got {len(found)}"
        raise ValueError(msg)
    return tuple(float(item) for item in found)


def number(header: pydicom.Dataset, keyword: str) -> float | None:
    """Return the number of an attribute, None where it is absent or empty."""
    found = numbers(header, keyword, 1)
    return None if found is None else found[0]


def whole(header: pydicom.Dataset, keyword: str) -> int | None:
    """Return the whole number of an attribute, None where it is absent or empty.

    Raises
    ------
    ValueError
        If it is not a whole number.
    """
    found = number(header, keyword)
    if found is None:
        return None
    if not math.isfinite(found) or found != int(found):
        msg = f"{keyword} must be a whole number, got {found}"
        raise ValueError(msg)
    return int(found)


def optional_whole(header: pydicom.Dataset, keyword: str) -> int | None:
    """Return the whole number of an attribute; None also where it is malformed."""
    try:
        return whole(header, keyword)
    except PARSE_ERRORS:
        return None


def optional_text(header: pydicom.Dataset, keyword: str) -> str:
    """Return an attribute as text; empty also where it is malformed."""
    try:
        return text(header, keyword)
    except PARSE_ERRORS:
        return ""


def optional_number(header: pydicom.Dataset, keyword: str) -> float | None:
    """Return the number of an attribute; None also where it is malformed or not finite."""
    try:
        found = number(header, keyword)
    except PARSE_ERRORS:
        return None
    return found if found is not None and math.isfinite(found) else None
