"""Real DICOM equals its NIfTI, its multi-frame twin, and what SimpleITK reads."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from pipeline.domain.errors import ImageError
from pipeline.domain.scan import Modality
from pipeline.ingest.dicom.series import read_series
from pipeline.ingest.dicom.stacks import survey
from pipeline.ingest.volume import read_geometry, read_scan

pytestmark = pytest.mark.real_data


def test_ibsi_ct_phantom_equals_its_nifti(real_data: Path) -> None:
    phantom = real_data / "ibsi" / "ibsi1_ct_phantom"
    (nifti,) = (phantom / "nifti" / "image").glob("*.nii*")
    series, image = (read_scan(path, Modality.CT) for path in (phantom / "dicom" / "image", nifti))
    np.testing.assert_array_equal(series.voxels, image.voxels)
    assert series.geometry.difference(image.geometry) == ""
    assert series.voxels.dtype == np.int16


def test_ibsi_digital_phantom_in_coronal_frames_equals_its_nifti(real_data: Path) -> None:
    """The frames are coronal and the NIfTI axial; both put the same values at the same places."""
    phantom = real_data / "ibsi" / "ibsi1_digital_phantom"
    scan = read_scan(phantom / "dicom_deprecated" / "image", Modality.MR)
    (nifti,) = (phantom / "nifti" / "image").glob("*.nii*")
    expected = sitk.GetArrayFromImage(sitk.ReadImage(str(nifti)))
    assert sorted(scan.voxels.ravel().tolist()) == sorted(expected.ravel().tolist())
    assert scan.geometry.direction == pytest.approx((1, 0, 0, 0, 0, 1, 0, -1, 0))


@pytest.mark.parametrize("size", ["23x38x3", "24x38x3"])
def test_multi_frame_equals_single_frames(real_data: Path, size: str) -> None:
    folder = real_data / "liver" / "dcmqi_seg" / size
    single = read_series(folder / "image", Modality.CT)
    for path in (folder / "multiframe", folder / "multiframe" / "mf.dcm"):
        multi = read_series(path, Modality.CT)
        np.testing.assert_array_equal(multi.voxels, single.voxels)
        assert multi.geometry == single.geometry == read_geometry(path)


def test_images_among_segmentations(real_data: Path) -> None:
    folder = real_data / "liver" / "dcmqi_seg"
    found = survey(path for path in folder.iterdir() if path.is_file())
    assert (found.stacks, len(found.masks)) == ((), 4)
    assert len(survey(folder.rglob("*")).stacks) == 5


@pytest.mark.parametrize("patient", ["STS_002", "STS_032"])
def test_pet_equals_the_published_suv(real_data: Path, patient: str) -> None:
    series = read_series(real_data / "sts" / "dicom" / patient / "PET" / "image", Modality.PT)
    nifti = real_data / "sts" / "nifti" / patient / "PET_image.nii.gz"
    cropped = read_scan(nifti, Modality.PT)
    start = np.subtract(cropped.geometry.origin_mm, series.geometry.origin_mm)
    x, y, z = np.rint(start / series.geometry.spacing_mm).astype(int)
    depth, height, width = cropped.voxels.shape
    part = series.voxels[z : z + depth, y : y + height, x : x + width]
    np.testing.assert_allclose(part, cropped.voxels, rtol=1e-6)


def test_jpeg_2000_equals_simpleitk(real_data: Path) -> None:
    folder = real_data / "liver" / "totalsegmentator" / "ct_dicom_jpeg2000"
    scan = read_series(folder, Modality.CT)
    files = sorted(
        folder.iterdir(),
        key=lambda file: pydicom.dcmread(file, stop_before_pixels=True).ImagePositionPatient[2],
    )
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([str(file) for file in files])
    image = reader.Execute()
    np.testing.assert_array_equal(scan.voxels, sitk.GetArrayFromImage(image))
    assert scan.geometry.origin_mm == pytest.approx(image.GetOrigin())
    assert scan.geometry.spacing_mm == pytest.approx(image.GetSpacing())
    mask = read_geometry(folder.parent / "example_seg_dicom.nii.gz")  # its y axis runs backwards
    ours, theirs = (sorted(item.corner_positions_mm().tolist()) for item in (scan.geometry, mask))
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_single_slices_of_many_patients_are_listed(real_data: Path) -> None:
    folder = real_data / "liver" / "hcc_tace_seg" / "dicom_slices"
    assert [stack.slice_count for stack in survey(folder.iterdir()).stacks] == [1] * 14
    with pytest.raises(ImageError, match=r"holds several DICOM series.*and 2 more"):
        read_series(folder, Modality.CT)
