"""Lesions drawn on one image: the same region twice, or regions that overlap."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from pipeline.config.checks import Checks
from pipeline.domain.cohort import ScanRow
from pipeline.domain.problem import Problem, Severity
from pipeline.domain.scan import Region
from pipeline.ingest.codes import Code
from pipeline.ingest.row_problem import about


@dataclass(frozen=True, slots=True)
class Crop:
    """A region, cropped to what it holds.

    Parameters
    ----------
    first : numpy.ndarray of int, shape (3,)
        First voxel (z, y, x) of the crop in its image.
    inside : numpy.ndarray of bool, shape (z, y, x)
        True in the region.
    """

    first: npt.NDArray[np.intp]
    inside: npt.NDArray[np.bool_] = field(repr=False)

    @property
    def last(self) -> npt.NDArray[np.intp]:
        """First voxel (z, y, x) behind the crop."""
        return self.first + self.inside.shape

    def within(
        self, first: npt.NDArray[np.intp], last: npt.NDArray[np.intp]
    ) -> npt.NDArray[np.bool_]:
        """Return what lies in a box of the image that this crop holds."""
        low, high = first - self.first, last - self.first
        return self.inside[low[0] : high[0], low[1] : high[1], low[2] : high[2]]


def crop_region(region: Region) -> Crop:
    """Crop a region that is not empty; the crop is a copy, so that the region can be freed."""
    (box,) = ndimage.find_objects(region.inside.view(np.uint8))
    first = np.array([part.start for part in box], dtype=np.intp)
    return Crop(first, region.inside[box].copy())


def count_common(one: Crop, other: Crop) -> int:
    """Return how many voxels two regions of one image share."""
    first, last = np.maximum(one.first, other.first), np.minimum(one.last, other.last)
    if (first >= last).any():
        return 0
    return int(np.count_nonzero(one.within(first, last) & other.within(first, last)))


def find_lesion_overlaps(
    drawn: Sequence[tuple[int, ScanRow, Crop]], limits: Checks
) -> Iterator[tuple[int, Problem]]:
    """List pairs of lesions of one scan whose masks are the same or overlap.

    Parameters
    ----------
    drawn : sequence of (int, ScanRow, Crop)
        The tumours of one image, with the number of the row.
    limits : Checks
        ``lesion_overlap_warning`` and ``lesion_overlap_error``.

    Yields
    ------
    (int, Problem)
        One a pair, with the number of the later row.
    """
    for (_, first, one), (number, second, other) in combinations(drawn, 2):
        if first.patient_id == second.patient_id and first.lesion_id != second.lesion_id:
            yield from ((number, problem) for problem in _judge(first, one, second, other, limits))


def _judge(
    first: ScanRow, one: Crop, second: ScanRow, other: Crop, limits: Checks
) -> Iterator[Problem]:
    common = count_common(one, other)
    sizes = [int(np.count_nonzero(crop.inside)) for crop in (one, other)]
    share = common / min(sizes)
    if common == max(sizes):
        yield same_lesion(first, second)
    elif share > limits.lesion_overlap_warning:
        is_error = share > limits.lesion_overlap_error
        key = "lesion_overlap_error" if is_error else "lesion_overlap_warning"
        yield about(second, second.mask)(
            code=Code.LESION_OVERLAP,
            what="two lesions of one scan overlap",
            expected=f"at most {getattr(limits, key):.0%} of the smaller in both (checks.{key})",
            got=f"{share:.0%} ({common} voxels) shared by lesion {first.lesion_id} ({first.mask})"
            f" and lesion {second.lesion_id}",
            next_step="Give each voxel to one lesion, or make one row of the two.",
            severity=Severity.ERROR if is_error else Severity.WARNING,
        )


def same_lesion(first: ScanRow, second: ScanRow) -> Problem:
    """Report a region that is listed as two lesions."""
    return about(second, second.mask)(
        code=Code.LESION_DUPLICATE,
        what="two lesions are the same region",
        expected="a region of its own for each lesion_id",
        got=f"the voxels of lesion {first.lesion_id} ({first.mask}) for lesion {second.lesion_id}",
        next_step="Correct mask, mask_label or lesion_id in scans.csv, or remove one row.",
    )
