"""Resample a region onto the grid of a scan, where the user has asked for it.

A voxel of the scan is inside where the voxel of the mask that holds its centre is: nearest
neighbour. So a region keeps its voxels under any shift, and along each axis its extent changes by
less than one voxel of the scan. Linear interpolation with a threshold of 0.5, the other choice of
the Image Biomarker Standardisation Initiative's reference manual (doi:10.48550/arXiv.1612.07003),
section 2.4, would round off the edges of a region that is shifted obliquely.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from pipeline.domain.geometry import GRID_TOLERANCE_MM, Geometry
from pipeline.domain.scan import Region, Resampling
from pipeline.ingest.dicom.mask_frame import beyond_edge


def resample_region(path: Path, region: Region, grid: Geometry) -> Region:
    """Return a region on another grid.

    A centre that lies on the face between two voxels of the mask, to ``GRID_TOLERANCE_MM``, takes
    the one further left, posterior or superior, whatever the order in which either grid is stored:
    a shift by half a voxel moves a region and does not widen it.

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
        With ``resampled``, unless the grids were the same. May be empty if the region is smaller
        than the voxels of the grid.

    Raises
    ------
    ReadError
        ``mask-off-grid`` if part of the region lies outside of the grid.
    """
    difference = grid.difference(region.geometry)
    if not difference:
        return Region(region.inside, grid, region.name)
    _check_within(path, region, grid)
    image = sitk.GetImageFromArray(region.inside.view(np.uint8))
    image.SetOrigin(region.geometry.origin_mm)
    image.SetSpacing(region.geometry.spacing_mm)
    image.SetDirection(region.geometry.direction)
    filter_ = sitk.ResampleImageFilter()
    filter_.SetSize(grid.size)
    filter_.SetOutputOrigin((np.asarray(grid.origin_mm) + _off_faces_mm(grid)).tolist())
    filter_.SetOutputSpacing(grid.spacing_mm)
    filter_.SetOutputDirection(grid.direction)
    filter_.SetInterpolator(sitk.sitkNearestNeighbor)
    inside = sitk.GetArrayFromImage(filter_.Execute(image)).view(np.bool_)
    return Region(inside, grid, region.name, Resampling(difference, region.volume_mm3))


def _off_faces_mm(grid: Geometry) -> npt.NDArray[np.float64]:
    """Return the shift that takes centres off faces: along each axis, to left, posterior, up."""
    axes = np.reshape(grid.direction, (3, 3))
    main = np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[None], axis=0)
    shift: npt.NDArray[np.float64] = GRID_TOLERANCE_MM * (axes * np.sign(main)).sum(axis=1)
    return shift


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
    inner = grid.to_voxels(voxels @ own.axes_mm.T + np.asarray(own.origin_mm))
    beyond = np.maximum(-0.5 - inner, inner - (np.asarray(grid.size) - 0.5))
    return float((beyond * np.asarray(grid.spacing_mm)).max())
