"""Tell by its name what a segment or contour is: a tumour, the liver, a vessel, or none of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.ingest.collections.plan import LIVER, TUMOUR

AORTA = "aorta"
PORTAL_VEIN = "portal_vein"
"""Vessels are not written; their enhancement tells the contrast phase."""

_TUMOUR_NAMES = "mass masses tumour tumours tumor tumors lesion lesions neoplasm hcc gtv gtvp gtvt"
_FOLDER_NAMES = (
    "livertumor livertumors livertumour livertumours"  # written as one word in 3D-IRCADb
)
_TUMOUR_WORDS = frozenset(f"{_TUMOUR_NAMES} {_FOLDER_NAMES}".split())
_LIVER_WORDS = frozenset(("liver", "whole", "total", "organ"))
_OTHER_THAN = "no non not without minus wo except excl excluding outside ring peri around"
_NEGATIONS = frozenset(_OTHER_THAN.split(" "))
_WORD = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True)
class RegionNames:
    """Names that the user has given; empty tuples go by the words above.

    Parameters
    ----------
    tumour, liver : tuple of str
        Names of segments or contours, compared without regard to case.
    """

    tumour: tuple[str, ...] = ()
    liver: tuple[str, ...] = ()


def region_kind(name: str, names: RegionNames) -> str:
    """Return ``tumour``, ``liver``, ``aorta``, ``portal_vein``, or "" for anything else."""
    if names.tumour and _is_one_of(name, names.tumour):
        return TUMOUR
    if names.liver and _is_one_of(name, names.liver):
        return LIVER
    kind = _kind_by_words(name)
    chosen = {TUMOUR: names.tumour, LIVER: names.liver}
    return "" if chosen.get(kind) else kind


def tumour_names(found: Sequence[str], names: RegionNames) -> list[str]:
    """Return which of a mask's names are tumours, in the given order."""
    return [name for name in found if region_kind(name, names) == TUMOUR]


def _kind_by_words(name: str) -> str:
    words = set(_WORD.findall(name.lower()))
    if words & _NEGATIONS:
        return ""
    if words & _TUMOUR_WORDS:
        return TUMOUR
    if "liver" in words and words <= _LIVER_WORDS:
        return LIVER
    if "aorta" in words:
        return AORTA
    if words in ({"portal", "vein"}, {"portal"}, {"portalvein"}):
        return PORTAL_VEIN
    return ""


def _is_one_of(name: str, given: Sequence[str]) -> bool:
    return name.strip().casefold() in {item.strip().casefold() for item in given}
