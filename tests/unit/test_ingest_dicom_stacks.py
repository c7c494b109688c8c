"""Which stacks are found among DICOM files, and how one series is split into its phases."""

from pathlib import Path
from typing import Any

import pytest
from dicom_series import IDENTIFIERS, make_phase, make_slice, uid, write_file, write_slices
from pydicom.dataset import Dataset
from pydicom.uid import (
    BasicTextSRStorage,
    RTStructureSetStorage,
    SecondaryCaptureImageStorage,
    SegmentationStorage,
)

from pipeline.domain.errors import ImageError
from pipeline.domain.scan import Modality
from pipeline.ingest.codes import Code
from pipeline.ingest.dicom.series import (
    read_series,
    read_series_geometry,
    read_stack,
    stack_problem,
)
from pipeline.ingest.dicom.stacks import Stack, survey

HEIGHTS = [0, 2.5, 5, 7.5, 10]


def find(folder: Path) -> tuple[Stack, ...]:
    return survey(folder.rglob("*.dcm")).stacks


def numbers(stack: Stack) -> list[int | None]:
    """Return the instance numbers in the order of the slices."""
    return [item.instance_number for item in stack.slices]


def test_facts_and_order_of_one_series(tmp_path: Path) -> None:
    slices = make_phase(1, reversed(HEIGHTS), StudyDate="20200131", SliceThickness=3)
    for item, second in zip(slices, (7, 3, 5, 4, 6), strict=True):
        item.AcquisitionTime = f"10150{second}.25"
    files = write_slices(tmp_path, slices)
    (stack,) = survey(files).stacks
    assert stack.files == tuple(reversed(files))
    assert numbers(stack) == [5, 4, 3, 2, 1]
    assert (stack.part, stack.parts, stack.split_by, stack.slice_count) == (1, 1, "", 5)
    assert stack.sop_uids == {item.SOPInstanceUID for item in slices}
    facts = stack.facts
    assert (facts.study_date, facts.acquired_at) == ("20200131", "20200131101503")
    assert (facts.modality, facts.series_number, facts.thickness_mm) == ("CT", 4, 3.0)
    assert facts.technical == {"SliceThickness": "3.0", "PixelSpacing": "0.8\\0.6"}


def _times(slices: list[Dataset], start: int) -> list[Dataset]:
    for index, item in enumerate(slices):
        item.StudyDate, item.AcquisitionTime = "20200131", f"1000{start + index:02d}"
    return slices


def test_times_that_change_from_slice_to_slice_do_not_split(tmp_path: Path) -> None:
    slices = _times(make_phase(1), 0)
    for index, item in enumerate(slices):
        item.AcquisitionNumber, item.ContentTime = index, f"11000{index}"
    write_slices(tmp_path, slices)
    assert [stack.slice_count for stack in find(tmp_path)] == [5]


def test_slices_acquired_alternately_are_one_stack(tmp_path: Path) -> None:
    slices = make_phase(1, [2.5 * index for index in range(8)], SliceThickness=2)
    for index, item in enumerate(slices):
        item.AcquisitionNumber, item.AcquisitionTime = index % 2, f"10000{index % 2}"
    write_slices(tmp_path, slices)
    assert [stack.slice_count for stack in find(tmp_path)] == [8]


def test_two_phases_acquired_alternately_are_two_stacks(tmp_path: Path) -> None:
    """Four acquisition times, each a regular stack of every other slice: still two phases."""
    slices = make_phase(1, [*HEIGHTS, 12.5] * 2, SliceThickness=2, StudyDate="20200131")
    for index, item in enumerate(slices):
        item.AcquisitionTime = f"10{index // 6}00{index % 2}"
    write_slices(tmp_path, slices)
    assert [numbers(stack) for stack in find(tmp_path)] == [[*range(1, 7)], [*range(7, 13)]]


@pytest.mark.parametrize(
    ("early", "late", "split_by"),
    [
        ({"AcquisitionNumber": 1}, {"AcquisitionNumber": 2}, "acquisition number"),
        ({"TemporalPositionIdentifier": 1}, {"TemporalPositionIdentifier": 2}, "temporal position"),
        ({"EchoTime": "2.3"}, {"EchoTime": "4.6"}, "echo time"),
        ({"DiffusionBValue": 50.0}, {"DiffusionBValue": 800.0}, "b-value"),
        ({"ImageType": ["ORIGINAL", "M"]}, {"ImageType": ["ORIGINAL", "P"]}, "image type"),
        ({"TriggerTime": "10"}, {"TriggerTime": "70"}, "trigger time"),
        ({"ContentTime": "100000"}, {"ContentTime": "100100"}, "content time"),
    ],
)
def test_phases_in_one_series_by_header(
    tmp_path: Path, early: dict[str, Any], late: dict[str, Any], split_by: str
) -> None:
    write_slices(tmp_path, make_phase(1, **early) + make_phase(6, **late))
    stacks = find(tmp_path)
    assert [numbers(stack) for stack in stacks] == [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]]
    assert [(stack.part, stack.parts) for stack in stacks] == [(1, 2), (2, 2)]
    assert {stack.split_by for stack in stacks} == {split_by}


def test_parts_are_in_order_of_acquisition(tmp_path: Path) -> None:
    late = _times(make_phase(1, AcquisitionNumber=1), 30)
    early = _times(make_phase(6, AcquisitionNumber=2), 0)
    write_slices(tmp_path, late + early)
    assert [numbers(stack)[0] for stack in find(tmp_path)] == [6, 1]
    assert [stack.facts.acquired_at[-4:] for stack in find(tmp_path)] == ["0000", "0030"]


def test_repeated_positions_split_where_headers_say_nothing(tmp_path: Path) -> None:
    """HCC-TACE-Seg: no times, no acquisition numbers; only instance numbers run on."""
    write_slices(tmp_path, make_phase(1) + make_phase(6) + make_phase(11))
    stacks = find(tmp_path)
    assert [numbers(stack)[0] for stack in stacks] == [1, 6, 11]
    assert stacks[0].split_by == "repeated positions in order of instance number"


def test_repeated_positions_numbered_place_by_place(tmp_path: Path) -> None:
    slices = [make_slice(1 + index, HEIGHTS[index // 2]) for index in range(10)]
    write_slices(tmp_path, slices)
    assert [numbers(stack) for stack in find(tmp_path)] == [[1, 3, 5, 7, 9], [2, 4, 6, 8, 10]]


def test_each_slice_has_its_own_time_in_two_phases(tmp_path: Path) -> None:
    slices = _times(make_phase(1), 0) + _times(make_phase(1), 30)
    for index, item in enumerate(slices):
        item.SOPInstanceUID = uid(index)
        del item.InstanceNumber
    write_slices(tmp_path, slices)
    stacks = find(tmp_path)
    assert [stack.facts.acquired_at[-2:] for stack in stacks] == ["00", "30"]
    assert stacks[0].split_by == "repeated positions in order of acquisition time"


@pytest.mark.parametrize(
    "second",
    [
        pytest.param([*HEIGHTS, 12.5, 15], id="longer"),
        pytest.param([height + 0.02 for height in HEIGHTS], id="hardly shifted"),
        pytest.param([height + 0.4 for height in HEIGHTS], id="shifted"),
        pytest.param([height + 1.25 for height in HEIGHTS], id="half a gap"),
        pytest.param([0, 5, 10, 15], id="thicker"),
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_phases_of_other_positions_split_where_they_jump_back(
    tmp_path: Path, second: list[float], sign: int
) -> None:
    heights = [sign * height for height in second]
    slices = make_phase(1, [sign * height for height in HEIGHTS]) + make_phase(6, heights)
    for item in slices:
        item.SliceThickness = 2.5
    write_slices(tmp_path, slices)
    stacks = find(tmp_path)
    assert [sorted(numbers(stack), key=str) for stack in stacks] == [
        sorted(range(1, 6), key=str),
        sorted(range(6, 6 + len(second)), key=str),
    ]
    assert [stack_problem(stack) for stack in stacks] == [None, None]


def test_overlapping_slices_of_one_acquisition_stay_together(tmp_path: Path) -> None:
    write_slices(tmp_path, make_phase(1, [1.25 * index for index in range(8)], SliceThickness=2.5))
    assert [stack.slice_count for stack in find(tmp_path)] == [8]


def test_a_missing_slice_of_one_phase_is_reported(tmp_path: Path) -> None:
    late = make_phase(6, AcquisitionNumber=2)
    write_slices(tmp_path, make_phase(1, AcquisitionNumber=1) + late[:2] + late[3:])
    whole, broken = find(tmp_path)
    assert stack_problem(whole) is None
    problem = stack_problem(broken)
    assert problem is not None
    assert (problem.code, problem.got[:9]) == (Code.SLICE_MISSING, "5 mm betw")


def test_two_acquisitions_one_above_the_other_do_not_hide_a_missing_slice(tmp_path: Path) -> None:
    upper = make_phase(6, [15, 17.5, 20], AcquisitionNumber=2)
    write_slices(tmp_path, make_phase(1, AcquisitionNumber=1) + upper)
    with pytest.raises(ImageError, match=r"slices are missing.*got 5 mm .*: 1 slice missing"):
        read_series(tmp_path, Modality.CT)


def test_a_missing_slice_of_a_phase_acquired_alternately_is_reported(tmp_path: Path) -> None:
    """Four acquisition times give four regular stacks of every other slice; it is two phases."""
    slices = make_phase(1, [*HEIGHTS, 12.5, 15, 17.5] * 2, StudyDate="20200131")
    for index, item in enumerate(slices):
        item.AcquisitionTime = f"10{index // 8}00{index % 2}"
    write_slices(tmp_path, [*slices[:14], slices[15]])
    whole, broken = find(tmp_path)
    assert (whole.slice_count, broken.slice_count) == (8, 7)
    assert stack_problem(whole) is None
    problem = stack_problem(broken)
    assert problem is not None
    assert (problem.code, problem.got[:9]) == (Code.SLICE_MISSING, "5 mm betw")


def test_phases_that_nothing_tells_apart_are_refused(tmp_path: Path) -> None:
    slices = make_phase(1) + make_phase(1)
    for index, item in enumerate(slices):
        item.SOPInstanceUID = uid(index)
    write_slices(tmp_path, slices)
    with pytest.raises(ImageError, match=r"two slices at one place.*got 5 pairs") as caught:
        read_series(tmp_path, Modality.CT)
    assert getattr(caught.value, "code", "") == Code.SLICE_DUPLICATE


def test_planes_of_one_series_are_stacks_of_their_own(tmp_path: Path) -> None:
    sagittal = make_phase(6, ImageOrientationPatient=[0, 1, 0, 0, 0, -1])
    for index, item in enumerate(sagittal):
        item.ImagePositionPatient = [2.5 * index, 0, 0]
    write_slices(tmp_path, make_phase(1) + sagittal)
    assert [(stack.slice_count, stack.split_by) for stack in find(tmp_path)] == [
        (5, "orientation"),
        (5, "orientation"),
    ]


def test_localisers_are_set_aside(tmp_path: Path) -> None:
    named = make_slice(0, 50, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    across = make_slice(20, 0, ImageOrientationPatient=[1, 0, 0, 0, 0, -1], Rows=9)
    files = write_slices(tmp_path, [named, across, *make_phase(1)])
    found = survey(files)
    assert [numbers(stack) for stack in found.stacks] == [[1, 2, 3, 4, 5]]
    assert dict(found.skipped) == {
        files[0]: "localiser",
        files[1]: "localiser: another plane or size than its series",
    }
    assert read_series(tmp_path, Modality.CT).geometry.size == (4, 3, 5)


def test_a_localiser_series_across_is_no_second_choice(tmp_path: Path) -> None:
    scout = make_slice(9, 0, ImageOrientationPatient=[1, 0, 0, 0, 0, -1])
    scout.SeriesInstanceUID = uid("scout")
    write_slices(tmp_path, [scout, *make_phase(1)])
    assert read_series(tmp_path, Modality.CT).geometry.size == (4, 3, 5)


def test_other_objects_are_set_aside_or_kept_as_masks(tmp_path: Path) -> None:
    write_slices(tmp_path, make_phase(1))
    kinds = {
        "capture": (SecondaryCaptureImageStorage, "CT"),
        "contours": (RTStructureSetStorage, "RTSTRUCT"),
        "segments": (SegmentationStorage, "SEG"),
        "text": (BasicTextSRStorage, "SR"),
    }
    for name, (sop_class, modality) in kinds.items():
        item = make_slice(50, 0, SOPClassUID=sop_class, Modality=modality)
        if modality != "CT":
            del item.Rows
        write_file(tmp_path / name, item)
    write_slices(tmp_path, [make_slice(70, 0, Modality="US")], prefix="echo")
    (tmp_path / "DICOMDIR").write_text("an index")
    found = survey(tmp_path.iterdir())
    assert [file.name for file in found.masks] == ["contours", "segments"]
    assert [(file.name, why) for file, why in found.skipped] == [
        ("capture", "secondary capture"),
        ("echo900.dcm", "image of modality US"),
        ("text", "no image but SR"),
    ]
    assert read_series(tmp_path, Modality.CT).geometry.size == (4, 3, 5)


def test_a_copied_file_is_skipped(tmp_path: Path) -> None:
    files = write_slices(tmp_path, make_phase(1))
    copy = tmp_path / "z copy.dcm"
    copy.write_bytes(files[2].read_bytes())
    found = survey(tmp_path.iterdir())
    assert found.skipped == ((copy, f"copy of {files[2].name}"),)
    assert [stack.slice_count for stack in found.stacks] == [5]


def test_a_file_that_contradicts_its_copy_is_an_error(tmp_path: Path) -> None:
    files = write_slices(tmp_path, make_phase(1))
    content = files[2].read_bytes()
    (tmp_path / "z.dcm").write_bytes(content[:-1] + b"\x7f")
    with pytest.raises(ImageError, match=r"s898\.dcm and z\.dcm with one identifier") as caught:
        read_series(tmp_path, Modality.CT)
    assert getattr(caught.value, "code", "") == Code.SLICE_DUPLICATE


def test_one_identifier_for_all_slices_does_no_harm(tmp_path: Path) -> None:
    write_slices(tmp_path, make_phase(1, SOPInstanceUID=uid("same")))
    assert read_series(tmp_path, Modality.CT).voxels[:, 0, 0].tolist() == [1, 2, 3, 4, 5]


def test_a_series_spread_over_folders_is_one_stack(tmp_path: Path) -> None:
    slices = make_phase(1)
    write_slices(tmp_path / "a", slices[:3])
    write_slices(tmp_path / "b", slices[3:])
    assert [stack.slice_count for stack in find(tmp_path)] == [5]


def test_series_without_identifiers_are_told_apart_by_folder(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_slices(tmp_path / name, make_phase(1, SeriesInstanceUID="", SOPInstanceUID=""))
    assert [stack.files[0].parent.name for stack in find(tmp_path)] == ["a", "b"]


def test_the_order_of_the_files_does_not_matter(tmp_path: Path) -> None:
    files = write_slices(tmp_path, make_phase(1, AcquisitionNumber=1) + make_phase(6))
    assert [stack.files for stack in survey(files).stacks] == [
        stack.files for stack in survey(reversed(files)).stacks
    ]


def _two_series(folder: Path) -> list[Path]:
    other = make_phase(6, SeriesInstanceUID=uid("other"), SeriesNumber=5, SeriesDescription="late")
    return write_slices(folder, make_phase(1) + other)


def test_several_series_are_listed(tmp_path: Path) -> None:
    _two_series(tmp_path)
    message = (
        r"got 2: series 4 liver \(5 slices, s900\.dcm \.\.\.\); series 5 late \(5 slices, .*\)\."
        r" Name one slice .*s900\.dcm, or run"
    )
    with pytest.raises(ImageError, match=message) as caught:
        read_series(tmp_path, Modality.CT)
    assert getattr(caught.value, "code", "") == Code.DICOM_SERIES


def test_parts_are_listed(tmp_path: Path) -> None:
    write_slices(tmp_path, make_phase(1, AcquisitionNumber=1) + make_phase(6, AcquisitionNumber=2))
    with pytest.raises(ImageError, match=r"liver \(5 slices, part 2 of 2 by acquisition number, "):
        read_series(tmp_path, Modality.CT)


def test_one_slice_names_its_stack(tmp_path: Path) -> None:
    files = _two_series(tmp_path)
    assert read_series(files[7], Modality.CT).voxels[:, 0, 0].tolist() == [6, 7, 8, 9, 10]
    assert read_series(files[0], Modality.CT).voxels[:, 0, 0].tolist() == [1, 2, 3, 4, 5]
    assert read_series_geometry(files[7]).size == (4, 3, 5)


def test_the_modality_chooses_and_is_checked(tmp_path: Path) -> None:
    slices = make_phase(6, SeriesInstanceUID=uid("other"), Modality="MR", RescaleSlope="0.5")
    files = write_slices(tmp_path, make_phase(1) + slices)
    assert read_series(tmp_path, Modality.MR).voxels[:, 0, 0].tolist() == [3, 3.5, 4, 4.5, 5]
    with pytest.raises(ImageError, match="expected PT, got CT, MR") as caught:
        read_series(tmp_path, Modality.PT)
    assert getattr(caught.value, "code", "") == Code.MODALITY_DIFFERS
    with pytest.raises(ImageError, match="expected CT, got MR"):
        read_series(files[7], Modality.CT)
    with pytest.raises(ImageError, match="expected CT, got MR"):
        read_stack(survey(files[5:]).stacks[0], Modality.CT)


def test_sub_folders_are_searched_where_the_folder_has_no_dicom(tmp_path: Path) -> None:
    write_slices(tmp_path / "a" / "b", make_phase(1))
    (tmp_path / "readme.txt").write_text("no DICOM")
    scan = read_series(tmp_path, Modality.CT)
    assert scan.geometry.size == (4, 3, 5)
    assert scan.frame_of_reference == uid("frame")


def test_a_mask_or_another_file_is_no_image(tmp_path: Path) -> None:
    item = make_slice(1, 0, SOPClassUID=SegmentationStorage, Modality="SEG")
    mask = write_file(tmp_path / "mask.dcm", item)
    for path, got in ((tmp_path, r"only masks, such as mask\.dcm"), (mask, "a DICOM mask")):
        with pytest.raises(ImageError, match=f"holds no image series.*got {got}"):
            read_series(path, Modality.CT)


@pytest.mark.parametrize("preamble", [True, False])
def test_files_without_name_or_preamble(tmp_path: Path, preamble: bool) -> None:
    files = write_slices(tmp_path, make_phase(1), prefix="image_", suffix="")
    if not preamble:
        for file, item in zip(files, make_phase(1), strict=True):
            item.save_as(file, implicit_vr=True, little_endian=True, enforce_file_format=False)
            assert file.read_bytes()[128:132] != b"DICM"
    assert read_series(tmp_path, Modality.CT).voxels[:, 0, 0].tolist() == [1, 2, 3, 4, 5]


def test_messages_name_nobody(tmp_path: Path) -> None:
    _two_series(tmp_path)
    (tmp_path / "t.dcm").write_bytes((tmp_path / "s900.dcm").read_bytes()[:400])
    found = survey(tmp_path.iterdir())
    texts = [repr(found.skipped), *(repr(stack) for stack in found.stacks)]
    for path, modality in ((tmp_path, Modality.CT), (tmp_path / "s900.dcm", Modality.MR)):
        with pytest.raises(ImageError, match="expected") as caught:
            read_series(path, modality)
        texts.append(str(caught.value))
    for text in texts:
        assert not [name for name in (*IDENTIFIERS, uid("series")) if name in text]
