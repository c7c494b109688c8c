"""A mask of any kind is found where its path says, and read on the grid that it has."""

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk
from mask_files import (
    axial_grid,
    mask_headers,
    rectangle,
    scan_on,
    write_seg,
    write_structure_set,
)
from pydicom.dataset import Dataset

from pipeline.domain.geometry import Geometry
from pipeline.domain.reading import Reading
from pipeline.ingest.dicom.mask_facts import is_dicom_mask, read_mask_facts
from pipeline.ingest.mask import read_region
from pipeline.ingest.read_error import ReadError

GRID = axial_grid()
RESAMPLE = Reading(resample_masks=True)


def blob(grid: Geometry = GRID) -> npt.NDArray[np.uint8]:
    mask = np.zeros(grid.shape_zyx, np.uint8)
    mask[1:4, 2:5, 3:7] = 1
    return mask


def write_image(
    path: Path,
    values: npt.NDArray[np.generic],
    grid: Geometry = GRID,
    metadata: Mapping[str, str] | None = None,
) -> Path:
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(grid.spacing_mm)
    image.SetOrigin(grid.origin_mm)
    image.SetDirection(grid.direction)
    for key, value in (metadata or {}).items():
        image.SetMetaData(key, value)
    sitk.WriteImage(image, str(path))
    return path


def write_mask_series(folder: Path, values: npt.NDArray[np.uint8], **changes: object) -> Path:
    """Write a mask as 3D-IRCADb does: CT slices without patient, frame or file suffix."""
    folder.mkdir()
    for number, item in enumerate(mask_headers(GRID)):
        del item.FrameOfReferenceUID
        item.PatientID, item.PatientName, item.StudyInstanceUID = "", "", "1.9.9"
        item.SamplesPerPixel, item.PhotometricInterpretation = 1, "MONOCHROME2"
        item.BitsAllocated, item.BitsStored, item.HighBit, item.PixelRepresentation = 8, 8, 7, 0
        item.RescaleSlope, item.RescaleIntercept = 1, 0
        item.PixelData = values[number].tobytes() + b"\0" * (values[number].size % 2)
        item["PixelData"].VR = "OB"
        for keyword, value in changes.items():
            setattr(item, keyword, value)
        item.save_as(folder / f"image_{len(values) - number}", enforce_file_format=True)
    return folder


def test_a_series_of_0_and_255(tmp_path: Path) -> None:
    folder = write_mask_series(tmp_path / "liver", 255 * blob())
    for path in (folder, folder / "image_2"):
        region = read_region(path, None, "liver", scan_on(GRID))
        np.testing.assert_array_equal(region.inside, blob() == 1)
        assert GRID.difference(region.geometry) == ""


@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_a_series_of_labels(tmp_path: Path, modality: str) -> None:
    labels = blob()
    labels[2] *= 5
    folder = write_mask_series(tmp_path / "labels", labels, Modality=modality)
    np.testing.assert_array_equal(read_region(folder, "5", "t", scan_on(GRID)).inside, labels == 5)
    with pytest.raises(ReadError, match=r"no voxel of label 3.*got labels 1, 5") as caught:
        read_region(folder, 3, "t", scan_on(GRID))
    assert caught.value.code == "label-absent"
    with pytest.raises(ReadError, match=r"mask_label is a name.*got 'liver'"):
        read_region(folder, "liver", "t", scan_on(GRID))


def test_a_series_that_is_an_image(tmp_path: Path) -> None:
    folder = write_mask_series(tmp_path / "ct", blob(), RescaleIntercept=-1024)
    with pytest.raises(ReadError, match=r"not a mask.*2 values from -1024 to -1023") as caught:
        read_region(folder, None, "t", scan_on(GRID))
    assert caught.value.code == "mask-kind"


def test_a_series_in_another_frame(tmp_path: Path) -> None:
    folder = write_mask_series(tmp_path / "m", blob(), FrameOfReferenceUID="1.2.3")
    with pytest.raises(ReadError, match="another frame of reference"):
        read_region(folder, None, "t", scan_on(GRID), RESAMPLE)


def test_a_folder_with_one_dicom_mask(tmp_path: Path) -> None:
    series = tmp_path / "series"
    series.mkdir()
    write_seg(series / "IM0001", blob(), GRID)
    (series / "notes.txt").write_text("not DICOM")
    for folder in (series, tmp_path):
        region = read_region(folder, None, "t", scan_on(GRID))
        np.testing.assert_array_equal(region.inside, blob() == 1)
    write_seg(series / "IM0002", blob(), GRID)
    with pytest.raises(ReadError, match=r"several DICOM masks.*2: IM0001, IM0002") as caught:
        read_region(series, None, "t", scan_on(GRID))
    assert caught.value.code == "dicom-series"


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="no DICOM file in this folder"):
        read_region(tmp_path, None, "t", scan_on(GRID))


def test_dicom_masks_need_their_image(tmp_path: Path) -> None:
    path = write_seg(tmp_path / "seg.dcm", blob(), GRID)
    with pytest.raises(ReadError, match="only be read together with its image") as caught:
        read_region(path, None, "t")
    assert caught.value.code == "mask-kind"


def test_an_image_file_on_another_grid_keeps_it(tmp_path: Path) -> None:
    other = axial_grid(origin_mm=(-100.0, 30.0, -197.5))
    path = write_image(tmp_path / "mask.nrrd", blob(), other)
    region = read_region(path, 1, "t", scan_on(GRID))
    assert "origin_mm" in GRID.difference(region.geometry)
    np.testing.assert_array_equal(region.inside, blob() == 1)


def test_an_image_file_on_another_grid_is_resampled_if_asked(tmp_path: Path) -> None:
    other = axial_grid(origin_mm=(-100.0, 30.0, -202.5))
    path = write_image(tmp_path / "mask.nrrd", blob(), other)
    region = read_region(path, 1, "t", scan_on(GRID), RESAMPLE)
    assert region.geometry == GRID
    np.testing.assert_array_equal(region.inside, np.roll(blob(), -1, axis=0) == 1)


def test_a_mirrored_image_file_is_resampled_to_where_it_lies(tmp_path: Path) -> None:
    last_y = 30.0 + 6 * 0.5
    other = Geometry(GRID.size, GRID.spacing_mm, (-100, last_y, -200), (1, 0, 0, 0, -1, 0, 0, 0, 1))
    path = write_image(tmp_path / "mask.nii.gz", blob()[:, ::-1], other)
    region = read_region(path, 1, "t", scan_on(GRID), RESAMPLE)
    np.testing.assert_array_equal(region.inside, blob() == 1)


def test_resampling_keeps_the_volume_of_a_ball(tmp_path: Path) -> None:
    fine = Geometry((80, 80, 80), (0.5, 0.5, 0.5), (0, 0, 0), GRID.direction)
    z, y, x = np.indices(fine.shape_zyx) * 0.5
    ball = (np.hypot(np.hypot(x - 20, y - 20), z - 20) < 15).astype(np.uint8)
    coarse = Geometry((44, 44, 20), (0.9, 0.9, 2.0), (0.3, 0.2, 0.1), GRID.direction)
    path = write_image(tmp_path / "ball.nrrd", ball, fine)
    region = read_region(path, 1, "t", scan_on(coarse), RESAMPLE)
    assert region.volume_mm3 == pytest.approx(4 / 3 * np.pi * 15**3, rel=0.01)


def test_resampling_cuts_nothing_off(tmp_path: Path) -> None:
    other = axial_grid(origin_mm=(-100.0 + 4 * 0.75, 30.0, -200.0))
    path = write_image(tmp_path / "mask.nrrd", blob(), other)
    with pytest.raises(ReadError, match=r"partly outside its image.*up to 1\.125 mm") as caught:
        read_region(path, 1, "t", scan_on(GRID), RESAMPLE)
    assert caught.value.code == "mask-off-grid"


SLICER = {
    "Segment0_Name": "liver",
    "Segment0_LabelValue": "1",
    "Segment1_Name": "2",
    "Segment1_LabelValue": "7",
    "Segment2_Name": "twin",
    "Segment2_LabelValue": "8",
    "Segment3_Name": "twin",
    "Segment3_LabelValue": "9",
}


def test_segments_of_3d_slicer_by_name_and_value(tmp_path: Path) -> None:
    labels = blob()
    labels[3] *= 7
    path = write_image(tmp_path / "mask.seg.nrrd", labels, metadata=SLICER)
    for label, value in (("liver", 1), ("2", 7), (7, 7), ("1", 1)):
        np.testing.assert_array_equal(read_region(path, label, "t").inside, labels == value)
    with pytest.raises(ReadError, match=r"no segment .*'mass'.*1 \(liver\), 7 \(2\)") as caught:
        read_region(path, "mass", "t")
    assert caught.value.code == "label-absent"
    with pytest.raises(ReadError, match="several segments or contours 'twin'") as caught:
        read_region(path, "twin", "t")
    assert caught.value.code == "label-ambiguous"


def test_a_name_for_an_image_without_names(tmp_path: Path) -> None:
    path = write_image(tmp_path / "mask.nrrd", blob())
    with pytest.raises(ReadError, match="mask_label is a name") as caught:
        read_region(path, "liver", "t")
    assert caught.value.code == "label-not-an-integer"


def test_facts_of_a_segmentation(tmp_path: Path) -> None:
    both = np.stack([blob(), blob()], axis=-1)
    path = write_seg(tmp_path / "s.dcm", both, GRID, names=("Liver", "Mass"))
    facts = read_mask_facts(path)
    assert (facts.kind, facts.names) == ("SEG", ("Liver", "Mass"))
    assert (facts.patient_id, facts.study_uid) == ("P", "1.2.3.5")
    assert facts.referenced_series_uid == "1.2.3.6"
    assert (facts.series_number, facts.algorithm) == (300, "MANUAL")
    assert "1.2.3" not in repr(facts)


def test_facts_of_a_structure_set(tmp_path: Path) -> None:
    contours = [rectangle((0, 0), (1, 1), 0)]
    path = write_structure_set(tmp_path / "rs", [(3, "GTV", contours), (1, "Liver", contours)])
    facts = read_mask_facts(path)
    assert (facts.kind, facts.names) == ("RTSTRUCT", ("GTV", "Liver"))
    assert (facts.patient_id, facts.study_uid, facts.algorithm) == ("", "", "")
    assert facts.series_number is None


def test_what_is_a_dicom_mask(tmp_path: Path) -> None:
    folder = write_mask_series(tmp_path / "m", blob())
    (tmp_path / "text").write_text("text")
    assert is_dicom_mask(write_seg(tmp_path / "seg", blob(), GRID))
    assert not is_dicom_mask(folder / "image_1")
    assert not is_dicom_mask(tmp_path / "text")
    assert not is_dicom_mask(tmp_path / "nothing")
    with pytest.raises(ReadError, match="not a DICOM mask"):
        read_mask_facts(folder / "image_1")


@pytest.mark.filterwarnings("error")
def test_no_warning_and_no_name_reach_the_user(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def spoil(item: Dataset) -> None:
        item.PatientName = "Secret^Name" * 10
        item.StudyID = "an identifier that is longer than sixteen characters"

    path = tmp_path / "rs.dcm"
    write_structure_set(path, [(1, "GTV", [rectangle((-98, 31), (-96, 32), -195)])], spoil)
    with caplog.at_level(logging.WARNING, logger="root"):
        assert read_region(path, None, "t", scan_on(GRID)).voxel_count > 0
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ReadError, match="cannot be read as a DICOM mask") as caught:
        read_region(path, None, "t", scan_on(GRID))
    assert "Secret" not in str(caught.value)
