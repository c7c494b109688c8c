"""Masks that are read, but whose region is surely or possibly not what was drawn."""

from collections.abc import Iterator, Mapping

import numpy as np

from pipeline.config.checks import Checks
from pipeline.domain.cohort import MASK_COLUMNS, ScanRow
from pipeline.domain.problem import Problem, Severity
from pipeline.domain.scan import Region
from pipeline.ingest.codes import Code
from pipeline.ingest.liver_checks import covers_corners
from pipeline.ingest.row_problem import about


def find_mask_problems(
    row: ScanRow, regions: Mapping[str, Region], limits: Checks
) -> Iterator[Problem]:
    """List masks that cover the image, contradict each other, or were resampled.

    Parameters
    ----------
    row : ScanRow
        Whose masks they are.
    regions : mapping of str to Region
        By the names of ``MASK_COLUMNS``; on the grid of the scan, not empty. What there is not, or
        could not be read, is left out.
    limits : Checks
        ``image_share_warning`` and ``image_share_error``.
    """
    for name, region in regions.items():
        yield from _find_resampling(row, getattr(row, MASK_COLUMNS[name]), region)
    if "tumour" in regions:
        yield from _find_cover(row, regions["tumour"], limits)
    yield from _find_contradictions(row, regions)


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


def _find_cover(row: ScanRow, tumour: Region, limits: Checks) -> Iterator[Problem]:
    """Report a tumour at all corners of the image, as inverted masks are, or nearly all of it."""
    share = float(tumour.inside.mean())
    at_corners = covers_corners(tumour.inside)
    is_error = at_corners or share > limits.image_share_error
    if not is_error and share <= limits.image_share_warning:
        return
    key = "image_share_error" if is_error else "image_share_warning"
    yield about(row, row.mask)(
        code=Code.MASK_COVERS_IMAGE,
        what="the tumour mask covers the image to its corners"
        if at_corners
        else "the tumour mask covers most of the image",
        expected="voxels of the tumour, 0 elsewhere"
        if at_corners
        else f"at most {getattr(limits, key):.0%} of the image (checks.{key})",
        got=f"{share:.3g} of the image" + (", all eight corners" if at_corners else ""),
        next_step="Correct the mask: it may be inverted or hold the background.",
        severity=Severity.ERROR if is_error else Severity.WARNING,
    )


def _find_contradictions(row: ScanRow, regions: Mapping[str, Region]) -> Iterator[Problem]:
    """Report vessels that leave no liver, and muscle within the tumour."""
    if {"vessels", "liver"} <= regions.keys():
        liver = regions["liver"].inside
        left = np.count_nonzero(liver & ~regions["vessels"].inside)
        if left == 0:
            yield about(row, row.vessel_mask)(
                code=Code.MASKS_CONTRADICT,
                what="the vessel mask covers all of the liver mask",
                expected=f"liver outside of the vessels, in {row.liver_mask}",
                got=f"all {np.count_nonzero(liver)} voxels of the liver covered",
                next_step="Correct the mask, or empty the field vessel_mask.",
            )
    if {"muscle", "tumour"} <= regions.keys():
        common = np.count_nonzero(regions["muscle"].inside & regions["tumour"].inside)
        if common > 0:
            yield about(row, row.muscle_mask)(
                code=Code.MASKS_CONTRADICT,
                what="the muscle mask overlaps the tumour mask",
                expected=f"no voxel in common with {row.mask}",
                got=f"{common} voxels in common",
                next_step="Correct the masks, or empty the field muscle_mask.",
            )
