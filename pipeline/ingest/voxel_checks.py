"""What can be wrong with the voxels and the grid of an image, whatever is drawn on it."""

from collections.abc import Iterator
from functools import partial

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

LARGEST_SUV = 1000.0
"""A PET with larger values is in Bq/mL (thousands), not in standardised uptake values."""

SPACING_ROUNDING_MM = 0.01
"""Distances between slices are computed from rounded positions: 5.0001 mm is 5 mm."""


def find_image_problems(scan: Scan, row: ScanRow, limits: Checks) -> Iterator[Problem]:
    """List what is wrong with an image; ``row`` is the first that names it."""
    lowest, highest = float(scan.voxels.min()), float(scan.voxels.max())
    if lowest == highest:
        yield about(row, row.image)(
            code=Code.IMAGE_CONSTANT,
            what="all voxels of the image have one value",
            expected="an image",
            got=f"{lowest:g} everywhere",
            next_step="Export the image again.",
        )
        return
    yield from _find_implausible_values(row, lowest, highest)
    yield from _find_thick_slices(row, scan.geometry.spacing_mm[2], limits.max_slice_mm)


def _find_implausible_values(row: ScanRow, lowest: float, highest: float) -> Iterator[Problem]:
    report = partial(
        about(row, row.image),
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


def _find_thick_slices(row: ScanRow, slice_mm: float, max_slice_mm: float) -> Iterator[Problem]:
    """Judge the distance between slices along the third axis, across which scanners stack them."""
    if slice_mm > max_slice_mm + SPACING_ROUNDING_MM:
        yield about(row, row.image)(
            code=Code.SLICES_THICK,
            what="the slices are too far apart for texture across them",
            expected=f"at most {max_slice_mm:g} mm between slices (checks.max_slice_mm)",
            got=f"{slice_mm:.4g} mm",
            next_step="Use a thinner reconstruction where there is one.",
            severity=Severity.WARNING,
        )
