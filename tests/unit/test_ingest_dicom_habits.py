"""Series as vendors and file systems really write them: what must be read, and what must not."""

from pathlib import Path

import numpy as np
import pytest
from dicom_series import make_phase, make_slice, uid, write_slices

from pipeline.domain.errors import ImageError
from pipeline.domain.scan import Modality
from pipeline.ingest.dicom.series import read_series
from pipeline.ingest.dicom.stacks import survey

HEIGHTS_MM = [5.0 * number for number in range(10)]


@pytest.mark.parametrize("absent", [1, 8])
@pytest.mark.parametrize("keyword", ["AcquisitionNumber", "ContentTime"])
def test_a_missing_slice_is_not_explained_by_two_acquisitions(
    tmp_path: Path, keyword: str, absent: int
) -> None:
    """One volume acquired in two passes, every other slice in turn, without one slice."""
    slices = make_phase(1, HEIGHTS_MM)
    for number, item in enumerate(slices):
        setattr(item, keyword, ["1", "2"][number % 2])
    write_slices(tmp_path, [*slices[:absent], *slices[absent + 1 :]])
    with pytest.raises(ImageError, match=r"slices are missing.*got 10 mm between"):
        read_series(tmp_path, Modality.CT)


def test_cosines_that_jump_between_decimals_are_one_volume(tmp_path: Path) -> None:
    slices = make_phase(1, HEIGHTS_MM)
    for number, item in enumerate(slices):
        cosine = ["0.9658", "0.9659"][number % 2]
        item.ImageOrientationPatient = [cosine, "0.2588", "0", "-0.2588", cosine, "0"]
    write_slices(tmp_path, slices)
    scan = read_series(tmp_path, Modality.CT)
    assert scan.geometry.size[2] == len(HEIGHTS_MM)
    axes = np.reshape(scan.geometry.direction, (3, 3))
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-12)
    assert np.degrees(np.arctan2(axes[1, 0], axes[0, 0])) == pytest.approx(15, abs=0.01)


def test_a_slice_without_rescaling_among_others_is_refused(tmp_path: Path) -> None:
    slices = make_phase(1, HEIGHTS_MM, RescaleSlope="1", RescaleIntercept="-1024")
    slices[3].RescaleIntercept = ""
    write_slices(tmp_path, slices)
    message = r"RescaleIntercept in every slice, or in none, got none in s897\.dcm \(1 of 10"
    with pytest.raises(ImageError, match=message):
        read_series(tmp_path, Modality.CT)


def test_what_all_slices_lack_is_nothing_to_add(tmp_path: Path) -> None:
    write_slices(tmp_path, make_phase(1, HEIGHTS_MM, RescaleSlope="2"))
    assert read_series(tmp_path, Modality.CT).voxels[:, 0, 0].tolist() == list(range(2, 22, 2))


def test_companions_of_macos_are_no_slices(tmp_path: Path) -> None:
    write_slices(tmp_path, make_phase(1))
    (tmp_path / "._s900.dcm").write_bytes(bytes.fromhex("0005160700020000") + b"Mac OS X" * 8)
    (tmp_path / "copy.dcm").write_bytes(bytes.fromhex("0005160700020000") + b"Mac OS X" * 8)
    assert read_series(tmp_path, Modality.CT).geometry.size[2] == 5


def test_malformed_attributes_that_nothing_depends_on(tmp_path: Path) -> None:
    slices = make_phase(1)
    for item in slices:
        item.add_new("SpacingBetweenSlices", "DS", ["2.5", "2.5"])
        item.add_new("SliceThickness", "LO", "n/a")
    write_slices(tmp_path, slices)
    assert read_series(tmp_path, Modality.CT).geometry.spacing_mm[2] == 2.5


def test_positions_rounded_to_one_decimal(tmp_path: Path) -> None:
    heights = [round(1.25 * number + 1e-9, 1) for number in range(12)]
    write_slices(tmp_path, make_phase(1, heights))
    assert read_series(tmp_path, Modality.CT).geometry.size[2] == 12


def test_two_tube_voltages_are_two_volumes(tmp_path: Path) -> None:
    low, high = make_phase(1, KVP="80"), make_phase(1, KVP="140")
    for item in high:
        item.SOPInstanceUID = uid("high", item.InstanceNumber)
    files = write_slices(tmp_path, [*low, *high])
    stacks = survey(files).stacks
    assert [(stack.slice_count, stack.split_by) for stack in stacks] == [(5, "tube voltage")] * 2


def test_a_picture_of_the_screen_within_a_series(tmp_path: Path) -> None:
    picture = make_slice(99, 0, ImageType=["DERIVED", "SECONDARY"])
    del picture.ImagePositionPatient
    slices = make_phase(1, ImageType=["ORIGINAL", "PRIMARY", "AXIAL"])
    write_slices(tmp_path, [*slices, picture])
    assert read_series(tmp_path, Modality.CT).geometry.size[2] == 5


def test_a_slice_that_lost_its_position_is_no_picture_of_the_screen(tmp_path: Path) -> None:
    """It has the ImageType of the others, so the volume may lack it at its end."""
    slices = make_phase(1, ImageType=["DERIVED", "SECONDARY", "AXIAL"])
    del slices[-1].ImagePositionPatient
    write_slices(tmp_path, slices)
    with pytest.raises(ImageError, match=r"ImagePositionPatient in every slice, got none in s896"):
        read_series(tmp_path, Modality.CT)


def test_a_pet_needs_its_slope(tmp_path: Path) -> None:
    write_slices(tmp_path, make_phase(1, Modality="PT", Units="GML"))
    message = r"RescaleSlope in every slice, got none in s900\.dcm \(5 of 5 slices\)"
    with pytest.raises(ImageError, match=message):
        read_series(tmp_path, Modality.PT)


def test_an_instance_number_with_decimals_counts_as_absent(tmp_path: Path) -> None:
    slices = make_phase(1)
    for item in slices:
        item.add_new("InstanceNumber", "DS", "1.5")
    write_slices(tmp_path, slices)
    (stack,) = survey(tmp_path.iterdir()).stacks
    assert {item.instance_number for item in stack.slices} == {None}
    assert read_series(tmp_path, Modality.CT).voxels[:, 0, 0].tolist() == [1, 2, 3, 4, 5]
