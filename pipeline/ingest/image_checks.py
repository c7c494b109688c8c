"""What can be wrong with an image and the masks drawn on it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from pipeline.domain.cohort import ScanRow
from pipeline.domain.problem import Problem, Severity
from pipeline.domain.reading import DEFAULT_READING, Reading
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.ingest.codes import Code
from pipeline.ingest.mask import read_region
from pipeline.ingest.read_error import ReadError
from pipeline.ingest.volume import read_scan

PLAUSIBLE_HU = (-3100.0, 32000.0)
"""Widest range of values that a CT in Hounsfield units holds.

Scanners pad outside their circular field with values down to -3024 and clip metal at 30 710
(extended scale); values beyond come from a wrong or doubled rescaling."""

LARGEST_SUV = 1000.0
"""A PET with larger values is in Bq/mL (thousands), not in standardised uptake values."""

SHARE_OUTSIDE_LIVER = 0.05
"""Share of the tumour outside the liver mask from which it is reported; the outlines of two
drawings differ by less."""


@dataclass(frozen=True, slots=True)
class ImageGroup:
    """An image and all rows of ``scans.csv`` that use it, so that it is read once.

    Parameters
    ----------
    root : Path
        The cohort folder.
    rows : tuple of (int, ScanRow)
        Each with its number among the cohort's scans.
    min_region_mm3 : float
        Smallest acceptable volume of a region.
    reading : Reading
        What the reader may do.
    """

    root: Path
    rows: tuple[tuple[int, ScanRow], ...]
    min_region_mm3: float
    reading: Reading = DEFAULT_READING


def check_image_group(group: ImageGroup) -> list[tuple[int, Problem]]:
    """List the problems of an image and of the regions on it, each with its row's number.

    Problems of the image itself carry the number of the first row.
    """
    number, first = group.rows[0]
    try:
        scan = read_scan(group.root / first.image, first.modality, group.reading)
    except ReadError as error:
        return [(number, as_problem(error, row, row.image)) for number, row in group.rows]
    found = [(number, problem) for problem in _find_value_problems(scan, first)]
    for number, row in group.rows:
        found += [(number, problem) for problem in _find_mask_problems(scan, row, group)]
    return found


def as_problem(error: ReadError, row: ScanRow, file: str) -> Problem:
    """Turn a reading error into a problem of a row."""
    return _about(row, file)(
        code=error.code,
        what=error.what,
        expected=error.expected,
        got=error.got,
        next_step=error.next_step,
    )


def _find_value_problems(scan: Scan, row: ScanRow) -> Iterator[Problem]:
    lowest, highest = float(scan.voxels.min()), float(scan.voxels.max())
    if lowest == highest:
        yield _about(row, row.image)(
            code=Code.IMAGE_CONSTANT,
            what="all voxels of the image have one value",
            expected="an image",
            got=f"{lowest:g} everywhere",
            next_step="Export the image again.",
        )
        return
    yield from _find_implausible_values(row, lowest, highest)


def _find_implausible_values(row: ScanRow, lowest: float, highest: float) -> Iterator[Problem]:
    report = partial(
        _about(row, row.image),
        code=Code.VALUES_IMPLAUSIBLE,
        got=f"values from {lowest:g} to {highest:g}",
    )
    if row.modality is Modality.CT and not (
        PLAUSIBLE_HU[0] <= lowest and highest <= PLAUSIBLE_HU[1]
    ):
        yield report(
            what="the CT is not in Hounsfield units",
            expected=f"values within {PLAUSIBLE_HU[0]:g} and {PLAUSIBLE_HU[1]:g} HU",
            next_step="Apply rescale slope and intercept once, and clip the padding.",
        )
    elif row.modality is Modality.CT and lowest >= 0:
        yield report(
            what="the CT may not be in Hounsfield units",
            expected="fat or air below 0 HU",
            next_step="Check that the rescale intercept was applied and no window was.",
            severity=Severity.WARNING,
        )
    elif row.modality is Modality.PT and highest > LARGEST_SUV:
        yield report(
            what="the PET may not be in standardised uptake values",
            expected=f"values up to {LARGEST_SUV:g} g/mL",
            next_step="Convert the activity to SUV.",
            severity=Severity.WARNING,
        )


def _find_mask_problems(scan: Scan, row: ScanRow, group: ImageGroup) -> Iterator[Problem]:
    if row.mask == row.image:
        yield _about(row, row.mask)(
            code=Code.MASK_IS_IMAGE,
            what="image and mask are the same file",
            expected="two files",
            got="one",
            next_step="Correct the column mask in scans.csv.",
        )
        return
    read = partial(_read_on_grid, scan, row, group)
    tumour = read(row.mask, row.mask_label, "tumour")
    liver = read(row.liver_mask, None, "liver") if row.liver_mask else None
    yield from (region for region in (tumour, liver) if isinstance(region, Problem))
    if not isinstance(tumour, Region):
        return
    yield from _find_size_problem(row, tumour, group.min_region_mm3)
    yield from _find_border_problem(row, tumour)
    if isinstance(liver, Region):
        yield from _find_overlap_problem(row, tumour, liver)


def _read_on_grid(
    scan: Scan, row: ScanRow, group: ImageGroup, file: str, label: str | None, name: str
) -> Region | Problem:
    """Read a region that is not empty and lies on the grid of its image, or say what is wrong."""
    try:
        region = read_region(group.root / file, label, name, scan, group.reading)
    except ReadError as error:
        return as_problem(error, row, file)
    difference = scan.geometry.difference(region.geometry)
    if difference:
        return _about(row, file)(
            code=Code.MASK_OFF_GRID,
            what=f"the {name} mask is not on the grid of its image",
            expected=f"the grid of {row.image}",
            got=difference,
            next_step="Resample the mask onto the image (nearest neighbour), and look at the two.",
        )
    if region.voxel_count == 0:
        return _about(row, file)(
            code=Code.MASK_EMPTY,
            what=f"the {name} mask is empty",
            expected="voxels above 0",
            got="none",
            next_step="Draw the region, or remove the row.",
        )
    return region


def _find_size_problem(row: ScanRow, region: Region, min_region_mm3: float) -> Iterator[Problem]:
    if region.volume_mm3 < min_region_mm3:
        yield _about(row, row.mask)(
            code=Code.REGION_TOO_SMALL,
            what=f"the {region.name} region is too small",
            expected=f"at least {min_region_mm3:g} mm3 (min_region_mm3)",
            got=f"{region.volume_mm3:.3g} mm3 ({region.voxel_count} voxels)",
            next_step="Check the mask, or remove the row; below this, texture means little.",
        )


def _find_border_problem(row: ScanRow, region: Region) -> Iterator[Problem]:
    names = [
        f"{side} {axis}"
        for axis, index in (("x", 2), ("y", 1), ("z", 0))
        for side, at in (("first", 0), ("last", -1))
        if region.inside.take(at, axis=index).any()
    ]
    if names:
        yield _about(row, row.mask)(
            code=Code.MASK_TOUCHES_BORDER,
            what=f"the {region.name} reaches the edge of the image and may be cut off",
            expected="a margin of one voxel at least",
            got=f"voxels in the {', '.join(names)} plane",
            next_step="Check that the scan covers the whole tumour.",
            severity=Severity.WARNING,
        )


def _find_overlap_problem(row: ScanRow, tumour: Region, liver: Region) -> Iterator[Problem]:
    outside = int(np.count_nonzero(tumour.inside & ~liver.inside))
    share = outside / tumour.voxel_count
    if share > SHARE_OUTSIDE_LIVER:
        yield _about(row, row.mask)(
            code=Code.TUMOUR_OUTSIDE_LIVER,
            what="part of the tumour lies outside the liver mask",
            expected=f"at most {SHARE_OUTSIDE_LIVER:.0%} outside {row.liver_mask}",
            got=f"{share:.0%} ({outside} voxels)",
            next_step="Check both masks; the liver mask must include the tumours.",
            severity=Severity.WARNING,
        )


def _about(row: ScanRow, file: str) -> partial[Problem]:
    """Return the maker of problems about a file of a row."""
    return partial(Problem, patient_id=row.patient_id, file=file)
