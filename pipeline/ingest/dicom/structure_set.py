"""Read a region of interest of a DICOM RTSTRUCT onto the grid of its scan.

Contours (PS3.3 C.8.8.6) are closed polygons in patient coordinates, each within a plane. They are
transformed into voxels of the scan and filled slice by slice, see
:mod:`pipeline.ingest.dicom.rasterise`. A contour belongs to the slice whose plane is nearest, by
its position; the references to images are not used.

Points, open contours and contours of fewer than three points enclose nothing and are left out.
Slices between contours stay empty: nothing is interpolated, unless the contours were drawn on
planes of another spacing than the slices' and masks may be resampled.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom

from pipeline.domain.reading import Reading
from pipeline.domain.scan import Region, Scan
from pipeline.ingest.dicom.contour_planes import Planes, sort_into_planes
from pipeline.ingest.dicom.contours import encloses, read_contours
from pipeline.ingest.dicom.mask_dataset import damage_reported, read_dataset, unreadable_mask
from pipeline.ingest.dicom.mask_frame import check_frame_of_reference
from pipeline.ingest.dicom.mask_labels import Labelled, pick_label
from pipeline.ingest.dicom.rasterise import count_crossings, fill_even_odd
from pipeline.ingest.mask_resampling import resample_region

MAX_CROSSINGS = 1 << 20
"""Most crossings of contours with pixel rows on one slice.

A contour around everything crosses each row twice; a million is a hundred times what the most
ragged contours do."""

_Points = npt.NDArray[np.float64]


def read_structure(
    path: Path, label: str | int | None, name: str, scan: Scan, reading: Reading
) -> Region:
    """Read a region of interest.

    Parameters
    ----------
    path : Path
        An RTSTRUCT file.
    label : str, int or None
        ROIName or ROINumber; None takes the only region that has contours.
    name : str
        Name of the region returned.
    scan : Scan
        The image that the contours belong to.
    reading : Reading
        Whether contours on other planes than the slices' may be resampled.

    Returns
    -------
    Region
        On the grid of the scan.

    Raises
    ------
    ReadError
        If the file is damaged or has no such region; if its contours lie in another frame of
        reference, oblique to the slices, outside of the image, or on planes of another spacing.
    """
    with damage_reported(path):
        structures = read_dataset(path)
        # Where no region can be used the others are offered, so that the error says what they are.
        regions = read_regions(structures) or _drawn_regions(structures)
        number = pick_label(path, regions, label, name)
        frame = _frame_of_reference(structures, number)
        check_frame_of_reference(path, frame, scan.frame_of_reference)
        contours = read_contours(path, _contour_items(structures, number))
    points = [scan.geometry.to_voxels(contour) for contour in contours]
    planes = sort_into_planes(path, points, scan.geometry, reading)
    inside = _fill(path, planes)
    region = Region(inside, planes.geometry, name)
    if planes.geometry is scan.geometry:
        return region
    return resample_region(path, region, scan.geometry)


def read_regions(structures: pydicom.Dataset) -> tuple[Labelled, ...]:
    """Return the regions of interest that have contours which enclose something, in file order.

    Markers and isocentres, which are points, are none.
    """
    return _listed(
        structures,
        {
            int(item.ReferencedROINumber)
            for item in structures.get("ROIContourSequence") or []
            if any(encloses(contour) for contour in item.get("ContourSequence") or [])
        },
    )


def _drawn_regions(structures: pydicom.Dataset) -> tuple[Labelled, ...]:
    drawn = structures.get("ROIContourSequence") or []
    return _listed(
        structures, {int(item.ReferencedROINumber) for item in drawn if item.get("ContourSequence")}
    )


def _listed(structures: pydicom.Dataset, numbers: set[int]) -> tuple[Labelled, ...]:
    return tuple(
        Labelled(int(item.ROINumber), str(item.get("ROIName", "") or ""))
        for item in structures.get("StructureSetROISequence") or []
        if int(item.ROINumber) in numbers
    )


def _frame_of_reference(structures: pydicom.Dataset, number: int) -> str:
    """Return the frame of a region; files that name none for it name one for all."""
    for item in structures.StructureSetROISequence:
        if int(item.ROINumber) == number and item.get("ReferencedFrameOfReferenceUID"):
            return str(item.ReferencedFrameOfReferenceUID)
    return str(structures.get("FrameOfReferenceUID", "") or "")


def _contour_items(structures: pydicom.Dataset, number: int) -> list[pydicom.Dataset]:
    return [
        contour
        for item in structures.ROIContourSequence
        if int(item.ReferencedROINumber) == number
        for contour in item.get("ContourSequence") or []
    ]


def _fill(path: Path, planes: Planes) -> npt.NDArray[np.bool_]:
    inside = np.zeros(planes.geometry.shape_zyx, dtype=np.bool_)
    for slice_number, contours in sorted(planes.contours.items()):
        _check_effort(path, contours)
        inside[slice_number] = fill_even_odd(contours, inside.shape[1:])
    return inside


def _check_effort(path: Path, contours: Sequence[_Points]) -> None:
    crossings = sum(count_crossings(contour) for contour in contours)
    if crossings > MAX_CROSSINGS:
        raise unreadable_mask(
            path,
            f"contours that cross pixel rows at most {MAX_CROSSINGS} times a slice",
            f"{crossings} crossings",
        )
