"""Figures in words: the interval always beside the value, the verdict no stronger than it."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

NOT_DEFINED = "not defined"
"""Stands where the data do not define a figure."""

_SET_NAMES = {
    "all": "all features",
    "size": "tumour size",
    "mrecist_depth": "mRECIST depth",
    "major_radiographic_response": "major radiographic response",
    "afp_response": "AFP response",
    "mrecist_depth_afp": "mRECIST depth and AFP response",
    "clinical": "clinical features",
    "serum": "serum markers",
    "response": "image-derived response",
    "radiomics": "radiomics",
    "delta": "delta radiomics",
    "habitat": "habitats of the tumour",
}


def name_of_set(feature_set: str) -> str:
    """Return a feature set's name as people say it."""
    return _SET_NAMES.get(feature_set, feature_set.replace("_", " "))


def number(value: object, digits: int = 2) -> str:
    """Return a number with fixed decimals; a true minus sign; a word where it is undefined."""
    if not isinstance(value, int | float) or not isfinite(value):
        return NOT_DEFINED
    text = f"{value:.{digits}f}"
    if not any(digit in text for digit in "123456789"):
        text = text.lstrip("-")  # a rounded -0.00 is 0.00
    return text.replace("-", "\N{MINUS SIGN}")


def with_limits(row: Mapping[str, Any], name: str, digits: int = 2) -> str:
    """Return ``value (low to high)`` of a flat entry with its ``_low`` and ``_high``."""
    value = number(row.get(name), digits)
    if value == NOT_DEFINED:
        return value
    low, high = number(row.get(f"{name}_low"), digits), number(row.get(f"{name}_high"), digits)
    return value if NOT_DEFINED in (low, high) else f"{value} ({low} to {high})"


def percent(share: object, digits: int = 0) -> str:
    """Return a share as per cent."""
    if not isinstance(share, int | float) or not isfinite(share):
        return NOT_DEFINED
    return f"{100 * share:.{digits}f} %"


def percent_with_limits(row: Mapping[str, Any], name: str) -> str:
    """Return ``61 % (43 to 77 %)`` of a flat entry with its limits."""
    value = percent(row.get(name))
    if value == NOT_DEFINED:
        return value
    low, high = (percent(row.get(f"{name}_{end}")) for end in ("low", "high"))
    return f"{value} ({low.removesuffix(' %')} to {high})"


def p_value(value: object) -> str:
    """Return a p-value with two significant digits, small ones as a bound."""
    if not isinstance(value, int | float) or not isfinite(value):
        return NOT_DEFINED
    if value < 0.001:
        return "< 0.001"
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def judge_auc(metrics: Mapping[str, Any]) -> str:
    """Say what the declared AUC's interval allows to claim."""
    low, high = metrics.get("auc_low"), metrics.get("auc_high")
    if low is None or high is None:
        return "The AUC is not defined on these predictions."
    if low > 0.5:
        return "Distinguishable from chance: the interval lies above 0.5."
    if high < 0.5:
        return (
            "Worse than chance: the interval lies below 0.5. The predictions order these patients"
            " the wrong way; look for an error before anything else."
        )
    return "Not distinguishable from chance: the interval includes 0.5."


def judge_difference(row: Mapping[str, Any]) -> str:
    """Say in a word whether the declared set is better than a comparator."""
    low, high = row["difference_low"], row["difference_high"]
    if low > 0:
        return "better"
    if high < 0:
        return "worse"
    return "not shown to differ"
