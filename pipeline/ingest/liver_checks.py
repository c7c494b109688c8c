"""What can be wrong with a liver mask, and with a tumour by its place in the liver."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from pipeline.config.checks import Checks
from pipeline.domain.cohort import ScanRow
from pipeline.domain.problem import Problem, Severity
from pipeline.domain.scan import Region, Scan
from pipeline.ingest.codes import Code
from pipeline.ingest.intensity_checks import AIR_BELOW_HU, AIR_HU
from pipeline.ingest.lesion_overlap import crop_region
from pipeline.ingest.row_problem import about

LEAST_CONTACT = 0.4
"""Share of the voxels around a tumour that a liver mask holds where it merely leaves the tumour
out: all around a deep tumour, half around one at the surface, none around one elsewhere."""

MM3_PER_ML = 1000.0

MOST_OTHER_AIR = 0.001
"""Share of an image between padding and fat where all but one region was set to padding; lung, gas
and the noise of air fill more of any other CT with air."""


def find_liver_problems(row: ScanRow, liver: Region, limits: Checks) -> Iterator[Problem]:
    """List what is wrong with the size of a row's liver mask, which is not empty."""
    volume_ml = liver.volume_mm3 / MM3_PER_ML
    if volume_ml > limits.max_liver_ml and covers_corners(liver.inside):
        yield about(row, row.liver_mask)(
            code=Code.MASK_COVERS_IMAGE,
            what="the liver mask covers the image to its corners",
            expected="voxels of the liver, 0 elsewhere",
            got=f"{liver.inside.mean():.3g} of the image, all eight corners, {volume_ml:.0f} mL",
            next_step="Correct the mask: it may be inverted or hold the background.",
        )
    elif volume_ml > limits.max_liver_ml or (
        volume_ml < limits.min_liver_ml and not _touches_border(liver.inside)
    ):
        yield about(row, row.liver_mask)(
            code=Code.LIVER_SIZE_UNUSUAL,
            what="the liver mask has not the size of a liver",
            expected=f"{limits.min_liver_ml:g} to {limits.max_liver_ml:g} mL (checks.min_liver_ml,"
            " checks.max_liver_ml)",
            got=f"{volume_ml:.3g} mL",
            next_step="Look at the mask: it may be of another organ, or a part of the liver.",
            severity=Severity.WARNING,
        )


def find_liver_attenuation_problems(
    scan: Scan, row: ScanRow, liver: Region, limits: Checks
) -> Iterator[Problem]:
    """Report a liver mask on a CT in HU that holds air or fat, as one mirrored or shifted does."""
    values = scan.voxels[liver.inside]
    if _is_masked(scan.voxels):
        values = values[values > scan.voxels.min()]
    if not values.size:
        return
    air = float(np.mean(values < limits.air_hu))
    fat = float(np.mean(values < limits.liver_fat_hu))
    found = [
        (air, limits.liver_air_share_error, limits.air_hu, "liver_air_share_error"),
        (fat, limits.liver_fat_share_error, limits.liver_fat_hu, "liver_fat_share_error"),
        (fat, limits.liver_fat_share_warning, limits.liver_fat_hu, "liver_fat_share_warning"),
    ]
    share, most, hu, key = next((item for item in found if item[0] > item[1]), (0.0, 0.0, 0.0, ""))
    if key:
        yield about(row, row.liver_mask)(
            code=Code.MASK_OUTSIDE_BODY,
            what=f"part of the liver mask lies in {'air' if 'air' in key else 'fat'}",
            expected=f"at most {most:.0%} of its voxels below {hu:g} HU (checks.{key})",
            got=f"{share:.0%} of {values.size} voxels, median {np.median(values):.0f} HU",
            next_step="Look at mask and image together: the mask may be mirrored, shifted or"
            " another's.",
            severity=Severity.WARNING if "warning" in key else Severity.ERROR,
        )


def _is_masked(voxels: npt.NDArray[Any]) -> bool:
    """Tell whether a CT is padding around one region: of air, it has a single value alone."""
    lowest = voxels.min()
    other_air = np.count_nonzero((voxels > lowest) & (voxels < AIR_BELOW_HU))
    return bool(lowest <= AIR_HU[1] and other_air < MOST_OTHER_AIR * voxels.size)


def find_overlap_problems(
    row: ScanRow, tumour: Region, liver: Region, limits: Checks
) -> Iterator[Problem]:
    """Report a tumour that is the liver, or lies outside of it."""
    common = int(np.count_nonzero(tumour.inside & liver.inside))
    if common > limits.whole_liver_warning * liver.voxel_count:
        yield _is_liver(row, tumour, liver, common, limits)
        return
    outside = 1 - common / tumour.voxel_count
    if outside <= limits.outside_liver_warning:
        return
    is_most = outside > limits.outside_liver_error
    left_out = is_most and _contact(tumour, liver) > LEAST_CONTACT
    is_error = is_most and not left_out
    key = "outside_liver_error" if is_error else "outside_liver_warning"
    yield about(row, row.mask)(
        code=Code.TUMOUR_OUTSIDE_LIVER,
        what="most of the tumour lies outside the liver mask"
        if is_error
        else "part of the tumour lies outside the liver mask",
        expected=f"at most {getattr(limits, key):.0%} outside {row.liver_mask} (checks.{key})",
        got=f"{outside:.0%} ({tumour.voxel_count - common} voxels)"
        + (", surrounded by the liver mask" if left_out else ""),
        next_step="Check both masks, which may be exchanged or another's; the liver mask must"
        " include the tumours.",
        severity=Severity.ERROR if is_error else Severity.WARNING,
    )


def _is_liver(row: ScanRow, tumour: Region, liver: Region, common: int, limits: Checks) -> Problem:
    share = common / liver.voxel_count
    is_error = share > limits.whole_liver_error
    is_same = common == tumour.voxel_count == liver.voxel_count
    key = "whole_liver_error" if is_error else "whole_liver_warning"
    return about(row, row.mask)(
        code=Code.TUMOUR_IS_LIVER,
        what="tumour mask and liver mask are the same region"
        if is_same
        else "the tumour mask covers the liver mask",
        expected=f"at most {getattr(limits, key):.0%} of {row.liver_mask} (checks.{key})",
        got=f"the same {common} voxels"
        if is_same
        else f"{share:.0%} of the liver; {tumour.voxel_count} voxels of tumour,"
        f" {liver.voxel_count} of liver",
        next_step="Correct the column mask, mask_label or liver_mask in scans.csv; the two may be"
        " exchanged.",
        severity=Severity.ERROR if is_error else Severity.WARNING,
    )


def _contact(tumour: Region, liver: Region) -> float:
    """Return which share of the voxels next to a tumour, itself not counted, is liver."""
    crop = crop_region(tumour)
    low = np.maximum(crop.first - 1, 0)
    high = np.minimum(crop.last + 1, tumour.inside.shape)
    box = tuple(slice(int(start), int(end)) for start, end in zip(low, high, strict=True))
    inside = tumour.inside[box]
    shell = ndimage.binary_dilation(inside) & ~inside
    return float(liver.inside[box][shell].mean()) if shell.any() else 0.0


def covers_corners(inside: npt.NDArray[np.bool_]) -> bool:
    """Tell whether a mask (z, y, x) holds all eight corners of its image."""
    return bool(inside[np.ix_([0, -1], [0, -1], [0, -1])].all())


def _touches_border(inside: npt.NDArray[np.bool_]) -> bool:
    return any(inside.take(at, axis=axis).any() for axis in range(3) for at in (0, -1))
