"""Enhanced multi-frame images equal the single-frame images that they were made of."""

from pathlib import Path
from typing import Any

import highdicom.legacy
import numpy as np
import pydicom
import pytest
from dicom_series import COLUMNS, ROWS, make_phase, make_slice, set_pixels, uid, write_file
from dicom_series import write_slices as write_single_frames
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)

from pipeline.domain.errors import ImageError
from pipeline.domain.scan import Modality
from pipeline.ingest.dicom.series import read_series, read_series_geometry, stack_problem
from pipeline.ingest.dicom.stacks import survey


def make_legacy(count: int = 5) -> list[Dataset]:
    """Return oblique single-frame slices of noise with slopes and intercepts of their own."""
    tilt = np.radians(20)
    slices = make_phase(1, [0] * count)
    for index, item in enumerate(slices):
        values = np.random.default_rng(index).integers(0, 4000, (40, 36))
        set_pixels(item, values.astype(np.uint16))
        item.ImageOrientationPatient = [1, 0, 0, 0, float(np.cos(tilt)), float(np.sin(tilt))]
        across = 3.0 * index * np.array([0, -np.sin(tilt), np.cos(tilt)])
        item.ImagePositionPatient = [round(float(value), 6) for value in across]
        item.SOPInstanceUID = uid("legacy", index)
        item.RescaleSlope, item.RescaleIntercept = "2", str(-100 * index)
        item.SliceThickness, item.AcquisitionNumber = 3, 1
        item.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        item.PatientSex, item.StudyID, item.Manufacturer = "F", "1", "maker"
        item.StudyDate, item.StudyTime = "20200131", "100000"
        item.ReferringPhysicianName = item.PositionReferenceIndicator = ""
        item.BurnedInAnnotation, item.LossyImageCompression = "NO", "00"
    return slices


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless, JPEG2000Lossless])
def test_a_legacy_converted_image_equals_its_slices(tmp_path: Path, syntax: str) -> None:
    """The converted file is written by highdicom."""
    files = write_single_frames(tmp_path / "single", make_legacy())
    single = read_series(tmp_path / "single", Modality.CT)
    enhanced = highdicom.legacy.LegacyConvertedEnhancedCTImage(
        [pydicom.dcmread(file) for file in files],
        series_instance_uid=uid("converted"),
        series_number=9,
        sop_instance_uid=uid("converted", 1),
        instance_number=1,
        transfer_syntax_uid=syntax,
    )
    (tmp_path / "multi").mkdir()
    file = tmp_path / "multi" / "mf"
    enhanced.save_as(file)
    for path in (file, file.parent):
        multi = read_series(path, Modality.CT)
        np.testing.assert_array_equal(multi.voxels, single.voxels)
        assert multi.voxels.dtype == single.voxels.dtype
        assert multi.geometry == single.geometry == read_series_geometry(path)
        assert multi.frame_of_reference == uid("frame")


def group(**attributes: Any) -> Sequence:
    item = Dataset()
    for keyword, value in attributes.items():
        setattr(item, keyword, value)
    return Sequence([item])


def make_enhanced(frames: list[dict[str, Any]]) -> Dataset:
    """Return an enhanced MR; each frame has a height, a time position, a slope and marks."""
    item = make_slice(0, 0, SOPClassUID=EnhancedMRImageStorage, Modality="MR")
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
        delattr(item, keyword)
    shared, per_frame = Dataset(), []
    shared.PlaneOrientationSequence = group(ImageOrientationPatient=[0, 1, 0, 0, 0, -1])
    shared.PixelMeasuresSequence = group(PixelSpacing=[0.8, 0.6], SliceThickness=2.5)
    for frame in frames:
        groups = Dataset()
        position = [frame["height"], 0, 0]
        groups.PlanePositionSequence = group(ImagePositionPatient=position)
        groups.FrameContentSequence = group(**frame.get("content", {}))
        groups.PixelValueTransformationSequence = group(
            RescaleSlope=frame.get("slope", 1), RescaleIntercept=0, RescaleType="US"
        )
        for name, attributes in frame.get("groups", {}).items():
            setattr(groups, name, group(**attributes))
        per_frame.append(groups)
    item.SharedFunctionalGroupsSequence = Sequence([shared])
    item.PerFrameFunctionalGroupsSequence = Sequence(per_frame)
    item.NumberOfFrames = len(frames)
    values = np.repeat(np.arange(len(frames), dtype=np.int16), ROWS * COLUMNS)
    item.PixelData = values.tobytes()
    return item


def test_frames_are_ordered_by_position_and_rescaled_each(tmp_path: Path) -> None:
    frames = [{"height": -2.5 * index, "slope": index + 1} for index in range(4)]
    scan = read_series(write_file(tmp_path / "mf", make_enhanced(frames)), Modality.MR)
    assert scan.voxels[:, 0, 0].tolist() == [0, 2, 6, 12]
    assert scan.geometry.origin_mm == (0, 0, 0)
    assert scan.geometry.spacing_mm == (0.6, 0.8, 2.5)
    assert scan.geometry.direction == (0, 0, -1, 1, 0, 0, 0, -1, 0)


@pytest.mark.parametrize(
    ("marks", "split_by"),
    [
        (
            [{"content": {"TemporalPositionIndex": 1}}, {"content": {"TemporalPositionIndex": 2}}],
            "temporal position",
        ),
        (
            [
                {"content": {"FrameAcquisitionNumber": 1, "StackID": "1"}},
                {"content": {"FrameAcquisitionNumber": 2, "StackID": "1"}},
            ],
            "acquisition number",
        ),
        ([{"content": {"StackID": "a"}}, {"content": {"StackID": "b"}}], "stack"),
        (
            [
                {"groups": {"MREchoSequence": {"EffectiveEchoTime": 2.3}}},
                {"groups": {"MREchoSequence": {"EffectiveEchoTime": 4.6}}},
            ],
            "echo time",
        ),
        (
            [
                {"groups": {"MRDiffusionSequence": {"DiffusionBValue": 50.0}}},
                {"groups": {"MRDiffusionSequence": {"DiffusionBValue": 800.0}}},
            ],
            "b-value",
        ),
        (
            [
                {"content": {"FrameAcquisitionDateTime": "20200131100000"}},
                {"content": {"FrameAcquisitionDateTime": "20200131100100"}},
            ],
            "acquisition time",
        ),
        ([{}, {}], "repeated positions in order of instance number"),
    ],
)
def test_phases_in_one_file_are_told_apart(
    tmp_path: Path, marks: list[dict[str, Any]], split_by: str
) -> None:
    frames = [{"height": 2.5 * index, **marks[part]} for part in (0, 1) for index in range(3)]
    file = write_file(tmp_path / "mf", make_enhanced(frames))
    stacks = survey([file]).stacks
    assert [[item.frame for item in stack.slices] for stack in stacks] == [[2, 1, 0], [5, 4, 3]]
    assert [(stack.files, stack.split_by) for stack in stacks] == [((file,), split_by)] * 2
    with pytest.raises(ImageError, match=rf"part 2 of 2 by {split_by}.*\. Run `python -m"):
        read_series(file, Modality.MR)


def test_stacks_that_the_header_names_need_not_lie_side_by_side(tmp_path: Path) -> None:
    frames = [
        {"height": start + 2.5 * index, "content": {"StackID": name}}
        for name, start in (("a", 0), ("b", 100))
        for index in range(4)
    ]
    stacks = survey([write_file(tmp_path / "mf", make_enhanced(frames))]).stacks
    assert [(stack.slice_count, stack.split_by) for stack in stacks] == [(4, "stack")] * 2
    assert [stack_problem(stack) for stack in stacks] == [None, None]


def test_a_missing_frame_is_named(tmp_path: Path) -> None:
    frames = [{"height": height} for height in (0, 2.5, 7.5, 10)]
    with pytest.raises(ImageError, match=r"missing.*between frame 3 of mf and frame 2 of mf"):
        read_series(write_file(tmp_path / "mf", make_enhanced(frames)), Modality.MR)


@pytest.mark.parametrize("frames", [0, 3, 5, 2_000_000_000])
def test_a_count_of_frames_that_contradicts_the_groups(tmp_path: Path, frames: int) -> None:
    item = make_enhanced([{"height": 2.5 * index} for index in range(4)])
    item.NumberOfFrames = frames
    with pytest.raises(ImageError, match=f"multi-frame.*got {frames} frames, 4 described"):
        read_series(write_file(tmp_path / "mf", item), Modality.MR)


def test_no_functional_group_at_all_is_a_problem_of_the_stack(tmp_path: Path) -> None:
    item = make_enhanced([{"height": 2.5 * index} for index in range(4)])
    item.PerFrameFunctionalGroupsSequence = Sequence([])
    (stack,) = survey([write_file(tmp_path / "mf", item)]).stacks
    problem = stack_problem(stack)
    assert problem is not None
    assert problem.got == "4 frames, 0 described"


def test_a_truncated_file(tmp_path: Path) -> None:
    file = write_file(
        tmp_path / "mf", make_enhanced([{"height": 2.5 * index} for index in range(4)])
    )
    file.write_bytes(file.read_bytes()[:-8])
    with pytest.raises(ImageError, match="voxels can be decoded"):
        read_series(file, Modality.MR)
