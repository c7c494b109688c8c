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


@pytest.mark.parametrize("suffix", [".nrrd", ".seg.nrrd"])
def test_an_image_file_on_another_grid_is_refused(tmp_path: Path, suffix: str) -> None:
    other = axial_grid(origin_mm=(-100.0, 30.0, -197.5))
    path = write_image(tmp_path / f"mask{suffix}", blob(), other)
    with pytest.raises(ReadError, match=r"not on the grid.*corners up to 2\.5 mm") as caught:
        read_region(path, 1, "t", scan_on(GRID))
    assert caught.value.code == "mask-off-grid"
    assert read_region(path, 1, "t").geometry.origin_mm == pytest.approx((-100, 30, -197.5))


def test_an_image_file_on_another_grid_is_resampled_if_asked(tmp_path: Path) -> None:
    other = axial_grid(origin_mm=(-100.0, 30.0, -202.5))
    path = write_image(tmp_path / "mask.nrrd", blob(), other)
    region = read_region(path, 1, "t", scan_on(GRID), RESAMPLE)
    assert region.geometry == GRID
    np.testing.assert_array_equal(region.inside, np.roll(blob(), -1, axis=0) == 1)


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


def labels_1_and_2() -> npt.NDArray[np.uint8]:
    """Mark 36 voxels, 24 as 1 and 12 as 2."""
    labels = blob()
    labels[3] *= 2
    return labels


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha", ".seg.nrrd"])
def test_several_values_need_a_label(tmp_path: Path, suffix: str) -> None:
    path = write_image(tmp_path / f"mask{suffix}", labels_1_and_2())
    match = r"which is the tumour: expected mask_label .*got 1 \(24 voxels\), 2 \(12 voxels\)\. "
    with pytest.raises(ReadError, match=match) as caught:
        read_region(path, None, "tumour", scan_on(GRID))
    assert caught.value.code == "label-missing"
    assert read_region(path, 2, "tumour", scan_on(GRID)).voxel_count == 12
    with pytest.raises(ReadError, match="Save the liver with its tumours as a mask of its own"):
        read_region(path, None, "liver", scan_on(GRID))


def test_several_values_of_a_series_need_a_label(tmp_path: Path) -> None:
    folder = write_mask_series(tmp_path / "labels", labels_1_and_2())
    with pytest.raises(ReadError, match=r"got 1 \(24 voxels\), 2 \(12 voxels\)") as caught:
        read_region(folder, None, "tumour", scan_on(GRID))
    assert caught.value.code == "label-missing"


def test_a_mask_below_zero_says_so(tmp_path: Path) -> None:
    path = write_image(tmp_path / "mask.nii.gz", -blob().astype(np.int16))
    for region in ("tumour", "liver"):
        with pytest.raises(ReadError, match="no voxel above 0, but some below") as caught:
            read_region(path, None, region)
        assert caught.value.code == "mask-empty"
        assert caught.value.got == "-1 (36 voxels)"  # 3 x 3 x 4


@pytest.mark.parametrize("value", [1, 7, 255])
def test_one_value_needs_no_label(tmp_path: Path, value: int) -> None:
    path = write_image(tmp_path / "mask.nii.gz", value * blob())
    region = read_region(path, None, "tumour", scan_on(GRID))
    np.testing.assert_array_equal(region.inside, blob() == 1)


@pytest.mark.parametrize("label", [2, "2", "2.0", "2.", " 2.00 "])
def test_whole_numbers_as_spreadsheets_write_them(tmp_path: Path, label: str | int) -> None:
    path = write_image(tmp_path / "mask.nrrd", labels_1_and_2())
    named = {f"Segment{n}_{key}": text for n, key, text in SEGMENTS_1_AND_2}
    slicer = write_image(tmp_path / "mask.seg.nrrd", labels_1_and_2(), metadata=named)
    seg = np.stack([labels_1_and_2() == 1, labels_1_and_2() == 2], -1).astype(np.uint8)
    dicom = write_seg(tmp_path / "mask.dcm", seg, GRID, names=("A", "B"))
    for file in (path, slicer, dicom):
        region = read_region(file, label, "tumour", scan_on(GRID))
        np.testing.assert_array_equal(region.inside, labels_1_and_2() == 2)


SEGMENTS_1_AND_2 = [
    (0, "Name", "A"),
    (0, "LabelValue", "1"),
    (1, "Name", "B"),
    (1, "LabelValue", "2"),
    (2, "Name", "background"),
    (2, "LabelValue", "0"),
]


@pytest.mark.parametrize("label", [0, "0", "0.0"])
def test_the_background_is_no_region(tmp_path: Path, label: str | int) -> None:
    path = write_image(tmp_path / "mask.nrrd", blob())
    with pytest.raises(ReadError, match="mask_label 0, which is the background") as caught:
        read_region(path, label, "tumour", scan_on(GRID))
    assert caught.value.code == "label-background"
    named = {f"Segment{n}_{key}": text for n, key, text in SEGMENTS_1_AND_2}
    slicer = write_image(tmp_path / "mask.seg.nrrd", blob(), metadata=named)
    with pytest.raises(ReadError, match=r"got 1 \(A\), 2 \(B\)\.") as caught:
        read_region(slicer, label, "tumour", scan_on(GRID))
    assert caught.value.code == "label-absent"


def test_the_only_other_value_is_proposed(tmp_path: Path) -> None:
    path = write_image(tmp_path / "mask.nrrd", 255 * blob())
    with pytest.raises(ReadError, match=r"got labels 255\. Write 255 as mask_label") as caught:
        read_region(path, 1, "tumour", scan_on(GRID))
    assert caught.value.code == "label-absent"


def test_layers_of_3d_slicer_are_to_be_exported(tmp_path: Path) -> None:
    path = tmp_path / "mask.seg.nrrd"
    layers = sitk.GetImageFromArray(np.stack([blob(), blob()], -1), isVector=True)
    sitk.WriteImage(layers, str(path))
    with pytest.raises(ReadError, match=r"more than one layer.*a file of its own") as caught:
        read_region(path, "Mass", "tumour", scan_on(GRID))
    assert caught.value.code == "mask-kind"


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
