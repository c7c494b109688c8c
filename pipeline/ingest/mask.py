"""Read a region from a mask: an image file, a DICOM SEG or RTSTRUCT, a series of mask images."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.domain.reading import DEFAULT_READING, Reading
from pipeline.domain.scan import Region, Scan
from pipeline.ingest.codes import Code
from pipeline.ingest.dicom.series import is_dicom_file
from pipeline.ingest.image_file import IMAGE_SUFFIXES, read_image_file
from pipeline.ingest.read_error import ReadError

WHOLE_NUMBER_TOLERANCE = 1e-3
"""Masks stored as floating point may differ from whole numbers by rounding, not by more."""

_LABELS_SHOWN = 10


def read_region(
    path: Path,
    label: str | int | None,
    name: str,
    scan: Scan | None = None,
    reading: Reading = DEFAULT_READING,
) -> Region:
    """Read one region of a mask.

    Parameters
    ----------
    path : Path
        An image file. DICOM SEG and RTSTRUCT are not read by this version.
    label : str, int or None
        Voxel value of the region; None takes every voxel above zero.
    name : str
        Name of the region: ``tumour``, ``liver`` ...
    scan : Scan, optional
        The image that the mask was drawn on; needed for DICOM masks, which name positions in the
        patient instead of voxels.
    reading : Reading
        What the reader may do.

    Returns
    -------
    Region
        May be empty where ``label`` is None.

    Raises
    ------
    ImageError
        As :func:`pipeline.ingest.volume.read_scan`; also if no voxel has the label, or the values
        are not whole numbers.
    """
    _refuse_dicom_mask(path)
    values, geometry = read_image_file(path, reading)
    labels = _whole_numbers(path, values)
    number = None if label is None else int(label)
    inside = labels > 0 if number is None else labels == number
    if number is not None and not inside.any():
        raise _label_absent(path, number, labels)
    return Region(inside, geometry, name)


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
