"""Whether the scans of one visit fit each other: phases exchanged, only numbered, not verified.

From one CT, native and arterial are told apart by the vessels alone. Two CT of one patient tell
more, by any region drawn on both: contrast agent adds attenuation and never takes any away.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from pipeline.config.checks import Checks
from pipeline.domain.cohort import ScanRow
from pipeline.domain.problem import Problem, Severity
from pipeline.domain.scan import Region, Scan
from pipeline.ingest.codes import Code
from pipeline.ingest.phase.measure import SMALLEST_REGION_VOXELS, measure
from pipeline.ingest.row_problem import about
from pipeline.ingest.scan_rows import SCANS_FILE

_AFTER_CONTRAST = (("native", "arterial"), ("native", "portal"), ("native", "delayed"))

_ORDER: dict[str, tuple[tuple[str, str], ...]] = {
    "aorta": (*_AFTER_CONTRAST, ("portal", "arterial"), ("delayed", "arterial")),
    "portal_vein": _AFTER_CONTRAST,
    "liver": (*_AFTER_CONTRAST, ("arterial", "portal")),
    "tumour": _AFTER_CONTRAST,
}
"""Pairs of phases (lower, higher) by region. The first passage makes the aorta brightest in the
arterial phase; the liver, fed by the portal vein, rises by 15 to 25 HU there and by 59 to 63 in the
portal phase (Goshima et al., see ``configs/cohort.yaml``)."""

_UNNAMED = re.compile(r"unknown\d*")
"""Phases that ``pipeline.ingest`` writes where nothing tells them."""


@dataclass(frozen=True, slots=True)
class Attenuation:
    """Median attenuation of the regions of a row, in HU, by name; whether the header agrees."""

    row: ScanRow
    median_hu: Mapping[str, float]
    in_header: bool = False


def measure_attenuation(scan: Scan, regions: Mapping[str, Region]) -> dict[str, float]:
    """Return the median HU of aorta, portal vein, liver without tumour, and tumour.

    Parameters
    ----------
    scan : Scan
        A CT in Hounsfield units.
    regions : mapping of str to Region
        Those there are, on the grid of the scan; small ones are not measured.
    """
    found = {str(name): measured.hu for name, measured in measure(scan, regions).items()}
    tumour = regions.get("tumour")
    if tumour is not None and tumour.voxel_count >= SMALLEST_REGION_VOXELS:
        found["tumour"] = float(np.median(scan.voxels[tumour.inside]))
    return found


def find_exchanged_phases(
    measured: Sequence[tuple[int, Attenuation]], limits: Checks
) -> Iterator[tuple[int, Problem]]:
    """List pairs of CT of a visit whose enhancement is the reverse of their phases.

    A tumour counts from ``phase_order_error_hu`` on and gives an error only together with an organ:
    where the patient breathed, a mask drawn on one phase covers other tissue on the next.

    Parameters
    ----------
    measured : sequence of (int, Attenuation)
        Of all CT of a cohort, with the number of the row. Organs are compared wherever they were
        measured, tumours with the same lesion of the other scan.
    limits : Checks
        ``phase_order_warning_hu`` and ``phase_order_error_hu``: by how much the scan that should
        be lower is higher.

    Yields
    ------
    (int, Problem)
        One a pair, with the number of the row whose attenuation should be the lower one.
    """
    visits: dict[tuple[str, str], list[tuple[int, Attenuation]]] = defaultdict(list)
    for number, item in measured:
        visits[item.row.patient_id, item.row.timepoint].append((number, item))
    for visit in visits.values():
        for (number, lower), (_, higher) in permutations(visit, 2):
            excess = _reversed_by_hu(lower, higher, limits)
            if excess:
                yield number, _exchanged(lower, higher, excess, limits)


def find_unverified_phases(
    measured: Sequence[tuple[int, Attenuation]], limits: Checks
) -> Iterator[tuple[int, Problem]]:
    """Say once how many visits have CT of several phases that nothing verifies.

    Parameters
    ----------
    measured : sequence of (int, Attenuation)
        Of all CT of a cohort, with the number of the row. A tumour alone verifies no phase.
    limits : Checks
        ``phase_hu`` names the phases that can be verified; where it is empty, nothing is said.

    Yields
    ------
    (int, Problem)
        One at most, with the number of the first row concerned.
    """
    visits: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    verified = {item.row.image for _, item in measured if _is_verified(item)}
    for number, item in measured:
        if item.row.phase in limits.phase_hu:
            scans = visits[item.row.patient_id, item.row.timepoint]
            scans.setdefault(item.row.image, number)
    doubtful = [scans for scans in visits.values() if len(scans) > 1 and scans.keys() - verified]
    if doubtful:
        first = min(number for scans in doubtful for number in scans.values())
        yield first, _unverified(len(doubtful), len(visits))


def _is_verified(item: Attenuation) -> bool:
    has_organ = any(region != "tumour" for region in item.median_hu)
    return item.in_header or has_organ or bool(item.row.liver_mask)  # an unreadable one is an error


def _unverified(visits: int, total: int) -> Problem:
    return Problem(
        code=Code.PHASE_UNVERIFIED,
        what="the phases of CT could not be verified",
        expected="a mask of the liver (or, in mask, of aorta or portal vein), or a DICOM header"
        " that names the phase",
        got=f"neither in {visits} of {total} visits",
        next_step="Look at these scans, or draw the liver: exchanged phases go unseen in them.",
        file=SCANS_FILE,
        column="phase",
        severity=Severity.WARNING,
    )


def is_unnamed(phase: str) -> bool:
    """Tell whether a phase is what an import writes where nothing tells it."""
    return bool(_UNNAMED.fullmatch(phase))


def find_unnamed_phases(rows: Sequence[ScanRow]) -> Iterator[tuple[int, Problem]]:
    """List scans whose phase an import could not tell, with the number of the row.

    One in a visit may stand for the same phase in all patients; several are only numbered, so that
    their names mean nothing, and a model would compare one phase with another.
    """
    scans = {row.image: row for row in rows if is_unnamed(row.phase)}
    in_visit = Counter(_visit(row) for row in scans.values())
    for number, row in enumerate(rows):
        if row.image in scans:
            several = in_visit[_visit(row)] > 1
            problem = about(row, row.image)(
                code=Code.PHASE_UNKNOWN,
                what="the phase is not known, and scans of one visit are only numbered"
                if several
                else "the phase is not known",
                expected="its phase or sequence, the same name in all patients",
                got=row.phase,
                next_step="Look at the scan, and correct the column phase in scans.csv.",
                column="phase",
                severity=Severity.ERROR if several else Severity.WARNING,
            )
            yield number, problem


def _visit(row: ScanRow) -> tuple[str, str, str]:
    return row.patient_id, row.timepoint, row.modality


def _reversed_by_hu(lower: Attenuation, higher: Attenuation, limits: Checks) -> dict[str, float]:
    """Return by how much each region is higher on the scan where it should be lower."""
    found = {}
    for region, hu in lower.median_hu.items():
        in_order = (lower.row.phase, higher.row.phase) in _ORDER.get(region, ())
        if not in_order or region not in higher.median_hu:
            continue
        is_tumour = region == "tumour"
        if is_tumour and lower.row.lesion_id != higher.row.lesion_id:
            continue
        most = limits.phase_order_error_hu if is_tumour else limits.phase_order_warning_hu
        if hu - higher.median_hu[region] > most:
            found[region] = hu - higher.median_hu[region]
    return found


def _exchanged(
    lower: Attenuation, higher: Attenuation, excess: Mapping[str, float], limits: Checks
) -> Problem:
    first, second = lower.row.phase, higher.row.phase
    medians = ", ".join(
        f"{region.replace('_', ' ')} {lower.median_hu[region]:.0f} HU {first} and"
        f" {higher.median_hu[region]:.0f} HU {second}"
        for region in excess
    )
    organs = [hu for region, hu in excess.items() if region != "tumour"]
    is_sure = max(organs, default=0.0) > limits.phase_order_error_hu or (
        organs and "tumour" in excess
    )
    return about(lower.row, lower.row.image)(
        code=Code.PHASE_CONTRADICTED,
        what=f"the {first} scan is more enhanced than the {second} scan of the visit",
        expected=f"a lower median than on {higher.row.image}, but for"
        f" {limits.phase_order_warning_hu:g} HU (checks.phase_order_warning_hu)",
        got=medians,
        next_step="Look at both scans: the two may be exchanged in scans.csv.",
        severity=Severity.ERROR if is_sure else Severity.WARNING,
    )
