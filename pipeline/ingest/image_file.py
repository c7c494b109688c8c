"""Read image files - NIfTI, NRRD, MetaImage - by SimpleITK, voxel for voxel as stored."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from pipeline.domain.geometry import Geometry
from pipeline.domain.reading import DEFAULT_READING, Reading
from pipeline.ingest.codes import Code
from pipeline.ingest.integrity import non_finite
from pipeline.ingest.limits import check_voxel_count
from pipeline.ingest.metaimage_integrity import check_metaimage_header, check_metaimage_intact
from pipeline.ingest.nifti_integrity import check_nifti_header, read_nifti_voxels
from pipeline.ingest.nrrd_integrity import check_nrrd_header, check_nrrd_size
from pipeline.ingest.read_error import ReadError

NIFTI_SUFFIXES = (".nii", ".nii.gz")
NRRD_SUFFIXES = (".nrrd", ".nhdr")
METAIMAGE_SUFFIXES = (".mha", ".mhd")
IMAGE_SUFFIXES = (*NIFTI_SUFFIXES, *NRRD_SUFFIXES, *METAIMAGE_SUFFIXES)
"""Endings of the image files that are read."""

_READERS = {
    **dict.fromkeys(NIFTI_SUFFIXES, "NiftiImageIO"),
    **dict.fromkeys(NRRD_SUFFIXES, "NrrdImageIO"),
    **dict.fromkeys(METAIMAGE_SUFFIXES, "MetaImageIO"),
}
"""ITK's reader of each ending. Left to choose, ITK would try all its readers - of microscopes,
HDF5, photographs - on whatever a file holds."""


def is_image_file(name: str) -> bool:
    """Tell by its ending whether a path names an image file that is read here."""
    return name.lower().endswith(IMAGE_SUFFIXES)


def read_image_file(
    path: Path, reading: Reading = DEFAULT_READING
) -> tuple[npt.NDArray[Any], Geometry]:
    """Read the voxels of an image file and where they lie.

    Returns
    -------
    voxels : numpy.ndarray, shape (z, y, x)
        In the stored type.
    geometry : Geometry
        The grid.

    Raises
    ------
    ReadError
        If the file is absent, damaged, too large, of an unknown kind, not three-dimensional, or
        has several values a voxel; if a voxel is not a number. The message names the file.
    """
    header = _read_header(path, reading)
    voxels = _read_voxels(path, header)
    geometry = _geometry_of(path, header)
    return voxels.reshape(geometry.shape_zyx), geometry


def read_file_geometry(path: Path, reading: Reading = DEFAULT_READING) -> Geometry:
    """Read where the voxels of an image file lie, from the header alone.

    Raises
    ------
    ReadError
        As :func:`read_image_file`, except that damaged voxels go unnoticed.
    """
    return _geometry_of(path, _read_header(path, reading))


def _read_voxels(path: Path, header: sitk.ImageFileReader) -> npt.NDArray[Any]:
    suffix = _suffix(path)
    if suffix in NIFTI_SUFFIXES:
        stored = read_nifti_voxels(path)
        if stored is not None:
            return stored
    elif suffix in METAIMAGE_SUFFIXES:
        check_metaimage_intact(path)
    else:
        check_nrrd_size(path, prod(header.GetSize()) * _voxel_bytes(header))
    voxels: npt.NDArray[Any] = sitk.GetArrayFromImage(_call_itk(path, header.Execute))
    bad = int(voxels.size - np.count_nonzero(np.isfinite(voxels)))
    if bad:
        raise non_finite(path, bad)
    return voxels


def _voxel_bytes(header: sitk.ImageFileReader) -> int:
    return int(sitk.Image([1, 1], header.GetPixelID()).GetSizeOfPixelComponent())


def _read_header(path: Path, reading: Reading) -> sitk.ImageFileReader:
    _check_file(path)
    suffix = _suffix(path)
    if suffix in NIFTI_SUFFIXES:
        check_nifti_header(path)
    if suffix in NRRD_SUFFIXES:
        check_nrrd_header(path)
    if suffix in METAIMAGE_SUFFIXES:
        check_metaimage_header(path)
    reader = sitk.ImageFileReader()
    reader.SetImageIO(_READERS[suffix])
    reader.SetFileName(str(path))
    _call_itk(path, reader.ReadImageInformation)
    _check_kind(path, reader)
    check_voxel_count(path, reader.GetSize(), reading)
    return reader


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise ReadError(
            path,
            "is missing" if not path.exists() else "is not a file",
            expected="an image file or a DICOM folder",
            got="nothing at this path" if not path.exists() else "something else",
            next_step="Correct the path, or add the file.",
            code=Code.FILE_MISSING,
        )
    if not is_image_file(path.name):
        raise ReadError(
            path,
            "is not an image that can be read",
            expected=f"DICOM, or a file ending in {', '.join(IMAGE_SUFFIXES)}",
            got=f"a file named {path.name}",
            next_step="Convert the file to NIfTI.",
            code=Code.IMAGE_KIND,
        )
    if not os.access(path, os.R_OK):
        raise ReadError(
            path,
            "must not be opened",
            expected="a file that you may read",
            got="no permission to read it",
            next_step="Ask its owner for the permission to read.",
        )


def _check_kind(path: Path, header: sitk.ImageFileReader) -> None:
    axes = header.GetDimension()
    kind = sitk.GetPixelIDValueAsString(header.GetPixelID())
    if axes == 3 and header.GetNumberOfComponents() == 1 and "complex" not in kind:
        return
    size = " x ".join(str(length) for length in header.GetSize())
    raise ReadError(
        path,
        "is not one volume with one number a voxel",
        expected="three axes, one real number a voxel",
        got=f"{axes} axes ({size} voxels), {header.GetNumberOfComponents()} value(s) of {kind}",
        next_step="Save each phase or channel as a file of its own and list each in scans.csv.",
        code=Code.IMAGE_KIND,
    )


def _geometry_of(path: Path, image: Any) -> Geometry:
    """Return the grid of an image or of a reader that has read a header."""
    try:
        return Geometry(
            size=tuple(image.GetSize()),
            spacing_mm=tuple(image.GetSpacing()),
            origin_mm=tuple(image.GetOrigin()),
            direction=tuple(image.GetDirection()),
        )
    except ValueError as error:
        raise ReadError(
            path,
            "has an impossible header",
            expected="positive spacing and perpendicular axes",
            got=str(error),
            next_step="Export the image again from its source.",
        ) from None


def _call_itk(path: Path, read: Callable[[], Any]) -> Any:
    """Run an ITK reader and replace its messages, which name build paths and pointers."""
    try:
        with itk_warnings_off():
            return read()
    except RuntimeError as error:
        sheared = "orthonormal" in str(error)
        raise ReadError(
            path,
            "has axes that are not perpendicular" if sheared else "cannot be read",
            expected="perpendicular axes" if sheared else f"an intact {_suffix(path)} image",
            got="a sheared grid" if sheared else "a damaged, incomplete or mislabelled file",
            next_step="Export the image again from its source.",
        ) from None


def _suffix(path: Path) -> str:
    return next(end for end in reversed(IMAGE_SUFFIXES) if path.name.lower().endswith(end))


@contextmanager
def itk_warnings_off() -> Iterator[None]:
    """Keep ITK from printing warnings, which name build paths; errors are raised all the same."""
    before = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(before)
