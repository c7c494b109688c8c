"""What can be wrong with a tumour's region by its shape and place, whatever the image shows."""

from collections.abc import Iterator

import numpy as np
from scipy import ndimage

from pipeline.config.checks import Checks
from pipeline.domain.cohort import ScanRow
from pipeline.domain.problem import Problem, Severity
from pipeline.domain.scan import Region
from pipeline.ingest.codes import Code
from pipeline.ingest.row_problem import about

SHARE_OUTSIDE_LIVER = 0.05
"""Share of the tumour outside the liver mask from which it is reported; the outlines of two
drawings differ by less."""

_NEIGHBOURS_26 = np.ones((3, 3, 3), dtype=bool)


def find_shape_problems(
    row: ScanRow, tumour: Region, min_region_mm3: float, limits: Checks
) -> Iterator[Problem]:
    """List what is wrong with the shape of a row's tumour region, which is not empty."""
    yield from _find_size_problem(row, tumour, min_region_mm3)
    yield from _find_border_problem(row, tumour)
    yield from _find_components(row, tumour, limits.max_components)


def find_overlap_problem(row: ScanRow, tumour: Region, liver: Region) -> Iterator[Problem]:
    """Report a tumour that lies partly outside the liver."""
    outside = int(np.count_nonzero(tumour.inside & ~liver.inside))
    share = outside / tumour.voxel_count
    if share > SHARE_OUTSIDE_LIVER:
        yield about(row, row.mask)(
            code=Code.TUMOUR_OUTSIDE_LIVER,
            what="part of the tumour lies outside the liver mask",
            expected=f"at most {SHARE_OUTSIDE_LIVER:.0%} outside {row.liver_mask}",
            got=f"{share:.0%} ({outside} voxels)",
            next_step="Check both masks; the liver mask must include the tumours.",
            severity=Severity.WARNING,
        )


def _find_size_problem(row: ScanRow, region: Region, min_region_mm3: float) -> Iterator[Problem]:
    if region.volume_mm3 < min_region_mm3:
        yield about(row, row.mask)(
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
