"""Guess the phase of a CT from measured enhancement, and judge a declared one.

Each phase has a usual and a possible range of each measured quantity
(:data:`pipeline.config.checks.DEFAULT_PHASE_HU`; sources in ``configs/cohort.yaml``). A phase fits
where all measured quantities are in their usual ranges; it is excluded where one is outside its
possible range. From the liver alone, native and arterial cannot be told apart, nor portal and
delayed; a tumour alone tells nothing. MR has no absolute scale: nothing is said.
"""

from collections.abc import Mapping
from typing import Literal

from pipeline.config.checks import DEFAULT_PHASE_HU, Limits, PhaseLimits, Quantity
from pipeline.domain.scan import Region, Scan
from pipeline.ingest.phase.guess import Confidence, PhaseGuess, no_phase
from pipeline.ingest.phase.measure import Measured, describe, measure

Fit = Literal["usual", "unusual", "excluded"]
"""All quantities usual; all possible, one at least unusual; one at least impossible."""

_VENOUS_PAIR = ["portal", "delayed"]


def guess_from_enhancement(
    scan: Scan, regions: Mapping[str, Region], limits: PhaseLimits = DEFAULT_PHASE_HU
) -> PhaseGuess:
    """Guess the phase of a scan.

    Parameters
    ----------
    scan : Scan
        A CT of the liver.
    regions : mapping of str to Region
        By name: ``liver``, ``aorta``, ``portal_vein``, ``tumour``, on the grid of the scan.
    limits : mapping
        Ranges of each phase in HU.

    Returns
    -------
    PhaseGuess
        ``high`` where one phase fits and all others are excluded, ``medium`` where one fits and
        others are unusual, ``low`` for portal where delayed fits as well (it is the rarer of the
        two). None where several others fit, or none.
    """
    measured = measure(scan, regions)
    if not measured:
        return no_phase("nothing to measure: needs a CT with liver, aorta or portal vein")
    fits = {phase: judge(ranges, measured) for phase, ranges in limits.items()}
    fitting = [phase for phase, fit in fits.items() if fit == "usual"]
    seen = describe(measured)
    if not fitting:
        return no_phase(f"{seen} fit no phase")
    if fitting == _VENOUS_PAIR:
        return PhaseGuess("portal", "low", f"{seen} fit portal and delayed")
    if len(fitting) > 1:
        return no_phase(f"{seen} fit {' and '.join(fitting)}")
    alone = all(fit == "excluded" for phase, fit in fits.items() if phase != fitting[0])
    return PhaseGuess(fitting[0], "high" if alone else "medium", seen)


def contradicts(
    declared: str, measured: Mapping[Quantity, Measured], limits: PhaseLimits = DEFAULT_PHASE_HU
) -> Confidence:
    """Tell how surely measured enhancement contradicts a declared phase.

    Returns
    -------
    str
        ``high`` where the declared phase is excluded and another fits, ``medium`` where it is
        unusual and another fits, or excluded and none fits. ``none`` otherwise, also for phases
        without ranges.
    """
    if declared not in limits or not measured:
        return "none"
    own = judge(limits[declared], measured)
    if own == "usual":
        return "none"
    another_fits = bool(fitting_phases(measured, limits))
    if own == "excluded":
        return "high" if another_fits else "medium"
    return "medium" if another_fits else "none"


def fitting_phases(measured: Mapping[Quantity, Measured], limits: PhaseLimits) -> list[str]:
    """Return the phases whose usual ranges hold everything measured."""
    return [phase for phase, ranges in limits.items() if judge(ranges, measured) == "usual"]


def judge(ranges: Mapping[Quantity, Limits], measured: Mapping[Quantity, Measured]) -> Fit:
    """Tell how well a phase fits what was measured."""
    fit: Fit = "usual"
    for quantity, (possible_from, usual_from, usual_to, possible_to) in ranges.items():
        if quantity not in measured:
            continue
        hu = measured[quantity].hu
        if not _within(hu, possible_from, possible_to):
            return "excluded"
        if not _within(hu, usual_from, usual_to):
            fit = "unusual"
    return fit


def _within(value: float, lowest: float | None, highest: float | None) -> bool:
    return (lowest is None or lowest <= value) and (highest is None or value <= highest)
