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

from pipeline.config.checks import Checks
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
SURELY_DENSE = 0.5
"""Cortical bone and metal lie above 700 HU, and at most 3 % of the voxels do (22 CT, most of limbs,
cropped around a tumour, Soft-tissue-Sarcoma of TCIA, doi 10.7937/K9/TCIA.2015.7GO2GSKS). Without
the rescale intercept of -1024 all soft tissue does, and nothing is left below 0; iodised oil does
in a crop around it, where fat or noise is left below 0."""

LEAST_NEGATIVE = 0.001
"""Share below 0 of a CT with its intercept, whatever it is cropped to: noise alone makes it."""

SOFT_TISSUE_HU = (20.0, 200.0)
LEAST_SOFT_TISSUE = 0.02
"""Muscle, blood and organs, enhanced or not, make 15 % at least of what is no padding in those CT;
after a doubled intercept or another scale they lie elsewhere. It begins above 0, where such scales
put the air."""

GREY_LEVELS = (0.0, 255.0)
"""A CT that reaches from exactly 0 to exactly 255 has been windowed to 8-bit grey levels."""

AIR_HU = (-3100.0, -900.0)
BODY_HU = (-150.0, 250.0)
BETWEEN_HU = (-500.0, -200.0)
"""Air (-1000) and padding, fat to enhanced organs, and a range that lung and partial volume alone
fill: the three by which a CT is known."""

FAT_HU = (-150.0, -30.0)

LEAST_AIR = 0.05
LEAST_BODY = 0.6
MOST_BETWEEN = 0.1
LEAST_FAT = 0.02
"""Share of air in a CT with background, and of the other three in what is no air. The CT named
above have 71 to 95 %, 5 % at most and 11 % at least; of the MR with them, scaled or shifted to
-1000, none has all, and one padded with -1024 has no fat."""

MOST_BRIGHT = 0.3
FEW_NEGATIVE = 0.02
"""Share above ``BODY_HU`` and below 0 of an image that may be an MR with undershoots (38 % and 1 %
in one of the liver): a CT with so much contrast, oil and bone holds fat."""

PEAK_OF_AIR_HU = (-1100.0, -600.0)
"""Where the commonest value of air or lung lies; in the CT named above from -990 to -850."""

LEAST_OF_AIR = 0.05
AIR_BELOW_HU = -300.0
PEAK_BIN_HU = 10.0
PEAK_VOXELS = 1_000_000
"""Voxels that are enough to find the peak; of larger images, every second or so is looked at."""

CLIP_NEIGHBOURS_HU = 10.0
SPIKE = 5.0
LEAST_CLIPPED = 20
"""A clipped value has more voxels than all within 10 HU beside it, by far, and these are not empty:
a region painted with one value has no neighbours."""

LOWEST_SUV = -50.0
MOST_BELOW_SUV = 0.001
"""Uptake is not negative; interpolation undershoots beside hot organs by a few, in few voxels."""


def find_intensity_problems(scan: Scan, row: ScanRow, limits: Checks) -> Iterator[Problem]:
    """List what the values of an image say against its modality.

    Parameters
    ----------
    scan : Scan
        Not constant.
    row : ScanRow
        The first that names it.
    limits : Checks
        ``clipped_share``, ``suv_warning`` and ``suv_error``.
    """
    lowest, highest = float(scan.voxels.min()), float(scan.voxels.max())
    seen = f"values from {lowest:g} to {highest:g}"
    report = partial(about(row, row.image), code=Code.VALUES_IMPLAUSIBLE)
    match row.modality:
        case Modality.CT:
            yield from _judge_ct(report, scan.voxels, seen, limits)
        case _ if _looks_like_ct(scan.voxels, lowest):
            yield _is_ct(row, scan.voxels, seen)
        case Modality.PT:
            yield from _judge_pet(report, scan.voxels, seen, limits)


def _judge_ct(
    report: partial[Problem], voxels: npt.NDArray[Any], seen: str, limits: Checks
) -> Iterator[Problem]:
    lowest, highest = float(voxels.min()), float(voxels.max())
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
    elif why := _why_doubtful(voxels, lowest):
        yield report(
            what="the CT may not be in Hounsfield units",
            expected="fat or air below 0 HU",
            got=f"{seen}{why}",
            next_step="Check the column modality, and that the rescale intercept was applied and no"
            " window was.",
            severity=Severity.WARNING,
        )
    elif why := _why_clipped(voxels, lowest, highest, limits):
        yield report(
            code=Code.VALUES_CLIPPED,
            what="the values of the CT were clipped or scaled",
            expected=f"air at -1000 HU, and at most {limits.clipped_share:.1%} of the voxels at"
            " the highest or lowest value (checks.clipped_share)",
            got=f"{seen}; {why}",
            next_step="Export the CT again without window: what was cut off is lost to texture.",
            severity=Severity.WARNING,
        )


def _why_not_hu(voxels: npt.NDArray[Any], lowest: float, highest: float) -> str:
    """Say what no CT of a body can show; empty where there is nothing."""
    if highest < SOFT_TISSUE_HU[0]:
        return "no voxel as dense as soft tissue, so normalised or without its slope"
    if (lowest, highest) == GREY_LEVELS:
        return "the grey levels of a windowed picture"
    shown = _share_shown(voxels, lowest)
    dense = float(np.mean(voxels > DENSE_HU)) / shown
    negative = float(np.mean((voxels > AIR_HU[1]) & (voxels < 0))) / shown
    if dense > SURELY_DENSE or (dense > MOST_DENSE and negative < LEAST_NEGATIVE):
        return f"{dense:.0%} of the voxels as dense as bone, so without its intercept"
    soft = _share_within(voxels, SOFT_TISSUE_HU) / shown
    if soft < LEAST_SOFT_TISSUE:
        return f"{soft:.1%} of the voxels as dense as soft tissue, so on another scale"
    return ""


def _share_shown(voxels: npt.NDArray[Any], lowest: float) -> float:
    """Return the share of voxels that are no padding: the lowest value, where it is as air's.

    Images are masked to a region, which leaves padding nearly everywhere.
    """
    return float(np.mean(voxels > lowest)) if lowest <= AIR_HU[1] else 1.0


def _why_doubtful(voxels: npt.NDArray[Any], lowest: float) -> str:
    """Say how an image is like an MR; the range alone is odd where nothing lies below 0."""
    if lowest >= 0:
        return "; none below 0"
    negative = float(np.mean(voxels < 0))
    bright = float(np.mean(voxels > BODY_HU[1]))
    if negative < FEW_NEGATIVE and bright > MOST_BRIGHT:
        return f"; {negative:.1%} of the voxels below 0, {bright:.0%} above {BODY_HU[1]:g}"
    return ""


def _why_clipped(voxels: npt.NDArray[Any], lowest: float, highest: float, limits: Checks) -> str:
    """Say what shows that values in HU were cut off or multiplied; empty where nothing does."""
    most = limits.clipped_share
    at_top = _share_at_end(voxels, highest, highest - CLIP_NEIGHBOURS_HU)
    if at_top > most:
        return f"{at_top:.1%} of the voxels at exactly {highest:g}"
    # Air is cut off at -1000 or -1024 by the scanner itself.
    at_bottom = _share_at_end(voxels, lowest, lowest + CLIP_NEIGHBOURS_HU)
    if lowest > AIR_HU[1] and at_bottom > most:
        return f"{at_bottom:.1%} of the voxels at exactly {lowest:g}"
    peak_hu = _peak_of_air(voxels, lowest)
    if peak_hu is not None and not PEAK_OF_AIR_HU[0] <= peak_hu <= PEAK_OF_AIR_HU[1]:
        return f"air at {peak_hu:g}"
    return ""


def _share_at_end(voxels: npt.NDArray[Any], end: float, beside: float) -> float:
    """Return the share of voxels at an end of the range; 0 where its neighbours are as many."""
    at_end = int(np.count_nonzero(voxels == end))
    low, high = min(end, beside), max(end, beside)
    near = int(np.count_nonzero((voxels >= low) & (voxels <= high))) - at_end
    is_spike = at_end >= LEAST_CLIPPED and 0 < near * SPIKE < at_end * CLIP_NEIGHBOURS_HU
    return at_end / voxels.size if is_spike else 0.0


def _peak_of_air(voxels: npt.NDArray[Any], lowest: float) -> float | None:
    """Return the commonest value of air or lung, padding left out; None where there is little."""
    step = max(1, round((voxels.size / PEAK_VOXELS) ** (1 / 3)))
    seen = voxels[::step, ::step, ::step]
    air = seen[(seen < AIR_BELOW_HU) & (seen > lowest)]
    if air.size < LEAST_OF_AIR * seen.size:
        return None
    counts, edges = np.histogram(air, np.arange(lowest, AIR_BELOW_HU + PEAK_BIN_HU, PEAK_BIN_HU))
    return float(edges[counts.argmax()] + PEAK_BIN_HU / 2)


def _looks_like_ct(voxels: npt.NDArray[Any], lowest: float) -> bool:
    if lowest > AIR_HU[1]:
        return False
    air, body, between, fat = (
        _share_within(voxels, hu) for hu in (AIR_HU, BODY_HU, BETWEEN_HU, FAT_HU)
    )
    rest = 1 - air
    is_body = body > LEAST_BODY * rest and fat > LEAST_FAT * rest
    return air > LEAST_AIR and is_body and between < MOST_BETWEEN * rest


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
    report: partial[Problem], voxels: npt.NDArray[Any], seen: str, limits: Checks
) -> Iterator[Problem]:
    below, highest = float(np.mean(voxels < LOWEST_SUV)), float(voxels.max())
    if below > MOST_BELOW_SUV:
        yield report(
            what="the PET is not in standardised uptake values",
            expected="no negative values but for small undershoots",
            got=f"{seen}; {below:.1%} of the voxels below {LOWEST_SUV:g}",
            next_step="Convert the activity to SUV; if it is a CT, correct the column modality.",
        )
    elif highest > limits.suv_warning:
        is_error = highest > limits.suv_error
        key = "suv_error" if is_error else "suv_warning"
        yield report(
            what="the PET is not in standardised uptake values"
            if is_error
            else "the PET may not be in standardised uptake values",
            expected=f"values up to {getattr(limits, key):g} g/mL (checks.{key})",
            got=seen,
            next_step="Convert the activity to SUV.",
            severity=Severity.ERROR if is_error else Severity.WARNING,
        )


def _share_within(voxels: npt.NDArray[Any], limits: tuple[float, float]) -> float:
    return float(np.mean((voxels >= limits[0]) & (voxels <= limits[1])))
