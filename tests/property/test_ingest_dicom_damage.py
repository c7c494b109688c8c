"""Whatever is damaged in a small series, the reader returns a scan or a ReadError."""

import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, RLELossless, generate_uid

from pipeline.domain.reading import Reading
from pipeline.domain.scan import Modality, Scan
from pipeline.ingest.dicom.series import read_series, read_series_geometry
from pipeline.ingest.read_error import ReadError

READING = Reading(max_voxels=1 << 20)
KEYWORDS = [
    "SOPClassUID",
    "SOPInstanceUID",
    "SeriesInstanceUID",
    "Modality",
    "InstanceNumber",
    "AcquisitionTime",
    "ImageType",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "SamplesPerPixel",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelSpacing",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "SliceThickness",
    "RescaleSlope",
    "RescaleIntercept",
    "PixelData",
]
NUMBERS = ["nan", "inf", "-1", "0", "1e308", "65535", "1\\2", "0\\0\\0", "nan\\0\\0"]
VALUES = ["", "abc", "\u00e9", *NUMBERS]


@pytest.fixture(scope="module", params=[ExplicitVRLittleEndian, RLELossless])
def contents(request: pytest.FixtureRequest) -> Iterator[list[bytes]]:
    """The bytes of the files of an intact series."""
    with tempfile.TemporaryDirectory() as name:
        files = [Path(name) / f"{index}.dcm" for index in range(4)]
        for index, file in enumerate(files):
            _write(file, index, request.param)
        yield [file.read_bytes() for file in files]


def _write(file: Path, index: int, syntax: str) -> None:
    item = Dataset()
    item.file_meta = FileMetaDataset()
    item.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    item.SOPClassUID = item.file_meta.MediaStorageSOPClassUID = CTImageStorage
    item.SOPInstanceUID = generate_uid(entropy_srcs=[str(index)])
    item.file_meta.MediaStorageSOPInstanceUID = item.SOPInstanceUID
    item.SeriesInstanceUID, item.Modality = generate_uid(entropy_srcs=["series"]), "CT"
    item.InstanceNumber, item.AcquisitionTime = index, f"10000{index}"
    item.Rows, item.Columns, item.PixelSpacing = 8, 8, [1, 1]
    item.ImagePositionPatient = [0, 0, 2 * index]
    item.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    item.SamplesPerPixel, item.PhotometricInterpretation = 1, "MONOCHROME2"
    item.BitsAllocated, item.BitsStored, item.HighBit, item.PixelRepresentation = 16, 16, 15, 1
    item.RescaleSlope, item.RescaleIntercept = 1, -1024
    item.PixelData = np.arange(64, dtype=np.int16).tobytes()
    if syntax != ExplicitVRLittleEndian:
        item.compress(syntax, generate_instance_uid=False)
    item.save_as(file, enforce_file_format=True)


def _outcome(contents: list[bytes]) -> Scan | ReadError:
    with tempfile.TemporaryDirectory() as name:
        for index, content in enumerate(contents):
            (Path(name) / f"{index}.dcm").write_bytes(content)
        try:
            read_series_geometry(Path(name), READING)
            return read_series(Path(name), Modality.CT, READING)
        except ReadError as error:
            return error


def _set_value(content: bytes, keyword: str, value: str) -> bytes:
    """Overwrite an attribute of explicit little endian with text, whatever its type."""
    tag = tag_for_keyword(keyword) or 0
    start = content.find(struct.pack("<HH", tag >> 16, tag & 0xFFFF), 132)
    if start < 0 or keyword == "PixelData":
        return content[:start]
    packed = value.encode() + b" " * (len(value.encode()) % 2)
    end = start + 8 + int.from_bytes(content[start + 6 : start + 8], "little")
    return content[: start + 6] + struct.pack("<H", len(packed)) + packed + content[end:]


FAST = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def test_the_intact_series_is_read(contents: list[bytes]) -> None:
    outcome = _outcome(contents)
    assert isinstance(outcome, Scan)
    assert outcome.voxels[2, 0].tolist() == [value - 1024 for value in range(8)]


@FAST
@given(where=st.integers(0, 3), keyword=st.sampled_from(KEYWORDS), value=st.sampled_from(VALUES))
def test_damaged_attributes(contents: list[bytes], where: int, keyword: str, value: str) -> None:
    damaged = list(contents)
    damaged[where] = _set_value(damaged[where], keyword, value)
    assert isinstance(_outcome(damaged), Scan | ReadError)


@FAST
@given(where=st.integers(0, 3), length=st.integers(0, 900))
def test_truncated_files(contents: list[bytes], where: int, length: int) -> None:
    damaged = list(contents)
    damaged[where] = damaged[where][:length]
    outcome = _outcome(damaged)
    lost = len(contents[where]) - len(damaged[where])
    assert isinstance(outcome, ReadError if lost > 0 else Scan)


@FAST
@given(
    where=st.integers(0, 3),
    bytes_=st.lists(st.tuples(st.integers(0, 900), st.integers(0, 255)), max_size=6),
)
def test_changed_bytes(contents: list[bytes], where: int, bytes_: list[tuple[int, int]]) -> None:
    damaged = [bytearray(content) for content in contents]
    for at, value in bytes_:
        damaged[where][at % len(damaged[where])] = value
    assert isinstance(_outcome([bytes(content) for content in damaged]), Scan | ReadError)
