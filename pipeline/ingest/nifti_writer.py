"""Write volumes as NIfTI: the same voxels and grid always give the same bytes, and no other text.

ITK writes a gzip stream without a time or a file name, and a header that holds nothing but what
is set here: neither a patient nor a station.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Region, Scan
from pipeline.ingest.codes import Code
from pipeline.ingest.image_file import itk_warnings_off, read_file_geometry
from pipeline.ingest.read_error import ReadError


def write_scan(scan: Scan, path: Path) -> None:
    """Write a scan in its own voxel type; see :func:`write_nifti`."""
    write_nifti(scan.voxels, scan.geometry, path)


def write_region(region: Region, path: Path) -> None:
    """Write a region as a mask of 0 and 1 (uint8); see :func:`write_nifti`."""
    write_nifti(region.inside.astype(np.uint8), region.geometry, path)


def write_nifti(voxels: npt.NDArray[Any], geometry: Geometry, path: Path) -> None:
    """Write a volume, complete or not at all.

    NIfTI keeps positions as 32-bit numbers; image and mask of one grid are rounded alike and come
    out on one grid again.

    Parameters
    ----------
    voxels : numpy.ndarray, shape (z, y, x)
        The type is kept: int16 stays int16.
    geometry : Geometry
        The grid (LPS mm).
    path : Path
        Ends in ``.nii.gz``; folders are made.

    Raises
    ------
    ReadError
        If the grid does not survive the 32-bit header within
        :data:`pipeline.domain.geometry.GRID_TOLERANCE_MM`.
    """
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(geometry.spacing_mm)
    image.SetOrigin(geometry.origin_mm)
    image.SetDirection(geometry.direction)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The ending decides the format, so the temporary name must have it too.
    partial = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        with itk_warnings_off():
            sitk.WriteImage(image, str(partial), useCompression=True)
        difference = geometry.difference(read_file_geometry(partial))
        if difference:
            raise _grid_lost(path, difference)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _grid_lost(path: Path, difference: str) -> ReadError:
    return ReadError(
        path,
        "the grid does not fit into a NIfTI header",
        expected="a right-handed grid with perpendicular axes",
        got=difference,
        next_step="Export the series again; if it is sound, report this as a defect.",
        code=Code.DICOM_IRREGULAR,
    )
