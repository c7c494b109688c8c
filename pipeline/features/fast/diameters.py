"""Largest diameters of the marching-cubes mesh of a region."""

from math import sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.features.fast.kernels.diameters import (
    find_farthest_pair,
    find_planar_hulls,
    find_row_ends,
)

NO_VERTEX = -1
FIRST_ON_HULL = 1
LAST_ON_HULL = 2


class Diameters(NamedTuple):
    """Largest distances in mm of two mesh vertices: in the same slice, column, row, and of all.

    PyRadiomics names a plane after the axis that it is perpendicular to: ``slice_mm`` is in planes
    of equal z, ``column_mm`` of equal y, ``row_mm`` of equal x, be they through voxel centres or
    half-way between; ``all_mm`` is IBSI's L0JK.
    """

    slice_mm: float
    column_mm: float
    row_mm: float
    all_mm: float


def measure_diameters(
    padded: npt.NDArray[np.uint8], spacing_zyx_mm: tuple[float, float, float]
) -> Diameters:
    """Find the farthest pairs exactly, among the vertices of the convex hulls of all planes.

    A vertex of the hull in space is one of the hulls of its slice and of its column.

    Parameters
    ----------
    padded : numpy.ndarray of uint8, shape (z, y, x), C-contiguous
        1 in the region, at least one voxel; 0 outside and in the outermost layer.
    spacing_zyx_mm : (float, float, float)
        Distance of voxels.
    """
    dz, dy, dx = spacing_zyx_mm
    first, last = _row_ends(padded)
    slices, columns = np.zeros((2, *first.shape), dtype=np.uint8)
    in_slice = find_planar_hulls(first, last, dy, dx, slices)
    in_column = find_planar_hulls(first.T, last.T, dz, dx, columns.T)
    candidates = _marked_vertices(first, last, slices & columns)

    first, last = _row_ends(np.ascontiguousarray(padded.swapaxes(1, 2)))
    in_row = find_planar_hulls(first.T, last.T, dz, dy, np.zeros(first.T.shape, dtype=np.uint8))
    in_all = _farthest(candidates * (np.array(spacing_zyx_mm) / 2))
    return Diameters(sqrt(in_slice), sqrt(in_column), sqrt(in_row), sqrt(in_all))


def measure_planar_diameter(
    padded: npt.NDArray[np.uint8], spacing_yx_mm: tuple[float, float]
) -> float:
    """Find the farthest pair of a region in one plane, in mm; `padded` has the shape (y, x)."""
    first, last = _row_ends(np.stack((padded, np.zeros_like(padded))))
    on_hull = np.zeros((1, first.shape[1]), dtype=np.uint8)
    return sqrt(find_planar_hulls(first[:1], last[:1], *spacing_yx_mm, on_hull))


def _row_ends(
    padded: npt.NDArray[np.uint8],
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return the first and last vertex of the rows along the last axis, in doubled coordinates."""
    shape = (2 * padded.shape[0], 2 * padded.shape[1])
    first, last = np.full((2, *shape), NO_VERTEX, dtype=np.int32)
    find_row_ends(padded, first, last)
    return first, last


def _marked_vertices(
    first: npt.NDArray[np.int32], last: npt.NDArray[np.int32], marks: npt.NDArray[np.uint8]
) -> npt.NDArray[np.int64]:
    """Return the doubled coordinates z, y, x of the marked vertices of rows along x."""
    found = []
    for ends, bit in ((first, FIRST_ON_HULL), (last, LAST_ON_HULL)):
        z, y = np.nonzero(marks & bit)
        found.append(np.column_stack((z, y, ends[z, y])))
    return np.concatenate(found)


def _farthest(points_mm: npt.NDArray[np.float64]) -> float:
    """Return the largest squared distance in mm2 of two points."""
    centred = points_mm - (points_mm.min(axis=0) + points_mm.max(axis=0)) / 2
    radii = np.sqrt((centred**2).sum(axis=1))
    order = np.argsort(-radii, kind="stable")
    return find_farthest_pair(np.ascontiguousarray(centred[order]), radii[order])
