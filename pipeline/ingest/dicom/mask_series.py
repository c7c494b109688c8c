"""Read a region from a DICOM image series that holds a mask.

Some tools and collections (3D-IRCADb) store masks as CT or MR images of two values, 0 and 255, or
of whole-number labels, slice by slice on the grid of the scan. Their headers often lack patient,
study and frame of reference; only the positions are relied on.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.domain.geometry import Geometry
from pipeline.domain.reading import Reading
from pipeline.domain.scan import Modality
from pipeline.ingest.codes import Code
from pipeline.ingest.dicom.mask_frame import check_frame_of_reference
from pipeline.ingest.dicom.selection import find_stack
from pipeline.ingest.dicom.series import read_stack
from pipeline.ingest.read_error import ReadError

MOST_LABELS = 128
"""An image of more distinct values is no mask; scans have thousands, masks of whole bodies 120."""


def read_mask_series(
    path: Path, scan_frame: str, reading: Reading
) -> tuple[npt.NDArray[Any], Geometry]:
    """Read the labels of a series.

    Parameters
    ----------
    path : Path
        A folder that holds one series, or one of its slices.
    scan_frame : str
        Frame of Reference UID of the scan, empty where unknown.
    reading : Reading
        What the reader may do.

    Returns
    -------
    labels : numpy.ndarray, shape (z, y, x)
        Values from 0 on.
    geometry : Geometry
        The grid of the series.

    Raises
    ------
    ReadError
        If the series cannot be read, holds an image instead of labels, or lies in another frame
        of reference than the scan.
    """
    stack = find_stack(path, None)
    # Read as MR, whatever the headers say: that is what has no unit to convert to.
    facts = replace(stack.facts, modality=Modality.MR)
    series = read_stack(replace(stack, facts=facts), Modality.MR, reading)
    check_frame_of_reference(path, series.frame_of_reference, scan_frame)
    _check_labels(path, series.voxels)
    return series.voxels, series.geometry


def _check_labels(path: Path, voxels: npt.NDArray[Any]) -> None:
    values = np.unique(voxels)
    if values[0] < 0 or len(values) > MOST_LABELS:
        raise _no_mask(path, values)


def _no_mask(path: Path, values: npt.NDArray[Any]) -> ReadError:
    return ReadError(
        path,
        "is a DICOM image, not a mask",
        expected=f"0 outside, and at most {MOST_LABELS} values",
        got=f"{len(values)} values from {values[0]:g} to {values[-1]:g}",
        next_step="Correct the column mask in scans.csv; it may name the image itself.",
        code=Code.MASK_KIND,
    )
