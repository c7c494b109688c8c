"""What can be wrong with a tumour's region by its size and shape, whatever the image shows."""

from collections.abc import Iterator

import numpy as np
from scipy import ndimage

from pipeline.config.checks import Checks
from pipeline.domain.cohort import ScanRow
from pipeline.domain.problem import Problem, Severity
from pipeline.domain.scan import Region
from pipeline.ingest.codes import Code
from pipeline.ingest.liver_checks import MM3_PER_ML
from pipeline.ingest.row_problem import about

_NEIGHBOURS_26 = np.ones((3, 3, 3), dtype=bool)


def find_shape_problems(
    row: ScanRow, tumour: Region, min_region_mm3: float, limits: Checks
) -> Iterator[Problem]:
    """List what is wrong with the shape of a row's tumour region, which is not empty."""
    yield from _find_size_problem(row, tumour, min_region_mm3)
    yield from _find_large(row, tumour, limits.max_tumour_ml)
    yield from _find_border_problem(row, tumour)
    yield from _find_components(row, tumour, limits.max_components)


def _find_size_problem(row: ScanRow, region: Region, min_region_mm3: float) -> Iterator[Problem]:
    if region.volume_mm3 < min_region_mm3:
        yield about(row, row.mask)(
            code=Code.REGION_TOO_SMALL,
            what=f"the {region.name} region is too small",
            expected=f"at least {min_region_mm3:g} mm3 (min_region_mm3)",
            got=f"{region.volume_mm3:.3g} mm3 ({region.voxel_count} voxels)",
            next_step="Check the mask, or remove the row; below this, texture means little.",
        )


def _find_large(row: ScanRow, region: Region, most_ml: float) -> Iterator[Problem]:
    volume_ml = region.volume_mm3 / MM3_PER_ML
    if volume_ml > most_ml:
        yield about(row, row.mask)(
            code=Code.TUMOUR_LARGE,
            what=f"the {region.name} is as large as a liver",
            expected=f"at most {most_ml:g} mL (checks.max_tumour_ml)",
            got=f"{volume_ml:.0f} mL",
            next_step="Look at the mask: it may be the liver's, or hold several lesions.",
            severity=Severity.WARNING,
        )


def _find_border_problem(row: ScanRow, region: Region) -> Iterator[Problem]:
    names = [
        f"{side} {axis}"
        for axis, index in (("x", 2), ("y", 1), ("z", 0))
        for side, at in (("first", 0), ("last", -1))
        if region.inside.take(at, axis=index).any()
    ]
    if names:
        yield about(row, row.mask)(
            code=Code.MASK_TOUCHES_BORDER,
            what=f"the {region.name} reaches the edge of the image and may be cut off",
            expected="a margin of one voxel at least",
            got=f"voxels in the {', '.join(names)} plane",
            next_step="Check that the scan covers the whole tumour.",
            severity=Severity.WARNING,
        )


def _find_components(row: ScanRow, region: Region, most: int) -> Iterator[Problem]:
    """Count pieces that touch in no way, not even at a corner (26 neighbours)."""
    (box,) = ndimage.find_objects(region.inside.view(np.uint8))
    labels, count = ndimage.label(region.inside[box], structure=_NEIGHBOURS_26)
    if count > most:
        sizes = np.bincount(labels.ravel())[1:]
        single = int(np.count_nonzero(sizes == 1))
        yield about(row, row.mask)(
            code=Code.MASK_MANY_COMPONENTS,
            what=f"the {region.name} region is in many pieces",
            expected=f"at most {most} (checks.max_components)",
            got=f"{count} pieces, the largest {sizes.max() / sizes.sum():.0%} of the volume,"
            f" {single} of a single voxel",
            next_step="Remove stray voxels, or give each lesion a label and a row of its own.",
            severity=Severity.WARNING,
        )
