"""Read a region from an image file that holds labels: NIfTI, NRRD, MetaImage."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.domain.reading import Reading
from pipeline.domain.scan import Region
from pipeline.ingest.codes import Code
from pipeline.ingest.dicom.mask_labels import pick_label
from pipeline.ingest.image_file import read_image_file
from pipeline.ingest.read_error import ReadError
from pipeline.ingest.slicer_segments import SLICER_SUFFIX, read_slicer_segments

WHOLE_NUMBER_TOLERANCE = 1e-3
"""Masks stored as floating point may differ from whole numbers by rounding, not by more."""

_LABELS_SHOWN = 10


def read_image_mask(path: Path, label: str | int | None, name: str, reading: Reading) -> Region:
    """Read one region of a label image, on the image's own grid.

    Parameters
    ----------
    path : Path
        An image file.
    label : str, int or None
        Voxel value of the region; None takes every voxel above zero. In a file of 3D Slicer
        (``.seg.nrrd``) that names its segments as in DICOM: name or value, None for the only one.
    name : str
        Name of the region returned.
    reading : Reading
        What the reader may do.

    Raises
    ------
    ReadError
        If the file cannot be read, its values are not whole numbers, or no voxel has the label.
    """
    values, geometry = read_image_file(path, reading)
    number = _label_value(path, label, name)
    return Region(region_of_values(path, values, number), geometry, name)


def region_of_values(
    path: Path, values: npt.NDArray[Any], number: int | None
) -> npt.NDArray[np.bool_]:
    """Return where an image has a value; where it is above zero if the number is None.

    Parameters
    ----------
    path : Path
        The image, for messages.
    values : numpy.ndarray, shape (z, y, x)
        Whole numbers of any type.
    number : int or None
        The value.

    Raises
    ------
    ReadError
        If the values are not whole numbers, or none is the number.
    """
    labels = _whole_numbers(path, values)
    inside = labels > 0 if number is None else labels == number
    if number is not None and not inside.any():
        raise _label_absent(path, number, labels)
    return np.asarray(inside, dtype=np.bool_)


def whole_number_label(path: Path, label: str | int) -> int:
    """Return a label as a voxel value.

    Raises
    ------
    ReadError
        If it is not a whole number.
    """
    if str(label).strip().isdecimal():
        return int(label)
    raise ReadError(
        path,
        "has voxel values, and mask_label is a name",
        expected="a whole number such as 1, or nothing",
        got=repr(str(label)),
        next_step="Write the voxel value of the region as mask_label in scans.csv.",
        code=Code.LABEL_NOT_AN_INTEGER,
    )


def _label_value(path: Path, label: str | int | None, region: str) -> int | None:
    """Return the voxel value that a label means; None for every voxel above zero."""
    if path.name.lower().endswith(SLICER_SUFFIX):
        segments = read_slicer_segments(path)
        if segments:
            return pick_label(path, segments, label, region)
    return None if label is None else whole_number_label(path, label)


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
