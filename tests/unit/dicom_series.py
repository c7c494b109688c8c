"""Write small synthetic DICOM series for the tests; every number in them is set here."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, generate_uid

ROWS, COLUMNS = 3, 4
GAP_MM = 2.5
IDENTIFIERS = ("Doe^Jane", "HOSP-4711", "Saint Elsewhere", "19611213", "ACC-99")
"""Planted in every header; no message may show one."""


def uid(*names: object) -> str:
    """Return an identifier that is the same for the same names."""
    return str(generate_uid(entropy_srcs=[str(name) for name in names]))


def make_slice(number: int, height_mm: float, **attributes: Any) -> Dataset:
    """Return a CT slice whose stored values are all ``number``, at a height along z."""
    item = Dataset()
    name, identifier, institution, birth, accession = IDENTIFIERS
    item.PatientName, item.PatientID, item.PatientBirthDate = name, identifier, birth
    item.InstitutionName, item.AccessionNumber = institution, accession
    item.SOPClassUID, item.SOPInstanceUID = CTImageStorage, uid("slice", number, height_mm)
    item.StudyInstanceUID, item.SeriesInstanceUID = uid("study"), uid("series")
    item.FrameOfReferenceUID = uid("frame")
    item.Modality, item.SeriesNumber, item.SeriesDescription = "CT", 4, "liver"
    item.InstanceNumber = number
    item.Rows, item.Columns, item.PixelSpacing = ROWS, COLUMNS, ["0.8", "0.6"]
    item.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    item.ImagePositionPatient = ["-10", "-20", f"{height_mm:.6g}"]
    item.SamplesPerPixel, item.PhotometricInterpretation = 1, "MONOCHROME2"
    item.BitsAllocated, item.BitsStored, item.HighBit = 16, 16, 15
    item.PixelRepresentation = 1
    item.PixelData = np.full((ROWS, COLUMNS), number, np.int16).tobytes()
    for keyword, value in attributes.items():
        setattr(item, keyword, value)
    return item


def make_phase(
    first: int, heights_mm: Iterable[float] = (0, 2.5, 5, 7.5, 10), **attributes: Any
) -> list[Dataset]:
    """Return the slices of one phase, numbered from ``first``."""
    return [
        make_slice(first + index, height, **attributes) for index, height in enumerate(heights_mm)
    ]


def set_pixels(item: Dataset, stored: npt.NDArray[Any]) -> Dataset:
    """Give a slice these stored values, shape (rows, columns)."""
    item.Rows, item.Columns = stored.shape
    item.BitsAllocated = item.BitsStored = 8 * stored.itemsize
    item.HighBit = item.BitsStored - 1
    item.PixelRepresentation = int(stored.dtype.kind == "i")
    item.PixelData = stored.tobytes()
    return item


def write_slices(
    folder: Path, slices: Sequence[Dataset], prefix: str = "s", suffix: str = ".dcm"
) -> list[Path]:
    """Write slices under names in the reverse of their order in the list; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for index, item in enumerate(slices):
        files.append(folder / f"{prefix}{900 - index}{suffix}")
        write_file(files[-1], item)
    return files


def write_file(file: Path, item: Dataset, syntax: str = ExplicitVRLittleEndian) -> Path:
    """Write one DICOM file with its meta information."""
    item.file_meta = FileMetaDataset()
    item.file_meta.TransferSyntaxUID = UID(syntax)
    item.file_meta.MediaStorageSOPClassUID = item.SOPClassUID
    item.file_meta.MediaStorageSOPInstanceUID = UID(item.SOPInstanceUID or uid("none"))
    item.save_as(file, enforce_file_format=True)
    return file
