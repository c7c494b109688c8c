"""Read the contours of one region of interest from their DICOM items (PS3.3 C.8.8.6)."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom

from pipeline.ingest.codes import Code
from pipeline.ingest.dicom.mask_dataset import unreadable_mask
from pipeline.ingest.dicom.mask_frame import FAR_MM
from pipeline.ingest.read_error import ReadError

CLOSED_TYPES = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
"""Contour Geometric Types that enclose an area."""

LEAST_POINTS = 3
"""Fewer points enclose nothing."""

_KNOWN_TYPES = (*CLOSED_TYPES, "POINT", "OPEN_PLANAR", "OPEN_NONPLANAR")


def read_contours(path: Path, items: Iterable[pydicom.Dataset]) -> list[npt.NDArray[np.float64]]:
    """Return the closed contours of at least three points.

    Parameters
    ----------
    path : Path
        The file, for messages.
    items : iterable of pydicom.Dataset
        Items of a Contour Sequence.

    Returns
    -------
    list of numpy.ndarray, each of shape (points, 3)
        Positions x, y, z in millimetres (LPS).

    Raises
    ------
    ReadError
        If coordinates are damaged, or no contour encloses anything.
    """
    contours, types = [], set()
    for item in items:
        kind = str(item.get("ContourGeometricType", ""))
        types.add(kind if kind in _KNOWN_TYPES else "unknown")
        points = _points(path, item)
        if kind in CLOSED_TYPES and len(points) >= LEAST_POINTS:
            contours.append(points)
    if contours:
        return contours
    raise ReadError(
        path,
        "has no contour that encloses anything for this label",
        expected=f"contours of type {' or '.join(CLOSED_TYPES)} and at least three points",
        got=f"only contours of type {', '.join(sorted(types)) or 'none'}",
        next_step="Draw the region as closed contours and export it again.",
        code=Code.MASK_EMPTY,
    )


def encloses(item: pydicom.Dataset) -> bool:
    """Tell whether a contour is closed and has three points, without parsing its coordinates.

    Parameters
    ----------
    item : pydicom.Dataset
        An item of a Contour Sequence. How many points it announces does not matter: one that
        announces others than it has is damaged, and must not vanish from the list.
    """
    closed = str(item.get("ContourGeometricType", "")) in CLOSED_TYPES
    return closed and _count(item) >= 3 * LEAST_POINTS


def _count(item: pydicom.Dataset) -> int:
    element = item.get_item("ContourData")
    value = element.value if element is not None else None
    if isinstance(value, bytes):
        return value.count(b"\\") + 1 if value.strip(b" \0") else 0
    return 0 if value is None else np.atleast_1d(value).size


def _points(path: Path, item: pydicom.Dataset) -> npt.NDArray[np.float64]:
    numbers = _numbers(item)
    if len(numbers) % 3:
        raise unreadable_mask(path, "three coordinates a contour point", f"{len(numbers)} numbers")
    announced = item.get("NumberOfContourPoints")
    if announced is not None and int(announced) != len(numbers) // 3:
        raise unreadable_mask(
            path, f"the {int(announced)} contour points announced", f"{len(numbers) // 3}"
        )
    if not (np.isfinite(numbers).all() and (np.abs(numbers) <= FAR_MM).all()):
        raise unreadable_mask(path, f"contour points within {FAR_MM:g} mm", "others, or NaN")
    return numbers.reshape(-1, 3)


def _numbers(item: pydicom.Dataset) -> npt.NDArray[np.float64]:
    """Parse ContourData as stored: pydicom would make an object of each number, which takes long.

    More than 64 kB are stored as of unknown type in explicit files, which makes no difference.
    """
    element = item.get_item("ContourData")
    value = element.value if element is not None else None
    if isinstance(value, bytes):
        text = value.rstrip(b" \0")
        return np.array(text.split(b"\\") if text else [], dtype=np.bytes_).astype(np.float64)
    return np.atleast_1d(np.asarray([] if value is None else value, dtype=np.float64))
