"""Where resampled voxels lie, as PyRadiomics lays them and ITK finds them in the old image.

Coordinates are compared with whole numbers and cut to them later on, so they are computed in the
order of PyRadiomics 3.0.1 and ITK 5.4, to the last digit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from pipeline.domain.errors import CaseError
from pipeline.domain.geometry import Geometry
from pipeline.domain.reading import MAX_VOXELS
from pipeline.features.fast.prepared_image import Box

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TargetGrid:
    """The part of the new grid that is filled.

    Parameters
    ----------
    shape_zyx : (int, int, int)
        Its voxels.
    spacing_mm : (float, float, float)
        Their distance along x, y, z.
    lines : numpy.ndarray, shape (2, z, y, 3)
        Of each line of voxels in x: the position of its first voxel, and the way from there to one
        voxel beyond its end. In voxels of the old image, x, y, z.
    """

    shape_zyx: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    lines: Numbers = field(repr=False)


def new_spacing_mm(geometry: Geometry, box: Box, wanted_mm: Sequence[float]) -> Numbers:
    """Return the spacing along x, y, z that PyRadiomics resamples to.

    The old one stays where 0 is asked for, and along axes on which the region has one voxel.
    """
    old, wanted = np.array(geometry.spacing_mm), np.array(wanted_mm, dtype=float)
    single = np.array([span.stop - span.start == 1 for span in reversed(box)])
    return np.where(single | (wanted == 0), old, wanted)


def lay_target_grid(geometry: Geometry, box: Box, spacing_mm: Numbers, pad: int) -> TargetGrid:
    """Lay a grid of a new spacing over the region.

    Voxel 0 of the new grid begins at the corner where voxel 0 of the old one begins; of it, what
    covers the region and ``pad`` voxels around it is kept, as far as the image goes.

    Parameters
    ----------
    geometry : Geometry
        The old grid.
    box : (slice, slice, slice)
        Bounding box of the region along z, y, x.
    spacing_mm : numpy.ndarray, shape (3,)
        Along x, y, z.
    pad : int
        PyRadiomics' ``padDistance``.
    """
    old = np.array(geometry.spacing_mm)
    first = np.array([span.start for span in reversed(box)])
    extent = np.array([span.stop - span.start for span in reversed(box)])
    ratio = old / spacing_mm
    low = np.maximum(np.floor((first - 0.5) * ratio - pad), 0)
    high = np.ceil((first + extent - 0.5) * ratio + pad)
    high = np.minimum(high, np.ceil(np.array(geometry.size) * ratio) - 1)
    x, y, z = (int(count) for count in high - low + 1)
    if x * y * z > MAX_VOXELS:
        msg = (
            f"resampled to {spacing_mm.tolist()} mm the region would have {x} x {y} x {z} voxels:"
            f" expected at most {MAX_VOXELS}. Set a larger resampledPixelSpacing."
        )
        raise CaseError(msg)
    start = 0.5 * (spacing_mm - old) / old + low / ratio
    origin = _image(geometry).TransformContinuousIndexToPhysicalPoint(start.tolist())
    spacing = (float(spacing_mm[0]), float(spacing_mm[1]), float(spacing_mm[2]))
    target = Geometry((x, y, z), spacing, origin, geometry.direction)
    return TargetGrid((z, y, x), spacing, find_lines(geometry, target))


def find_lines(old: Geometry, new: Geometry) -> Numbers:
    """Find the lines of a new grid in the old image: ``lines`` of :class:`TargetGrid`."""
    to_mm = _index_to_mm(new)
    to_index = _mm_to_index(old)
    starts = _positions(0, new, to_mm) - np.array(old.origin_mm)
    ends = _positions(new.size[0], new, to_mm) - np.array(old.origin_mm)
    first, last = _times(to_index, starts), _times(to_index, ends)
    return np.ascontiguousarray(np.stack([first, last - first]))


def _positions(x: int, grid: Geometry, to_mm: Numbers) -> Numbers:
    """Positions in mm of the voxels with one x, shape (z, y, 3); summed over x, y, z like ITK."""
    _, height, depth = grid.size
    z = np.arange(depth, dtype=float)[:, None, None] * to_mm[:, 2]
    y = np.arange(height, dtype=float)[None, :, None] * to_mm[:, 1]
    return np.array(grid.origin_mm) + x * to_mm[:, 0] + y + z


def _times(matrix: Numbers, vectors: Numbers) -> Numbers:
    """Matrix times vectors, summed over x, y, z like ITK."""
    x, y, z = (vectors[..., axis, None] * matrix[:, axis] for axis in range(3))
    return x + y + z


def _index_to_mm(grid: Geometry) -> Numbers:
    """ITK's matrix from voxels to mm (3 x 3), without the origin."""
    image = _image(Geometry(grid.size, grid.spacing_mm, (0.0, 0.0, 0.0), grid.direction))
    columns = [image.TransformIndexToPhysicalPoint(unit) for unit in np.eye(3, dtype=int).tolist()]
    return np.array(columns).T


def _mm_to_index(grid: Geometry) -> Numbers:
    """ITK's matrix from mm to voxels (3 x 3); it inverts numerically, so 1 / spacing is not it."""
    image = _image(Geometry(grid.size, grid.spacing_mm, (0.0, 0.0, 0.0), grid.direction))
    columns = [image.TransformPhysicalPointToContinuousIndex(unit) for unit in np.eye(3).tolist()]
    return np.array(columns).T


def _image(grid: Geometry) -> sitk.Image:
    """One voxel with the coordinates of the grid; ITK converts positions beyond it just as well."""
    image = sitk.Image(1, 1, 1, sitk.sitkUInt8)
    image.SetSpacing(grid.spacing_mm)
    image.SetOrigin(grid.origin_mm)
    image.SetDirection(grid.direction)
    return image
