"""Change of a lesion between baseline and operation."""

from math import nan

DECREASES = {
    "recist_like_decrease_percent": "longest_diameter_mm",
    "volume_decrease_percent": "volume_ml",
    "mrecist_like_depth_percent": "viable_diameter_mm",
    "enhancing_area_reduction_percent": "viable_area_mm2",
    "viable_volume_decrease_percent": "viable_volume_ml",
}
"""Each change and the measure it is the decrease of.

RECIST 1.1 sums up to five lesions and mRECIST their enhancing diameters; these are of one lesion.
The enhancing area is that of the 'major radiographic response' (>= 80 %, PMID 37158833).
"""


def decrease_percent(before: float, after: float) -> float:
    """Return ``100 * (1 - after / before)``; NaN where there was nothing to decrease."""
    return 100 * (1 - after / before) if before > 0 else nan


def compute_decreases(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """Return every entry of ``DECREASES`` for one lesion; NaN where a measure is missing.

    Parameters
    ----------
    before, after : dict
        Measures by name (mm, mL, mm2) at baseline and before the operation, of one modality.
    """
    return {
        change: decrease_percent(before.get(measure, nan), after.get(measure, nan))
        for change, measure in DECREASES.items()
    }
