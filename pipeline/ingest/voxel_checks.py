"""What can be wrong with the voxels and the grid of an image, whatever is drawn on it."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.config.checks import Checks
from pipeline.domain.cohort import ScanRow
from pipeline.domain.problem import Problem, Severity
from pipeline.domain.scan import Scan
from pipeline.ingest.codes import Code
from pipeline.ingest.intensity_checks import find_intensity_problems
from pipeline.ingest.row_problem import about

SPACING_ROUNDING_MM = 0.01
"""Distances between slices are computed from rounded positions: 5.0001 mm is 5 mm."""

MOST_LABELS = 128
"""Values that a label image holds at most; segmentations of the whole body have about 120 labels,
8-bit pictures have 256 grey levels."""

LEAST_EQUAL_NEIGHBOURS = 0.8
"""Share of neighbours above 0 with one value from which an image is drawn; noise makes neighbours
differ in a scan, also in one with its background set to 0."""


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
    elif is_label_image(scan.voxels):
        yield about(row, row.image)(
            code=Code.IMAGE_IS_MASK,
            what="the image is a mask",
            expected="an image with the values of a scan",
            got=f"{np.unique(scan.voxels).size} whole numbers from {lowest:g} to {highest:g},"
            " constant within their regions",
            next_step="Image and mask may be exchanged: correct the columns image and mask in"
            " scans.csv.",
        )
    else:
        yield from find_intensity_problems(scan, row, limits)
        yield from _find_thick_slices(row, scan.geometry.spacing_mm[2], limits.max_slice_mm)


def is_label_image(voxels: npt.NDArray[Any]) -> bool:
    """Tell whether voxels (z, y, x) are labels: few whole numbers from 0, constant in regions."""
    if voxels.min() != 0:
        return False
    left, right = voxels[:, :, :-1], voxels[:, :, 1:]
    drawn = (left > 0) & (right > 0)
    count = np.count_nonzero(drawn)
    if np.count_nonzero(drawn & (left == right)) < LEAST_EQUAL_NEIGHBOURS * count:
        return False  # before looking for all values, which takes seconds
    values = np.unique(voxels)
    return values.size <= MOST_LABELS and bool((values == np.rint(values)).all())


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
