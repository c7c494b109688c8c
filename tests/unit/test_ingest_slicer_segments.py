"""Segment names of 3D Slicer's label images, against headers written field by field."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.ingest.dicom.mask_labels import Labelled
from pipeline.ingest.mask import read_region
from pipeline.ingest.read_error import ReadError
from pipeline.ingest.slicer_segments import read_slicer_segments

HEADER = """NRRD0004
type: unsigned char
dimension: 3
space: left-posterior-superior
sizes: 2 2 2
space directions: (1,0,0) (0,1,0) (0,0,1)
kinds: domain domain domain
encoding: raw
space origin: (0,0,0)
Segment0_ID:=Segment_1
Segment0_LabelValue:=1
Segment0_Layer:=0
Segment0_Name:=liver
Segment1_ID:=Segment_2
Segment1_LabelValue:=7
Segment1_Layer:=0
Segment1_Name:=HCC segment 8
"""


def write(path: Path, header: str) -> Path:
    path.write_bytes(header.encode() + b"\n" + np.arange(8, dtype=np.uint8).tobytes())
    return path


def test_names_lead_to_voxel_values(tmp_path: Path) -> None:
    path = write(tmp_path / "a.seg.nrrd", HEADER)
    assert read_slicer_segments(path) == (Labelled(1, "liver"), Labelled(7, "HCC segment 8"))


def test_the_label_is_a_name_or_a_value(tmp_path: Path) -> None:
    path = write(tmp_path / "a.seg.nrrd", HEADER)
    by_name, by_value = (read_region(path, label, "tumour") for label in ("HCC segment 8", "7"))
    assert by_name.inside.ravel().nonzero()[0].tolist() == [7]
    assert by_value.inside.ravel().nonzero()[0].tolist() == [7]


def test_without_a_label_the_segment_named_as_the_region_is_taken(tmp_path: Path) -> None:
    path = write(tmp_path / "a.seg.nrrd", HEADER)
    assert read_region(path, None, "liver").inside.ravel().nonzero()[0].tolist() == [1]
    with pytest.raises(ReadError, match=r"which is the tumour.*1 \(liver\), 7 \(HCC segment 8"):
        read_region(path, None, "tumour")


def test_a_name_twice_is_ambiguous(tmp_path: Path) -> None:
    path = write(tmp_path / "a.seg.nrrd", HEADER.replace("HCC segment 8", "liver"))
    with pytest.raises(ReadError, match="several segments or contours 'liver'"):
        read_region(path, "liver", "liver")


def test_a_plain_label_image_names_none(tmp_path: Path) -> None:
    assert read_slicer_segments(write(tmp_path / "a.nrrd", HEADER.split("Segment0")[0])) == ()
