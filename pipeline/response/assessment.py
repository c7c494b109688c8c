"""A patient's response by every criterion, from the measures of lesions at two time points."""

from dataclasses import dataclass

from pipeline.response.categories import (
    EASL,
    MRECIST,
    QEASL,
    RECIST_1_1,
    VRECIST,
    Category,
    categorise,
    is_major_radiographic_response,
)
from pipeline.response.measured import Measured, Missing, divide, scale, subtract
from pipeline.response.target_lesions import (
    LEAST_DIAMETER_MM,
    MOST_PER_ORGAN,
    choose_target_lesions,
    sum_over_targets,
)
from pipeline.response.visit_measures import Lesions, pick_measure


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What is summed over which lesions.

    Parameters
    ----------
    measure : str
        Name of the measure.
    target_by : str
        Name of the diameter that makes a lesion a target at baseline.
    """

    measure: str
    target_by: str


CRITERIA = {
    "recist": RECIST_1_1,
    "mrecist": MRECIST,
    "easl": EASL,
    "vrecist": VRECIST,
    "qeasl": QEASL,
}
"""The criteria by the names that results carry."""

YARDSTICKS = {
    "recist": Yardstick("recist_diameter_mm", "recist_diameter_mm"),
    "mrecist": Yardstick("mrecist_diameter_mm", "mrecist_diameter_mm"),
    "easl": Yardstick("easl_product_mm2", "mrecist_diameter_mm"),
    "vrecist": Yardstick("volume_ml", "recist_diameter_mm"),
    "qeasl": Yardstick("enhancing_volume_ml", "mrecist_diameter_mm"),
    "enhancing_area": Yardstick("enhancing_area_mm2", "mrecist_diameter_mm"),
}
"""What each criterion, and the major radiographic response (enhancing area), is about.

On enhancement the targets are lesions whose enhancing part can be measured."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """A patient's response.

    Parameters
    ----------
    categories : dict of str to Category or Missing
        By the names of ``CRITERIA``.
    changes_percent : dict of str to float or Missing
        Change of each sum of ``YARDSTICKS`` from baseline; negative where it fell.
    major_response : bool or Missing
        Whether the enhancing area of the target lesions fell by 80 % or more.
    """

    categories: dict[str, Category | Missing]
    changes_percent: dict[str, Measured]
    major_response: bool | Missing


def assess_response(
    before: Lesions,
    after: Lesions,
    new_lesion: bool = False,
    most_targets: int = MOST_PER_ORGAN,
    least_mm: float = LEAST_DIAMETER_MM,
) -> Assessment:
    """Return categories by every criterion, for lesions of one organ.

    Parameters
    ----------
    before, after : mapping of str to mapping of str to float or Missing
        Measures of each lesion at baseline and now, under the same lesion names and measured on the
        same modality and phase. A lesion that vanished must be in ``after`` with zeros.
    new_lesion : bool
        Whether a lesion appeared.
    most_targets, least_mm
        See ``choose_target_lesions``.

    Notes
    -----
    With two time points the nadir is the baseline.
    """
    sums = {
        name: _sum_targets(before, after, yardstick, most_targets, least_mm)
        for name, yardstick in YARDSTICKS.items()
    }
    return Assessment(
        {
            name: categorise(criterion, *sums[name], new_lesion=new_lesion)
            for name, criterion in CRITERIA.items()
        },
        {name: _change_percent(first, second) for name, (first, second) in sums.items()},
        is_major_radiographic_response(*sums["enhancing_area"]),
    )


def decline_assessment(reason: str) -> Assessment:
    """Return an assessment without any answer, such as where a scan is missing."""
    missing = Missing(reason)
    return Assessment(dict.fromkeys(CRITERIA, missing), dict.fromkeys(YARDSTICKS, missing), missing)


def _sum_targets(
    before: Lesions, after: Lesions, yardstick: Yardstick, most: int, least_mm: float
) -> tuple[Measured, Measured]:
    """Return the sums over target lesions; missing where a lesion's size is: it may be a target."""
    sizes = pick_measure(before, yardstick.target_by)
    for lesion, size in sizes.items():
        if isinstance(size, Missing):
            reason = Missing(f"targets are not certain: lesion {lesion}: {size.reason}")
            return reason, reason
    targets = choose_target_lesions(sizes, most, least_mm)
    first, second = (
        sum_over_targets(targets, pick_measure(lesions, yardstick.measure))
        for lesions in (before, after)
    )
    return first, second


def _change_percent(before: Measured, after: Measured) -> Measured:
    return scale(divide(subtract(after, before), before, "the sum at baseline"), 100)
