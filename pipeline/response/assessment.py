"""A patient's response by every criterion, from the measures of lesions at two time points."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.response.categories import (
    EASL,
    MRECIST,
    QEASL,
    RECIST_1_1,
    VRECIST,
    Category,
    Criterion,
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
from pipeline.response.visit_measures import ABSENT, Lesions, pick_measure


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
        Whether the enhancing area of the target lesions fell by 80 % or more, and no other lesion
        enhances.
    remarks : mapping of str to str
        By the names of ``YARDSTICKS``: why an answer is worse than the sum alone says, else empty.
    """

    categories: dict[str, Category | Missing]
    changes_percent: dict[str, Measured]
    major_response: bool | Missing
    remarks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Sums:
    """A measure summed over target lesions, and what speaks against all lesions being gone."""

    before: Measured
    after: Measured
    rest: Missing | str | None


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
        Whether a lesion appeared, on any modality.
    most_targets, least_mm
        See ``choose_target_lesions``.

    Notes
    -----
    With two time points the nadir is the baseline.

    CR and a major response are of all lesions that were drawn. Beside a lesion that is no target
    and is left, CR becomes PR (RECIST 1.1, doi 10.1016/j.ejca.2008.10.026; mRECIST, doi
    10.1055/s-0030-1247132) and the major response becomes no (this project's reading); where such a
    lesion was not measured both are missing. Progression of a lesion that is no target is the
    reader's.
    """
    sums = {
        name: _sum_targets(before, after, yardstick, most_targets, least_mm)
        for name, yardstick in YARDSTICKS.items()
    }
    judged = {
        name: _categorise(criterion, sums[name], new_lesion) for name, criterion in CRITERIA.items()
    }
    major, remark = _judge_major(sums["enhancing_area"], new_lesion)
    return Assessment(
        {name: category for name, (category, _) in judged.items()},
        {name: _change_percent(own.before, own.after) for name, own in sums.items()},
        major,
        {**{name: said for name, (_, said) in judged.items()}, "enhancing_area": remark},
    )


def decline_assessment(reason: str) -> Assessment:
    """Return an assessment without any answer, such as where a scan is missing."""
    missing = Missing(reason)
    return Assessment(dict.fromkeys(CRITERIA, missing), dict.fromkeys(YARDSTICKS, missing), missing)


def _categorise(
    criterion: Criterion, sums: _Sums, new_lesion: bool
) -> tuple[Category | Missing, str]:
    """Return the category with a remark; CR only where no other lesion is left."""
    category = categorise(criterion, sums.before, sums.after, new_lesion=new_lesion)
    if category is not Category.CR or sums.rest is None:
        return category, ""
    if isinstance(sums.rest, Missing):
        return sums.rest, ""
    return Category.PR, f"not CR: {sums.rest}"


def _judge_major(sums: _Sums, new_lesion: bool) -> tuple[bool | Missing, str]:
    """Return whether the response is major with a remark; not beside another living lesion."""
    major = is_major_radiographic_response(sums.before, sums.after)
    rest = "a lesion is new" if new_lesion else sums.rest
    if major is not True or rest is None:
        return major, ""
    if isinstance(rest, Missing):
        return rest, ""
    return False, f"not major: {rest}"


def _sum_targets(
    before: Lesions, after: Lesions, yardstick: Yardstick, most: int, least_mm: float
) -> _Sums:
    """Return the sums over target lesions; missing where a lesion's size is: it may be a target."""
    sizes = pick_measure(before, yardstick.target_by)
    for lesion, size in sizes.items():
        if isinstance(size, Missing):
            reason = Missing(f"targets are not certain: lesion {lesion}: {size.reason}")
            return _Sums(reason, reason, None)
    targets = choose_target_lesions(sizes, most, least_mm)
    first, second = (
        sum_over_targets(targets, pick_measure(lesions, yardstick.measure))
        for lesions in (before, after)
    )
    others = sorted({*before, *after} - set(targets))
    return _Sums(first, second, _find_rest(others, after, yardstick.measure))


def _find_rest(others: Sequence[str], after: Lesions, measure: str) -> Missing | str | None:
    """Return which lesion but the targets is left, else which one may be, else None."""
    unknown = None
    for name in others:
        value = after.get(name, {}).get(measure, ABSENT)
        if isinstance(value, Missing):
            unknown = unknown or Missing(f"lesion {name} may be left: {value.reason}")
        elif value > 0:
            return f"lesion {name}, which is no target, is left"
    return unknown


def _change_percent(before: Measured, after: Measured) -> Measured:
    return scale(divide(subtract(after, before), before, "the sum at baseline"), 100)
