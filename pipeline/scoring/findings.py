"""The few measurements that a reader wants beside a probability."""

from collections.abc import Hashable, Mapping
from math import isnan, nan

from pipeline.report.patient import Fact

LABELS = {
    "size_volume_ml": ("Lesion volume", "mL", ""),
    "size_longest_diameter_mm": ("Longest axial diameter", "mm", ""),
    "recist_like_decrease_percent": ("Decrease of the diameter", "%", "like RECIST, one lesion"),
    "viable_fraction": ("Enhancing share of the lesion", "", "arterial minus native phase"),
    "viable_diameter_mm": ("Longest enhancing diameter", "mm", ""),
    "mrecist_like_depth_percent": (
        "Decrease of the enhancing diameter",
        "%",
        "like mRECIST, one lesion",
    ),
    "enhancing_area_reduction_percent": (
        "Decrease of the enhancing area",
        "%",
        "80 % or more: major radiographic response",
    ),
    "lipiodol_fraction": ("Dense share of the lesion", "", "lipiodol or calcium on native CT"),
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
            facts.append(Fact(label, f"{value:.3g} {unit}".strip(), remark))
    return facts
