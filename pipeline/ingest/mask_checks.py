"""Masks that are read, but whose region is surely or possibly not what was drawn."""

from collections.abc import Iterator

import numpy as np

from pipeline.domain.cohort import ScanRow
from pipeline.domain.problem import Problem, Severity
from pipeline.domain.scan import Region
from pipeline.ingest.codes import Code
from pipeline.ingest.row_problem import about


def find_mask_problems(
    row: ScanRow, tumour: Region | None, liver: Region | None
) -> Iterator[Problem]:
    """List masks that cover all, are the same, or were resampled.

    Parameters
    ----------
    row : ScanRow
        Whose masks they are.
    tumour, liver : Region or None
        On the grid of the scan, not empty; None where there is none or it could not be read.
    """
    if tumour is not None:
        yield from _find_resampling(row, row.mask, tumour)
        yield from _find_cover(row, tumour)
    if liver is not None:
        yield from _find_resampling(row, row.liver_mask, liver)
    if tumour is not None and liver is not None:
        yield from _find_same(row, tumour, liver)


def _find_resampling(row: ScanRow, file: str, region: Region) -> Iterator[Problem]:
    if region.resampled is not None:
        before_mm3, after_mm3 = region.resampled.volume_mm3, region.volume_mm3
        yield about(row, file)(
            code=Code.MASK_RESAMPLED,
            what=f"the {region.name} mask was resampled onto the grid of its image",
            expected="voxels that are voxels of the image",
            got=f"{region.resampled.difference}; {before_mm3:.6g} mm3 before,"
            f" {after_mm3:.6g} mm3 after ({after_mm3 / before_mm3 - 1:+.1%})",
            next_step="Look at mask and image together; resample_masks in cohort.yaml allows this.",
            severity=Severity.WARNING,
        )


def _find_cover(row: ScanRow, tumour: Region) -> Iterator[Problem]:
    """Report a tumour at all corners of the image: no tumour is, and inverted masks are."""
    if tumour.inside[np.ix_([0, -1], [0, -1], [0, -1])].all():
        yield about(row, row.mask)(
            code=Code.MASK_COVERS_IMAGE,
            what="the tumour mask covers the image to its corners",
            expected="voxels of the tumour, 0 elsewhere",
            got=f"{tumour.inside.mean():.3g} of the image, all eight corners",
            next_step="Correct the mask: it may be inverted or hold the background.",
        )


def _find_same(row: ScanRow, tumour: Region, liver: Region) -> Iterator[Problem]:
    if np.array_equal(tumour.inside, liver.inside):
        yield about(row, row.mask)(
            code=Code.TUMOUR_IS_LIVER,
            what="tumour mask and liver mask are the same region",
            expected=f"a part of {row.liver_mask}",
            got=f"the same {tumour.voxel_count} voxels",
            next_step="Correct the column mask, mask_label or liver_mask in scans.csv.",
        )
