"""Whether the voxel values of an image are those of its modality: HU of a CT, SUV of a PET.

An error is given only for what no patient can show: a share of the voxels where no tissue of that
volume exists. The shares count in crops as well, which may hold no air and no bone. MR has no
absolute scale; of it only the pattern of a CT is known to be wrong.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.domain.cohort import ScanRow
from pipeline.domain.problem import Problem, Severity
from pipeline.domain.scan import Modality, Scan
from pipeline.ingest.codes import Code
from pipeline.ingest.row_problem import about

PLAUSIBLE_HU = (-3100.0, 32000.0)
"""Widest range of values that a CT in Hounsfield units holds.

Scanners pad outside their circular field with values down to -3024 and clip metal at 30 710
(extended scale); values beyond come from a wrong or doubled rescaling."""

DENSE_HU = 700.0
MOST_DENSE = 0.1
"""Cortical bone and metal lie above 700 HU, and at most 3 % of the voxels do (22 CT, most of limbs,
cropped around a tumour, Soft-tissue-Sarcoma of TCIA, doi 10.7937/K9/TCIA.2015.7GO2GSKS). Without
the rescale intercept of -1024 all soft tissue does."""

SOFT_TISSUE_HU = (20.0, 200.0)
LEAST_SOFT_TISSUE = 0.02
"""Muscle, blood and organs, enhanced or not, make 25 % at least of those CT; after a doubled
intercept or another scale they lie elsewhere. It begins above 0, where such scales put the air."""

GREY_LEVELS = (0.0, 255.0)
"""A CT that reaches from exactly 0 to exactly 255 has been windowed to 8-bit grey levels."""

AIR_HU = (-3100.0, -900.0)
BODY_HU = (-150.0, 250.0)
BETWEEN_HU = (-500.0, -200.0)
"""Air (-1000) and padding, fat to enhanced organs, and a range that lung and partial volume alone
fill: the three by which a CT is known."""

LEAST_AIR = 0.05
LEAST_BODY = 0.6
MOST_BETWEEN = 0.1
"""Share of air in a CT with background, and of the other two in what is no air. The CT named above
have 71 to 95 % and 5 % at most; of the MR with them, scaled or shifted to -1000, none has both."""

LARGEST_SUV = 1000.0
"""A PET with larger values is in Bq/mL (thousands), not in standardised uptake values."""

LOWEST_SUV = -50.0
MOST_BELOW_SUV = 0.001
"""Uptake is not negative; interpolation undershoots beside hot organs by a few, in few voxels."""


def find_intensity_problems(scan: Scan, row: ScanRow) -> Iterator[Problem]:
    """List what the values of an image say against its modality.

    Parameters
    ----------
    scan : Scan
        Not constant.
    row : ScanRow
        The first that names it.
    """
    lowest, highest = float(scan.voxels.min()), float(scan.voxels.max())
    seen = f"values from {lowest:g} to {highest:g}"
    report = partial(about(row, row.image), code=Code.VALUES_IMPLAUSIBLE)
    match row.modality:
        case Modality.CT:
            yield from _judge_ct(report, scan.voxels, lowest, highest)
        case _ if _looks_like_ct(scan.voxels, lowest):
            yield _is_ct(row, scan.voxels, seen)
        case Modality.PT:
            yield from _judge_pet(report, scan.voxels, highest, seen)


def _judge_ct(
    report: partial[Problem], voxels: npt.NDArray[Any], lowest: float, highest: float
) -> Iterator[Problem]:
    seen = f"values from {lowest:g} to {highest:g}"
    if not (PLAUSIBLE_HU[0] <= lowest and highest <= PLAUSIBLE_HU[1]):
        yield report(
            what="the CT is not in Hounsfield units",
            expected=f"values within {PLAUSIBLE_HU[0]:g} and {PLAUSIBLE_HU[1]:g} HU",
            got=seen,
            next_step="Apply rescale slope and intercept once, and clip the padding.",
        )
    elif why := _why_not_hu(voxels, lowest, highest):
        yield report(
            what="the CT is not in Hounsfield units",
            expected="air at -1000, water at 0 and soft tissue at 20 to 200 HU",
            got=f"{seen}; {why}",
            next_step="Export the CT again with rescale slope and intercept, without window or"
            " normalisation; if it is no CT, correct the column modality.",
        )
    elif lowest >= 0:
        yield report(
            what="the CT may not be in Hounsfield units",
            expected="fat or air below 0 HU",
            got=seen,
            next_step="Check that the rescale intercept was applied and no window was.",
            severity=Severity.WARNING,
        )


def _why_not_hu(voxels: npt.NDArray[Any], lowest: float, highest: float) -> str:
    """Say what no CT of a body can show; empty where there is nothing."""
    if highest < SOFT_TISSUE_HU[0]:
        return "no voxel as dense as soft tissue, so normalised or without its slope"
    if (lowest, highest) == GREY_LEVELS:
        return "the grey levels of a windowed picture"
    dense = float(np.mean(voxels > DENSE_HU))
    if dense > MOST_DENSE:
        return f"{dense:.0%} of the voxels as dense as bone, so without its intercept"
    soft = _share_within(voxels, SOFT_TISSUE_HU)
    if soft < LEAST_SOFT_TISSUE:
        return f"{soft:.1%} of the voxels as dense as soft tissue, so on another scale"
    return ""


def _looks_like_ct(voxels: npt.NDArray[Any], lowest: float) -> bool:
    if lowest > AIR_HU[1]:
        return False
    air, body, between = (_share_within(voxels, hu) for hu in (AIR_HU, BODY_HU, BETWEEN_HU))
    rest = 1 - air
    return air > LEAST_AIR and body > LEAST_BODY * rest and between < MOST_BETWEEN * rest


def _is_ct(row: ScanRow, voxels: npt.NDArray[Any], seen: str) -> Problem:
    return about(row, row.image)(
        code=Code.MODALITY_DIFFERS,
        what="the image has the values of a CT",
        expected=f"values of {row.modality} (column modality)",
        got=f"{seen}; {_share_within(voxels, AIR_HU):.0%} of the voxels as air in HU,"
        f" {_share_within(voxels, BODY_HU):.0%} as fat and soft tissue",
        next_step="Look at the image; correct the column modality or image in scans.csv.",
    )


def _judge_pet(
    report: partial[Problem], voxels: npt.NDArray[Any], highest: float, seen: str
) -> Iterator[Problem]:
    below = float(np.mean(voxels < LOWEST_SUV))
    if below > MOST_BELOW_SUV:
        yield report(
            what="the PET is not in standardised uptake values",
            expected="no negative values but for small undershoots",
            got=f"{seen}; {below:.1%} of the voxels below {LOWEST_SUV:g}",
            next_step="Convert the activity to SUV; if it is a CT, correct the column modality.",
        )
    elif highest > LARGEST_SUV:
        yield report(
            what="the PET may not be in standardised uptake values",
            expected=f"values up to {LARGEST_SUV:g} g/mL",
            got=seen,
            next_step="Convert the activity to SUV.",
            severity=Severity.WARNING,
        )


def _share_within(voxels: npt.NDArray[Any], limits: tuple[float, float]) -> float:
    return float(np.mean((voxels >= limits[0]) & (voxels <= limits[1])))
