"""Writes DICOM masks for tests: SEG by highdicom, RTSTRUCT by pydicom."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import numpy.typing as npt
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.sr.codedict import codes
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, RTStructureSetStorage

from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Scan

FRAME = "1.2.826.0.1.3680043.8.498.1"
Mask = npt.NDArray[Any]


def scan_on(grid: Geometry, frame: str = FRAME) -> Scan:
    return Scan(np.zeros(grid.shape_zyx, np.int16), grid, Modality.CT, frame)


def axial_grid(
    size: tuple[int, int, int] = (9, 7, 5),
    spacing_mm: tuple[float, float, float] = (0.75, 0.5, 2.5),
    origin_mm: tuple[float, float, float] = (-100.0, 30.0, -200.0),
) -> Geometry:
    return Geometry(size, spacing_mm, origin_mm, (1, 0, 0, 0, 1, 0, 0, 0, 1))


def write_seg(
    path: Path,
    mask: Mask,
    grid: Geometry,
    kind: str = "BINARY",
    names: Sequence[str] = ("Mass",),
    **options: Any,
) -> Path:
    """Write segments with highdicom.

    `mask` has the shape (z, y, x), or (z, y, x, segment) for several segments.
    """
    dataset = seg_dataset(mask, grid, kind, names, **options)
    dataset.save_as(path)
    return path


def seg_dataset(
    mask: Mask,
    grid: Geometry,
    kind: str = "BINARY",
    names: Sequence[str] = ("Mass",),
    **options: Any,
) -> Dataset:
    direction = np.reshape(grid.direction, (3, 3))
    spacing_x, spacing_y, spacing_z = grid.spacing_mm
    sources = mask_headers(grid)
    return hd.seg.Segmentation(
        source_images=sources,
        pixel_array=mask,
        segmentation_type=kind,
        segment_descriptions=[_description(i, name) for i, name in enumerate(names, start=1)],
        series_instance_uid="1.2.3.4.1",
        series_number=300,
        sop_instance_uid="1.2.3.4.2",
        instance_number=1,
        manufacturer="Test",
        manufacturer_model_name="Test",
        software_versions="1",
        device_serial_number="1",
        pixel_measures=hd.PixelMeasuresSequence(
            pixel_spacing=(spacing_y, spacing_x),
            slice_thickness=spacing_z,
            spacing_between_slices=spacing_z,
        ),
        plane_orientation=hd.PlaneOrientationSequence(
            "PATIENT", [float(f"{value:.12g}") for value in direction[:, :2].T.ravel()]
        ),
        plane_positions=[
            hd.PlanePositionSequence("PATIENT", item.ImagePositionPatient) for item in sources
        ],
        **options,
    )


def _description(number: int, name: str) -> hd.seg.SegmentDescription:
    return hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=name,
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Neoplasm,
        algorithm_type="MANUAL",
    )


def mask_headers(grid: Geometry) -> list[Dataset]:
    """Return the headers of the CT slices of a grid, without pixels."""
    direction = np.reshape(grid.direction, (3, 3))
    found = []
    for number in range(grid.size[2]):
        item = Dataset()
        item.file_meta = FileMetaDataset()
        item.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        item.SOPClassUID, item.SOPInstanceUID = CTImageStorage, f"1.2.3.9.{number + 1}"
        item.StudyInstanceUID, item.SeriesInstanceUID = "1.2.3.5", "1.2.3.6"
        item.FrameOfReferenceUID, item.Modality = FRAME, "CT"
        item.PatientID, item.PatientName = "P", "P^P"
        item.PatientBirthDate, item.PatientSex = "", ""
        item.StudyDate, item.StudyTime, item.StudyID = "", "", ""
        item.AccessionNumber, item.ReferringPhysicianName = "", ""
        item.Columns, item.Rows = grid.size[:2]
        item.SliceThickness = grid.spacing_mm[2]
        item.PixelSpacing = [grid.spacing_mm[1], grid.spacing_mm[0]]
        position = np.asarray(grid.origin_mm) + number * grid.spacing_mm[2] * direction[:, 2]
        item.ImagePositionPatient = [float(f"{value:.10g}") for value in position]
        item.ImageOrientationPatient = [
            float(f"{value:.12g}") for value in direction[:, :2].T.ravel()
        ]
        found.append(item)
    return found


def contour(points_mm: Sequence[Sequence[float]], kind: str = "CLOSED_PLANAR") -> Dataset:
    item = Dataset()
    item.ContourGeometricType = kind
    item.NumberOfContourPoints = len(points_mm)
    item.ContourData = [f"{value:.10g}" for point in points_mm for value in point]
    return item


def structure_set(regions: Sequence[tuple[int, str, Sequence[Dataset]]]) -> Dataset:
    """Return an RTSTRUCT with regions of number, name and contours."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = RTStructureSetStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3.4.5")
    dataset.SOPClassUID = RTStructureSetStorage
    dataset.SOPInstanceUID = UID("1.2.3.4.5")
    dataset.Modality = "RTSTRUCT"
    dataset.StructureSetROISequence, dataset.ROIContourSequence = Items(), Items()
    for number, name, contours in regions:
        region, drawn = Dataset(), Dataset()
        region.ROINumber, region.ROIName = number, name
        region.ReferencedFrameOfReferenceUID = FRAME
        drawn.ReferencedROINumber = number
        drawn.ContourSequence = Items(contours)
        dataset.StructureSetROISequence.append(region)
        dataset.ROIContourSequence.append(drawn)
    return dataset


def write_structure_set(
    path: Path,
    regions: Sequence[tuple[int, str, Sequence[Dataset]]],
    change: Callable[[Dataset], None] | None = None,
) -> Path:
    dataset = structure_set(regions)
    with disable_value_validation():
        if change:
            change(dataset)
        dataset.save_as(path, enforce_file_format=True)
    return path


def rectangle(
    low: tuple[float, float], high: tuple[float, float], z_mm: float, kind: str = "CLOSED_PLANAR"
) -> Dataset:
    (x0, y0), (x1, y1) = low, high
    return contour([(x0, y0, z_mm), (x1, y0, z_mm), (x1, y1, z_mm), (x0, y1, z_mm)], kind)
