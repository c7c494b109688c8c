"""DICOM folders: one complete, regular series, ordered by position."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRLittleEndian,
    generate_uid,
)

from pipeline.domain.errors import ImageError
from pipeline.domain.scan import Modality
from pipeline.ingest.volume import read_geometry, read_scan

SERIES = generate_uid(entropy_srcs=["series"])
SLICES = 5
SPACING_Z_MM = 2.5
Edit = Callable[[list[Dataset]], None]


def make_slices(edit: Edit = lambda _: None) -> list[Dataset]:
    """Return a CT of 5 slices, 3 rows, 4 columns; slice k holds 100 k + (0 ... 11) - 1024."""
    slices = [_make_slice(number) for number in range(SLICES)]
    edit(slices)
    return slices


def _make_slice(number: int) -> Dataset:
    item = Dataset()
    item.SOPClassUID = CTImageStorage
    item.SOPInstanceUID = generate_uid(entropy_srcs=[str(number)])
    item.SeriesInstanceUID = SERIES
    item.SeriesDescription = "portal"
    item.Modality = "CT"
    item.Rows, item.Columns = 3, 4
    item.PixelSpacing = ["0.8", "0.6"]
    item.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    item.ImagePositionPatient = ["-10", "-20", str(SPACING_Z_MM * number - 40)]
    item.SamplesPerPixel = 1
    item.PhotometricInterpretation = "MONOCHROME2"
    item.BitsAllocated, item.BitsStored, item.HighBit = 16, 12, 11
    item.PixelRepresentation = 0
    item.RescaleSlope, item.RescaleIntercept = "1", "-1024"
    item.PixelData = (np.arange(12, dtype=np.uint16) + 100 * number).tobytes()
    return item


def write_series(folder: Path, slices: list[Dataset]) -> Path:
    """Write the slices under names in the reverse of their order in space."""
    folder.mkdir()
    for number, item in enumerate(slices):
        item.file_meta = FileMetaDataset()
        item.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        item.file_meta.MediaStorageSOPClassUID = item.SOPClassUID
        item.file_meta.MediaStorageSOPInstanceUID = item.SOPInstanceUID
        item.save_as(folder / f"{90 - number}.dcm", enforce_file_format=True)
    return folder


def test_slices_are_ordered_by_position_and_rescaled(tmp_path: Path) -> None:
    scan = read_scan(write_series(tmp_path / "ct", make_slices()), Modality.CT)
    expected = np.arange(12).reshape(3, 4) + 100 * np.arange(SLICES)[:, None, None] - 1024
    np.testing.assert_array_equal(scan.voxels, expected)
    assert scan.voxels.dtype == np.int16
    assert scan.geometry.size == (4, 3, SLICES)
    assert scan.geometry.spacing_mm == pytest.approx((0.6, 0.8, SPACING_Z_MM))
    assert scan.geometry.origin_mm == pytest.approx((-10, -20, -40))
    assert scan.geometry.direction == pytest.approx((1, 0, 0, 0, 1, 0, 0, 0, 1))


def test_geometry_alone_is_the_same(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "ct", make_slices())
    assert read_geometry(folder) == read_scan(folder, Modality.CT).geometry


def test_coronal_slices_get_a_right_handed_grid(tmp_path: Path) -> None:
    def turn(slices: list[Dataset]) -> None:
        for number, item in enumerate(slices):
            item.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
            item.ImagePositionPatient = [0, 2.5 * number, 0]

    geometry = read_geometry(write_series(tmp_path / "ct", make_slices(turn)))
    assert geometry.direction == pytest.approx((1, 0, 0, 0, 0, 1, 0, -1, 0))
    assert geometry.origin_mm == pytest.approx((0, 0, 0))


def test_fractional_slopes_that_differ_are_kept(tmp_path: Path) -> None:
    def scale(slices: list[Dataset]) -> None:
        for number, item in enumerate(slices):
            item.RescaleSlope, item.RescaleIntercept = str(1 + number / 2), "0"

    scan = read_scan(write_series(tmp_path / "mr", make_slices(scale)), Modality.CT)
    assert scan.voxels[1, 0].tolist() == [150.0, 151.5, 153.0, 154.5]


def test_other_files_are_ignored(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "ct", make_slices())
    (folder / "readme.txt").write_text("not DICOM")
    assert read_scan(folder, Modality.CT).geometry.size[2] == SLICES


def _drop_the_third(slices: list[Dataset]) -> None:
    del slices[2]


def _shift_the_third(slices: list[Dataset]) -> None:
    slices[2].ImagePositionPatient = [-10, -20, -40 + 2 * SPACING_Z_MM + 0.4]


def _repeat_the_third(slices: list[Dataset]) -> None:
    slices[3].ImagePositionPatient = slices[2].ImagePositionPatient


def _tilt(slices: list[Dataset]) -> None:
    for number, item in enumerate(slices):
        item.ImagePositionPatient = [-10, -20 + 0.5 * number, -40 + SPACING_Z_MM * number]


def _turn_the_last(slices: list[Dataset]) -> None:
    slices[-1].ImageOrientationPatient = [0, 1, 0, 1, 0, 0]


def _widen_the_last(slices: list[Dataset]) -> None:
    slices[-1].PixelSpacing = [0.9, 0.6]


def _enlarge_the_last(slices: list[Dataset]) -> None:
    slices[-1].Rows, slices[-1].Columns = 4, 3


def _keep_one(slices: list[Dataset]) -> None:
    del slices[1:]


def _two_series(slices: list[Dataset]) -> None:
    slices[-1].SeriesInstanceUID = generate_uid(entropy_srcs=["other"])
    slices[-1].SeriesDescription = "scout"


def _as_pet(slices: list[Dataset]) -> None:
    for item in slices:
        item.Modality = "PT"


def _as_multi_frame(slices: list[Dataset]) -> None:
    slices[0].NumberOfFrames = 2


def _without_position(slices: list[Dataset]) -> None:
    del slices[1].ImagePositionPatient


def _in_colour(slices: list[Dataset]) -> None:
    slices[0].SamplesPerPixel = 3


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (_drop_the_third, r"slices are missing: expected slices 2\.5 mm apart.*got 5 mm between"),
        (_shift_the_third, "unevenly spaced"),
        (_repeat_the_third, r"two slices at one place.*87\.dcm and 88\.dcm"),
        (_tilt, r"tilted gantry.*sideways drift of 2 mm"),
        (_turn_the_last, "differ in orientation"),
        (_widen_the_last, r"differ in size or pixel spacing.*0\.9"),
        (_enlarge_the_last, "differ in size or pixel spacing"),
        (_keep_one, "at least two slices"),
        (_two_series, r"several DICOM series.*portal \(4 slices, .*scout \(1 slice, "),
        (_as_pet, "expected CT, got PT"),
        (_as_multi_frame, "multi-frame DICOM of a kind that is not read.*2 frames without them"),
        (_without_position, r"ImagePositionPatient in every slice, got none in 89\.dcm"),
        (_in_colour, "colour DICOM"),
    ],
)
def test_irregular_or_unknown_series(tmp_path: Path, edit: Edit, message: str) -> None:
    folder = write_series(tmp_path / "ct", make_slices(edit))
    with pytest.raises(ImageError, match=message):
        read_scan(folder, Modality.CT)


def test_another_modality_than_stated(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "ct", make_slices())
    with pytest.raises(ImageError, match="expected MR, got CT"):
        read_scan(folder, Modality.MR)


def test_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no DICOM file in this folder"):
        read_scan(tmp_path, Modality.CT)


def test_damaged_slice(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "ct", make_slices())
    (folder / "90.dcm").write_bytes(b"")
    with pytest.raises(ImageError, match=r"a damaged file 90\.dcm"):
        read_scan(folder, Modality.CT)


def test_slice_without_its_last_voxels(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "ct", make_slices())
    content = (folder / "88.dcm").read_bytes()
    (folder / "88.dcm").write_bytes(content[:-10])
    with pytest.raises(ImageError, match="voxels can be decoded"):
        read_scan(folder, Modality.CT)
