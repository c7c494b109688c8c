"""Response categories (CR, PR, SD, PD) of the criteria used for liver tumours.

Each criterion compares a measure, summed over target lesions, with its baseline and its smallest
value since (nadir). Only target lesions and new lesions are judged here; that CR needs all
lesions gone is judged in :mod:`pipeline.response.assessment`. Progression of non-target lesions,
ascites and lymph nodes are the reader's.
"""

from dataclasses import dataclass
from enum import StrEnum

from pipeline.response.measured import Measured, Missing

ROUNDING_PERCENT = 1e-9
"""A change this close to a limit is at the limit: 90 to 63 mm is -30 %."""

MAJOR_REDUCTION_PERCENT = 80.0
"""Reduction of enhancing area called major radiographic response (PMID 37158833)."""


class Category(StrEnum):
    """Response category."""

    CR = "CR"
    """Complete response: nothing left of what the criterion measures."""
    PR = "PR"
    """Partial response."""
    SD = "SD"
    """Stable disease."""
    PD = "PD"
    """Progressive disease."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """Limits of one set of criteria.

    Parameters
    ----------
    measure : str
        What is summed over target lesions, and its unit.
    response_percent : float
        PR at this change from baseline or below.
    progression_percent : float
        PD at this change from the nadir, or above it where ``above`` is set.
    above : bool
        The change must exceed the limit.
    least_increase : float
        PD also needs this increase, in the unit of the measure.
    """

    measure: str
    response_percent: float
    progression_percent: float
    above: bool = False
    least_increase: float = 0.0


RECIST_1_1 = Criterion("sum of longest diameters, mm", -30, 20, least_increase=5)
"""Eisenhauer 2009, doi 10.1016/j.ejca.2008.10.026."""

MRECIST = Criterion("sum of longest viable diameters, mm", -30, 20)
"""Lencioni & Llovet 2010, doi 10.1055/s-0030-1247132; it has no least increase in mm."""

EASL = Criterion("sum of viable diameter products, mm2", -50, 25, above=True)
"""Bruix 2001, doi 10.1016/S0168-8278(01)00130-1; progression is an increase of *more* than 25 %
(table 1 of doi 10.1016/j.jhep.2010.10.004)."""

VRECIST = Criterion("sum of tumour volumes, mL", -65, 73)
"""A sphere's volume at RECIST's limits: 0.7^3 = 0.343 and 1.2^3 = 1.728, rounded as published
(-65 %: PMC3721055)."""

QEASL = Criterion("sum of enhancing volumes, mL", -65, 73)
"""The volumetric limits on enhancing volume (PMC3721055)."""


def categorise(
    criterion: Criterion,
    baseline: Measured,
    current: Measured,
    nadir: Measured | None = None,
    new_lesion: bool = False,
) -> Category | Missing:
    """Return the category of a patient or lesion.

    Parameters
    ----------
    criterion : Criterion
        Which limits.
    baseline, current : float or Missing
        The measure before treatment and now, in its unit.
    nadir : float or Missing, optional
        Its smallest value before now; the baseline where not given or missing.
    new_lesion : bool
        A new lesion is progression by every criterion here.

    Notes
    -----
    Progression goes before response: a tumour that shrank by half and grew by a fifth since is PD.
    What vanished and came back is PD.
    """
    if new_lesion:
        return Category.PD
    if isinstance(baseline, Missing):
        return baseline
    if isinstance(current, Missing):
        return current
    if baseline <= 0:
        return Missing(f"nothing to compare with: {criterion.measure} at baseline is {baseline:g}")
    lowest = baseline if nadir is None or isinstance(nadir, Missing) else min(baseline, nadir)
    if current > 0 and _progressed(criterion, lowest, current):
        return Category.PD
    if current <= 0:
        return Category.CR
    responded = change_percent(baseline, current) <= criterion.response_percent + ROUNDING_PERCENT
    return Category.PR if responded else Category.SD


def change_percent(before: float, after: float) -> float:
    """Return ``100 * (after - before) / before``; negative where it shrank."""
    return 100 * (after - before) / before


def is_major_radiographic_response(
    baseline_area_mm2: Measured,
    current_area_mm2: Measured,
    least_percent: float = MAJOR_REDUCTION_PERCENT,
) -> bool | Missing:
    """Say whether the enhancing area fell by 80 % or more (PMID 37158833)."""
    if isinstance(baseline_area_mm2, Missing):
        return baseline_area_mm2
    if isinstance(current_area_mm2, Missing):
        return current_area_mm2
    if baseline_area_mm2 <= 0:
        return Missing("no enhancing area at baseline")
    fall = -change_percent(baseline_area_mm2, current_area_mm2)
    return fall >= least_percent - ROUNDING_PERCENT


def _progressed(criterion: Criterion, lowest: float, current: float) -> bool:
    if lowest <= 0:
        return True
    change = change_percent(lowest, current)
    limit = criterion.progression_percent
    beyond = (
        change > limit + ROUNDING_PERCENT if criterion.above else change >= limit - ROUNDING_PERCENT
    )
    return beyond and current - lowest >= criterion.least_increase - ROUNDING_PERCENT
