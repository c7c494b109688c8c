"""Read a region from an image file that holds labels: NIfTI, NRRD, MetaImage."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.domain.reading import Reading
from pipeline.domain.scan import Region
from pipeline.ingest.codes import Code
from pipeline.ingest.dicom.mask_labels import pick_label, whole_number
from pipeline.ingest.image_file import read_image_file
from pipeline.ingest.read_error import ReadError
from pipeline.ingest.slicer_segments import is_slicer_file, layers_refused, read_slicer_segments

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
        Voxel value of the region; None takes the only one above zero. In a file of 3D Slicer
        (``.seg.nrrd``) that names its segments as in DICOM: name or value, None for the only one.
    name : str
        Name of the region returned.
    reading : Reading
        What the reader may do.

    Raises
    ------
    ReadError
        If the file cannot be read, its values are not whole numbers, no voxel has the label, or
        there are several values and no label.
    """
    try:
        values, geometry = read_image_file(path, reading)
    except ReadError as error:
        if error.code == Code.IMAGE_KIND and is_slicer_file(path.name):
            raise layers_refused(path, error.got) from None
        raise
    number = _label_value(path, label, name)
    return Region(region_of_values(path, values, number, name), geometry, name)


def region_of_values(
    path: Path, values: npt.NDArray[Any], number: int | None, region: str
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
    region : str
        The region that is wanted: ``tumour``, ``liver``.

    Raises
    ------
    ReadError
        If the values are not whole numbers, or none is the number; ``label-missing`` if there is
        no number and the image has several values beside 0.
    """
    labels = _whole_numbers(path, values)
    if number is None:
        _check_one_value(path, labels, region)
        return np.asarray(labels > 0, dtype=np.bool_)
    inside = np.asarray(labels == number, dtype=np.bool_)
    if not inside.any():
        raise _label_absent(path, number, labels)
    return inside


def other_labels(path: Path, label: int) -> str:
    """List the values of a label image beside 0 and one label; "" where there are none."""
    values, _ = read_image_file(path)
    others = values[(values != 0) & (values != label)]
    return _listed([str(int(value)) for value in np.unique(others)])


def voxel_label(path: Path, label: str | int) -> int:
    """Return a label as a voxel value.

    Raises
    ------
    ReadError
        If it is not a whole number, or 0.
    """
    number = whole_number(label)
    if number:
        return number
    raise ReadError(
        path,
        "has voxel values, and mask_label is a name"
        if number is None
        else "has no region of mask_label 0, which is the background",
        expected="a whole number from 1 on, or nothing",
        got=repr(str(label)),
        next_step="Write the voxel value of the region as mask_label in scans.csv.",
        code=Code.LABEL_NOT_AN_INTEGER if number is None else Code.LABEL_BACKGROUND,
    )


def _label_value(path: Path, label: str | int | None, region: str) -> int | None:
    """Return the voxel value that a label means; None for the only one."""
    if is_slicer_file(path.name):
        segments = read_slicer_segments(path)
        if segments:
            return pick_label(path, segments, label, region)
    return None if label is None else voxel_label(path, label)


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


def _check_one_value(path: Path, labels: npt.NDArray[Any], region: str) -> None:
    drawn = labels[labels != 0]
    if not drawn.size or drawn.min() == drawn.max():
        if drawn.size and drawn[0] < 0:
            raise _negative(path, int(drawn[0]), drawn.size, region)
        return
    values, counts = np.unique(drawn, return_counts=True)
    found = [f"{int(value)} ({n} voxels)" for value, n in zip(values, counts, strict=True)]
    # liver_mask has no column for a label.
    is_liver = region == "liver"
    raise ReadError(
        path,
        f"holds several values, and no label says which is the {region}",
        expected="one value beside 0" if is_liver else "mask_label in scans.csv",
        got=_listed(found),
        next_step="Save the liver with its tumours as a mask of its own, all of one value."
        if is_liver
        else f"Write the value of the {region} as mask_label.",
        code=Code.LABEL_MISSING,
    )


def _negative(path: Path, value: int, count: int, region: str) -> ReadError:
    return ReadError(
        path,
        "has no voxel above 0, but some below",
        expected=f"voxels above 0 in the {region}, 0 elsewhere",
        got=f"{value} ({count} voxels)",
        next_step="Save the mask with a value above 0.",
        code=Code.MASK_EMPTY,
    )


def _label_absent(path: Path, label: int, labels: npt.NDArray[Any]) -> ReadError:
    present = [str(int(value)) for value in np.unique(labels) if value != 0]
    next_step = "Correct mask_label in scans.csv, or the mask."
    if len(present) == 1:
        next_step = f"Write {present[0]} as mask_label in scans.csv, or correct the mask."
    return ReadError(
        path,
        f"has no voxel of label {label}",
        expected=f"label {label}",
        got=f"labels {_listed(present)}" if present else "an empty mask",
        next_step=next_step,
        code=Code.LABEL_ABSENT if present else Code.MASK_EMPTY,
    )


def _listed(labels: Sequence[str]) -> str:
    more = f" and {len(labels) - _LABELS_SHOWN} more" if len(labels) > _LABELS_SHOWN else ""
    return ", ".join(labels[:_LABELS_SHOWN]) + more
