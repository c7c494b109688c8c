"""Cut a scan down to its regions and some of their surroundings."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from pipeline.domain.errors import CaseError
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Region, Scan


@dataclass(frozen=True, slots=True)
class Box:
    """A block of voxels.

    Parameters
    ----------
    start, stop : (int, int, int)
        First voxel and the one after the last, along x, y, z.
    """

    start: tuple[int, int, int]
    stop: tuple[int, int, int]

    @property
    def slices_zyx(self) -> tuple[slice, slice, slice]:
        """The box as an index into an array (z, y, x)."""
        x, y, z = (slice(*ends) for ends in zip(self.start, self.stop, strict=True))
        return (z, y, x)


def bounding_box(regions: Iterable[Region], geometry: Geometry, margin_mm: float) -> Box:
    """Return the smallest box with every voxel of the regions and a margin, within the image.

    Parameters
    ----------
    regions : iterable of Region
        On the grid ``geometry``.
    geometry : Geometry
        The image's grid.
    margin_mm : float
        Added on each side, rounded up to whole voxels and cut off at the image's border.

    Raises
    ------
    CaseError
        If no region has a voxel.
    """
    corners = [_extent(region) for region in regions if region.inside.any()]
    if not corners:
        msg = (
            "all regions are empty: expected at least one voxel, got none."
            " Check mask and mask_label of this scan."
        )
        raise CaseError(msg)
    first = np.min([start for start, _ in corners], axis=0)
    last = np.max([stop for _, stop in corners], axis=0)
    margins = [ceil(margin_mm / spacing) for spacing in geometry.spacing_mm]
    start = np.maximum(first - margins, 0)
    stop = np.minimum(last + margins, geometry.size)
    return Box(_triple(start), _triple(stop))


def crop_geometry(geometry: Geometry, box: Box) -> Geometry:
    """Return the grid of the box: the same voxels at the same positions."""
    matrix = np.reshape(geometry.direction, (3, 3))
    offset = matrix @ (np.asarray(box.start) * np.asarray(geometry.spacing_mm))
    x, y, z = (float(value) for value in np.asarray(geometry.origin_mm) + offset)
    size = _triple(np.subtract(box.stop, box.start))
    return replace(geometry, size=size, origin_mm=(x, y, z))


def crop_scan(scan: Scan, box: Box) -> Scan:
    """Return a copy of the part of the scan within the box."""
    voxels = scan.voxels[box.slices_zyx].copy()
    return Scan(voxels, crop_geometry(scan.geometry, box), scan.modality)


def crop_region(region: Region, box: Box) -> Region:
    """Return a copy of the part of the region within the box."""
    inside = region.inside[box.slices_zyx].copy()
    return Region(inside, crop_geometry(region.geometry, box), region.name)


def _extent(region: Region) -> tuple[list[int], list[int]]:
    """Return the first voxel and the one after the last that are inside, along x, y, z."""
    starts, stops = [], []
    for others in ((0, 1), (0, 2), (1, 2)):  # what is left is x, y, z
        filled = np.flatnonzero(region.inside.any(axis=others))
        starts.append(int(filled[0]))
        stops.append(int(filled[-1]) + 1)
    return starts, stops


def _triple(values: "np.typing.NDArray[np.int_]") -> tuple[int, int, int]:
    x, y, z = (int(value) for value in values)
    return (x, y, z)
