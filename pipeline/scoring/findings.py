"""The few measurements that a reader wants beside a probability."""

from collections.abc import Hashable, Mapping
from math import isnan, nan

from pipeline.report.patient import Fact
from pipeline.response.patient_response import CATEGORY_ORDER

LABELS = {
    "size_volume_ml": ("Lesion volume", "mL", ""),
    "size_longest_diameter_mm": ("Longest axial diameter", "mm", ""),
    "recist_category": ("Response by RECIST 1.1", "", "of target lesions; CR if none is left"),
    "recist_decrease_percent": ("Decrease of the diameters", "%", "sum over target lesions"),
    "ct_necrosis_fraction": ("Share without enhancement, CT", "", "arterial minus native phase"),
    "mr_necrosis_fraction": ("Share without enhancement, MR", "", "arterial minus native phase"),
    "ct_mrecist_diameter_mm": ("Longest enhancing diameter, CT", "mm", "not crossing necrosis"),
    "mr_mrecist_diameter_mm": ("Longest enhancing diameter, MR", "mm", "not crossing necrosis"),
    "mrecist_category": ("Response by mRECIST", "", "of target lesions; CR if none is left"),
    "mrecist_depth_percent": (
        "Decrease of the enhancing diameters",
        "%",
        "mRECIST, sum over target lesions",
    ),
    "enhancing_area_reduction_percent": (
        "Decrease of the enhancing area",
        "%",
        "80 % or more: major radiographic response",
    ),
    "ct_lipiodol_percent": ("Dense share of the lesion", "%", "lipiodol or calcium on native CT"),
    "pt_suv_max": ("SUVmax", "", ""),
    "afp_log_ratio": ("AFP, log ratio to baseline", "", "only where the baseline was elevated"),
    "pivka_log_ratio": ("PIVKA-II, log ratio to baseline", "", "only where it was elevated"),
    "albi_preop": ("ALBI score", "", "-2.60 or below: grade 1"),
}
"""Feature, its label, its unit and a remark, in the order of the page."""


def find_facts(row: Mapping[Hashable, float]) -> list[Fact]:
    """Return the measurements that a patient has.

    Parameters
    ----------
    row : mapping
        Assembled features of one patient by name.
    """
    facts = []
    for name, (label, unit, remark) in LABELS.items():
        value = row.get(name, nan)
        if not isnan(value):
            facts.append(Fact(label, _write(name, value, unit), remark))
    return facts


def _write(name: str, value: float, unit: str) -> str:
    if name.endswith("_category"):
        return str(CATEGORY_ORDER[int(value)])
    return f"{value:.3g} {unit}".strip()
