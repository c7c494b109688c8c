"""Resample a region onto the grid of a scan, where the user has asked for it.

The region, 1 inside and 0 outside, is interpolated linearly at the centres of the scan's voxels,
which are inside from 0.5 on: the partial volume threshold of the Image Biomarker Standardisation
Initiative's reference manual (doi:10.48550/arXiv.1612.07003), section 2.4. Between two grids of
which one is a subset of the other, no voxel changes.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Region
from pipeline.ingest.dicom.mask_frame import beyond_edge

INSIDE_FROM = 0.5
"""Interpolated value from which a voxel is inside."""

ROUNDING = 1e-5
"""Interpolated values this little below ``INSIDE_FROM`` count as reaching it: a voxel centre
midway between inside and outside must not depend on the last bits of the transformation. It is
inside, so that a shift by exactly half a voxel makes a region one voxel longer along that axis."""


def resample_region(path: Path, region: Region, grid: Geometry) -> Region:
    """Return a region on another grid.

    Parameters
    ----------
    path : Path
        The mask, for messages.
    region : Region
        On its own grid, in the same frame of reference as ``grid``.
    grid : Geometry
        The grid of the scan.

    Returns
    -------
    Region
        May be empty if the region is smaller than the voxels of the grid.

    Raises
    ------
    ReadError
        ``mask-off-grid`` if part of the region lies outside of the grid.
    """
    if not grid.difference(region.geometry):
        return Region(region.inside, grid, region.name)
    _check_within(path, region, grid)
    image = sitk.GetImageFromArray(region.inside.astype(np.float32))
    image.SetOrigin(region.geometry.origin_mm)
    image.SetSpacing(region.geometry.spacing_mm)
    image.SetDirection(region.geometry.direction)
    filter_ = sitk.ResampleImageFilter()
    filter_.SetSize(grid.size)
    filter_.SetOutputOrigin(grid.origin_mm)
    filter_.SetOutputSpacing(grid.spacing_mm)
    filter_.SetOutputDirection(grid.direction)
    filter_.SetInterpolator(sitk.sitkLinear)
    resampled = filter_.Execute(image)
    values = sitk.GetArrayViewFromImage(resampled)  # does not keep the image alive by itself
    return Region(values >= INSIDE_FROM - ROUNDING, grid, region.name)


def _check_within(path: Path, region: Region, grid: Geometry) -> None:
    """Refuse a region whose voxel centres lie further out than the outer faces of the grid."""
    beyond_mm = max(
        (_distance_beyond(voxels, region.geometry, grid) for voxels in _surface(region)),
        default=0.0,
    )
    if beyond_mm > min(region.geometry.spacing_mm) / 2:
        raise beyond_edge(path, beyond_mm)


def _surface(region: Region) -> list[npt.NDArray[np.int64]]:
    """Return for each slice with voxels the first and last of each row, as x, y, z."""
    found = []
    for number in np.flatnonzero(region.inside.any(axis=(1, 2))):
        inside = region.inside[number]
        rows = np.flatnonzero(inside.any(axis=1))
        first = inside[rows].argmax(axis=1)
        last = inside.shape[1] - 1 - inside[rows, ::-1].argmax(axis=1)
        columns, both = np.concatenate([first, last]), np.concatenate([rows, rows])
        found.append(np.stack([columns, both, np.full_like(both, number)], axis=1))
    return found


def _distance_beyond(voxels: npt.NDArray[np.int64], own: Geometry, grid: Geometry) -> float:
    """Return how far voxels of one grid lie beyond the faces of another, in millimetres."""
    own_axes = np.reshape(own.direction, (3, 3)) * np.asarray(own.spacing_mm)
    positions_mm = voxels @ own_axes.T + np.asarray(own.origin_mm)
    axes = np.reshape(grid.direction, (3, 3)) * np.asarray(grid.spacing_mm)
    inner = np.linalg.solve(axes, (positions_mm - np.asarray(grid.origin_mm)).T).T
    beyond = np.maximum(-0.5 - inner, inner - (np.asarray(grid.size) - 0.5))
    return float((beyond * np.asarray(grid.spacing_mm)).max())
