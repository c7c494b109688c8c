"""How well two scans match under an alignment, in numbers."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from pipeline.domain.scan import Region
from pipeline.imaging.alignment import Alignment, Displacement, align_region, resample
from pipeline.imaging.itk import geometry_of

BINS = 32
"""Of the joint histogram, along each scan."""

PAIRS_PER_CELL = 10
"""Of that histogram, on average; few pairs of values get fewer bins, but no fewer than 4."""

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Match:
    """How well two scans match.

    Parameters
    ----------
    mutual_information_nats : float
        Between the scans where both have values, less its bias; 0 for unrelated scans.
    chance_nats : float
        The largest that the same values have when one scan is shifted by half its size.
    overlap : float
        Share of the compared positions that lie within the moving scan.
    """

    mutual_information_nats: float
    chance_nats: float
    overlap: float


def measure_match(
    fixed: sitk.Image, moving: sitk.Image, alignment: Alignment, where: npt.NDArray[np.bool_]
) -> Match:
    """Compare two images under an alignment.

    Parameters
    ----------
    fixed, moving : SimpleITK.Image
        Of 32-bit floats.
    alignment : Alignment
        From fixed to moving positions.
    where : numpy.ndarray of bool, shape (z, y, x)
        Voxels of the fixed image that count.
    """
    linear = (sitk.sitkLinear, float("nan"), sitk.sitkFloat32)
    ours = sitk.GetArrayFromImage(fixed).astype(np.float64)
    theirs = sitk.GetArrayFromImage(resample(moving, alignment, geometry_of(fixed), linear))
    theirs = theirs.astype(np.float64)
    covered = np.isfinite(theirs)
    rolled = [np.roll(theirs, size // 2, n) for n, size in enumerate(theirs.shape) if size > 1]
    return Match(
        mutual_information_nats=_information_within(ours, theirs, where),
        chance_nats=max((_information_within(ours, other, where) for other in rolled), default=0.0),
        overlap=float(covered[where].mean()) if where.any() else 0.0,
    )


def compute_mutual_information(a: Values, b: Values) -> float:
    """Return the mutual information of paired values, in nats, less its bias.

    From a joint histogram of equally wide bins (:func:`information_of`). 0 where a value is
    constant.
    """
    if a.size == 0 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    bins = int(np.clip(np.sqrt(a.size / PAIRS_PER_CELL), 4, BINS))
    joint, _, _ = np.histogram2d(a, b, bins=bins)
    return information_of(joint)


def information_of(joint: npt.NDArray[np.number]) -> float:
    """Return the mutual information of a joint histogram's counts, in nats, less its bias.

    A histogram of ``n`` pairs overestimates it by about (rows - 1) (columns - 1) / (2 n) for the
    bins in use, which is subtracted (Miller 1955, in Information Theory in Psychology, 95-100).
    """
    rows, columns = joint.sum(axis=1), joint.sum(axis=0)
    filled = joint > 0
    total = int(rows.sum())
    counts = joint[filled].astype(np.float64)
    expected = np.outer(rows, columns)[filled] / total
    information = float((counts * np.log(counts / expected)).sum()) / total
    used = (np.count_nonzero(rows) - 1) * (np.count_nonzero(columns) - 1)
    return information - used / (2 * total)


def compute_dice(fixed: Region, moving: Region, alignment: Alignment) -> float:
    """Return twice the common voxels over the sum of both (Dice 1945, doi 10.2307/1932409).

    On the fixed region's grid; NaN where both are empty.
    """
    moved = align_region(moving, alignment, fixed.geometry)
    total = fixed.voxel_count + moved.voxel_count
    common = int(np.count_nonzero(fixed.inside & moved.inside))
    return 2 * common / total if total else float("nan")


def compute_jacobian(displacement: Displacement) -> Values:
    """Return how many times its volume each voxel takes up when displaced, shape (z, y, x).

    Determinant of the derivative of ``x + displacement(x)`` by central differences; not positive
    where tissue folds over itself.
    """
    geometry = displacement.geometry
    vectors = displacement.vectors_mm.astype(np.float64)
    along_axes = [
        np.gradient(vectors, geometry.spacing_mm[axis], axis=2 - axis) for axis in range(3)
    ]
    derivative = np.stack(along_axes, axis=-1) @ np.reshape(geometry.direction, (3, 3)).T
    return np.asarray(np.linalg.det(np.eye(3) + derivative))


def _information_within(ours: Values, theirs: Values, where: npt.NDArray[np.bool_]) -> float:
    both = where & np.isfinite(theirs)
    return compute_mutual_information(ours[both], theirs[both])
