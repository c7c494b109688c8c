"""The new grid of the standard: its centre is the image's centre."""

from math import ceil, floor

import numpy as np

from pipeline.domain.geometry import Geometry
from pipeline.features.fast.prepared_image import Box

Vector = tuple[float, float, float]

ROUNDING_VOXELS = 1e-6
"""An image that ends this far beyond a whole number of new voxels gets no further one: its spacing
is read from a header, whose last digits are rounded."""


def centred_grid(old: Geometry, spacing_mm: Vector) -> Geometry:
    """Lay a grid of another spacing over an image.

    As many voxels as cover the image, and both centres at one place: IBSI reference manual,
    doi:10.1148/radiol.2020191145, section 2.4.

    Parameters
    ----------
    old : Geometry
        Grid of the image.
    spacing_mm : (float, float, float)
        New distance of voxels along x, y, z.
    """
    pairs = list(zip(old.size, old.spacing_mm, spacing_mm, strict=True))
    x, y, z = (ceil(size * before / new - ROUNDING_VOXELS) for size, before, new in pairs)
    shift_mm = [
        0.5 * (before * (size - 1) - new * (count - 1))
        for (size, before, new), count in zip(pairs, (x, y, z), strict=True)
    ]
    return Geometry((x, y, z), spacing_mm, _move(old, shift_mm), old.direction)


def part_around(grid: Geometry, old: Geometry, box: Box, margin_voxels: int) -> Geometry:
    """Cut a grid to the surroundings of a region, as far as it goes.

    Parameters
    ----------
    grid : Geometry
        With the axes of the image.
    old : Geometry
        Grid of the image.
    box : (slice, slice, slice)
        Bounding box of the region along z, y, x, in voxels of the image.
    margin_voxels : int
        In voxels of the grid, around every voxel that an interpolated region can reach.
    """
    ratio = np.array(old.spacing_mm) / np.array(grid.spacing_mm)
    zero = old.to_voxels(np.array([grid.origin_mm]))[0]
    start = (np.array([span.start - 1 for span in reversed(box)]) - zero) * ratio
    stop = (np.array([span.stop for span in reversed(box)]) - zero) * ratio
    first = [max(floor(place) - margin_voxels, 0) for place in start]
    last = [
        min(ceil(place) + margin_voxels, size - 1)
        for place, size in zip(stop, grid.size, strict=True)
    ]
    x, y, z = (high - low + 1 for low, high in zip(first, last, strict=True))
    shift_mm = [low * step for low, step in zip(first, grid.spacing_mm, strict=True)]
    return Geometry((x, y, z), grid.spacing_mm, _move(grid, shift_mm), grid.direction)


def _move(grid: Geometry, along_axes_mm: list[float]) -> Vector:
    """Return the origin, moved along the axes of the grid."""
    moved = np.array(grid.origin_mm) + np.reshape(grid.direction, (3, 3)) @ along_axes_mm
    return float(moved[0]), float(moved[1]), float(moved[2])
