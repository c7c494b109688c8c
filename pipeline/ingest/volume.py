"""Read scans and masks from image files and DICOM folders, voxel for voxel as stored.

NIfTI, NRRD and MetaImage files are read by SimpleITK, DICOM folders by
:mod:`pipeline.ingest.dicom_series`. Nothing is resampled, reoriented or converted.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.ingest.codes import Code
from pipeline.ingest.dicom_series import is_dicom_file, read_series, read_series_geometry
from pipeline.ingest.integrity import check_metaimage_intact, check_nifti_intact, non_finite
from pipeline.ingest.read_error import ReadError

NIFTI_SUFFIXES = (".nii", ".nii.gz")
METAIMAGE_SUFFIXES = (".mha", ".mhd")
IMAGE_SUFFIXES = (*NIFTI_SUFFIXES, ".nrrd", ".nhdr", *METAIMAGE_SUFFIXES)
"""Endings of the image files that are read; DICOM comes as a folder."""

WHOLE_NUMBER_TOLERANCE = 1e-3
"""Masks stored as floating point may differ from whole numbers by rounding, not by more."""

_LABELS_SHOWN = 10


def read_scan(path: Path, modality: Modality) -> Scan:
    """Read an image.

    Parameters
    ----------
    path : Path
        An image file, or a folder that holds one DICOM series.
    modality : Modality
        What the voxel values mean; a DICOM series must agree.

    Returns
    -------
    Scan
        Voxels (z, y, x) in the stored type: int16 stays int16.

    Raises
    ------
    ImageError
        If the file is absent, damaged, of an unknown kind, not three-dimensional, or has several
        values a voxel; if a voxel is not a number; if the DICOM series is incomplete. The message
        names the file.
    """
    if path.is_dir():
        voxels, geometry = read_series(path, modality)
        return Scan(voxels, geometry, modality)
    image = _read_file(path)
    return Scan(sitk.GetArrayFromImage(image), _geometry_of(path, image), modality)


def read_region(path: Path, label: int | None, name: str) -> Region:
    """Read one region of a mask.

    Parameters
    ----------
    path : Path
        An image file. DICOM SEG and RTSTRUCT are not read by this version.
    label : int or None
        Voxel value of the region; None takes every voxel above zero.
    name : str
        Name of the region: ``tumour``, ``liver`` ...

    Returns
    -------
    Region
        May be empty where ``label`` is None.

    Raises
    ------
    ImageError
        As :func:`read_scan`; also if no voxel has the label, or the values are not whole numbers.
    """
    _refuse_dicom_mask(path)
    image = _read_file(path)
    labels = _whole_numbers(path, sitk.GetArrayFromImage(image))
    inside = labels > 0 if label is None else labels == label
    if label is not None and not inside.any():
        raise _label_absent(path, label, labels)
    return Region(inside, _geometry_of(path, image), name)


def read_geometry(path: Path) -> Geometry:
    """Read where the voxels of an image or mask lie, from the headers alone.

    Raises
    ------
    ImageError
        As :func:`read_scan`, except that damaged voxels go unnoticed.
    """
    if path.is_dir():
        return read_series_geometry(path)
    return _geometry_of(path, _read_header(path))


def _read_file(path: Path) -> sitk.Image:
    header = _read_header(path)
    name = path.name.lower()
    if name.endswith(NIFTI_SUFFIXES):
        check_nifti_intact(path, {key: header.GetMetaData(key) for key in header.GetMetaDataKeys()})
    if name.endswith(METAIMAGE_SUFFIXES):
        check_metaimage_intact(path)
    image: sitk.Image = _call_itk(path, header.Execute)
    voxels = sitk.GetArrayViewFromImage(image)
    bad = int(voxels.size - np.count_nonzero(np.isfinite(voxels)))
    if bad:
        raise non_finite(path, bad)
    return image


def _read_header(path: Path) -> sitk.ImageFileReader:
    _check_file(path)
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    _call_itk(path, reader.ReadImageInformation)
    _check_kind(path, reader)
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
    if path.name.lower().endswith(IMAGE_SUFFIXES):
        return
    got = "a single DICOM file" if is_dicom_file(path) else f"a file named {path.name}"
    raise ReadError(
        path,
        "is not an image that can be read",
        expected=f"a file ending in {', '.join(IMAGE_SUFFIXES)}, or a DICOM folder",
        got=got,
        next_step="Name the folder of the DICOM series, or convert the file to NIfTI.",
        code=Code.IMAGE_KIND,
    )


def _refuse_dicom_mask(path: Path) -> None:
    if not path.is_dir() and not (path.is_file() and is_dicom_file(path)):
        return
    raise ReadError(
        path,
        "DICOM masks (SEG, RTSTRUCT) are not read by this version",
        expected=f"a file ending in {', '.join(IMAGE_SUFFIXES)}",
        got="a folder" if path.is_dir() else "a DICOM file",
        next_step="Convert it to NIfTI on the grid of its image, for instance with 3D Slicer.",
        code=Code.MASK_KIND,
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


def _whole_numbers(path: Path, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if not np.issubdtype(values.dtype, np.floating):
        return values
    rounded: npt.NDArray[Any] = np.rint(values)
    gaps = np.abs(values - rounded)
    if gaps.max() <= WHOLE_NUMBER_TOLERANCE:
        return rounded
    raise ReadError(
        path,
        "is not a mask: its values are not whole numbers",
        expected="whole numbers, 0 outside",
        got=f"values such as {values.flat[int(np.argmax(gaps))]:.6g}",
        next_step="A probability map or a mask resampled with interpolation: threshold it first.",
        code=Code.MASK_KIND,
    )


def _label_absent(path: Path, label: int, labels: npt.NDArray[Any]) -> ReadError:
    present = [str(int(value)) for value in np.unique(labels) if value != 0]
    shown = ", ".join(present[:_LABELS_SHOWN]) or "none"
    more = f" and {len(present) - _LABELS_SHOWN} more" if len(present) > _LABELS_SHOWN else ""
    return ReadError(
        path,
        f"has no voxel of label {label}",
        expected=f"label {label}",
        got=f"labels {shown}{more}" if present else "an empty mask",
        next_step="Correct mask_label in scans.csv, or the mask.",
        code=Code.LABEL_ABSENT if present else Code.MASK_EMPTY,
    )


def _call_itk(path: Path, read: Callable[[], Any]) -> Any:
    """Run an ITK reader and replace its messages, which name build paths and pointers."""
    try:
        with _itk_warnings_off():
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
def _itk_warnings_off() -> Iterator[None]:
    before = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(before)
