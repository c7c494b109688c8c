"""Which technical attributes of a header may be written, by their content.

An attribute may be technical and its content all the same what somebody typed into it: a hospital
as the manufacturer, or a formula that a spreadsheet would run.
"""

import re
from collections.abc import Mapping

from pipeline.ingest.description_words import WITHHELD

MAKERS = (
    *("Agfa", "Canon", "Esaote", "Fujifilm", "GE", "Hitachi", "Mediso", "Neusoft", "Philips"),
    *("Samsung", "Shimadzu", "Siemens", "Toshiba", "UIH", "United Imaging", "Varian"),
)
"""Makers of scanners whose names are written; any other text of Manufacturer is withheld."""

_NUMBER = re.compile(r"-?[0-9.]+(e-?[0-9]+)?(\\-?[0-9.]+(e-?[0-9]+)?)*", re.IGNORECASE)
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/+()\\-]{0,63}")


def safe_technical(attributes: Mapping[str, str]) -> dict[str, str]:
    """Return attributes by keyword with what must not be written withheld.

    Makers go by their usual name; numbers, and short texts of letters and digits that cannot be a
    formula, are written as they are.
    """
    return {keyword: _safe(keyword, value) for keyword, value in attributes.items()}


def _safe(keyword: str, value: str) -> str:
    if keyword == "Manufacturer":
        words = re.split(r"[^a-z]+", value.lower())
        return next((maker for maker in MAKERS if _names(maker, words)), WITHHELD)
    return value if _NUMBER.fullmatch(value) or _MODEL.fullmatch(value) else WITHHELD


def _names(maker: str, words: list[str]) -> bool:
    return all(word in words for word in maker.lower().split())
