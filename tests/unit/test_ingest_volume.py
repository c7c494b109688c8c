"""Images and masks come back as they were stored, or not at all."""

import pickle
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk

from pipeline.domain.errors import ImageError
from pipeline.domain.scan import Modality
from pipeline.ingest.image_file import IMAGE_SUFFIXES
from pipeline.ingest.mask import read_region
from pipeline.ingest.read_error import ReadError
from pipeline.ingest.volume import read_geometry, read_scan


def write_image(path: Path, voxels: npt.NDArray[np.generic]) -> Path:
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing((0.5, 0.75, 2.5))
    image.SetOrigin((-10.0, 20.0, -41.5))
    image.SetDirection((0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0))
    sitk.WriteImage(image, str(path))
    return path


VOXELS = np.arange(-60, 60, dtype=np.int16).reshape(4, 5, 6)


@pytest.mark.parametrize("suffix", IMAGE_SUFFIXES)
def test_voxels_type_and_grid_survive(tmp_path: Path, suffix: str) -> None:
    path = write_image(tmp_path / f"image{suffix}", VOXELS)
    scan = read_scan(path, Modality.CT)
    assert scan.voxels.dtype == np.int16
    np.testing.assert_array_equal(scan.voxels, VOXELS)
    assert scan.geometry.size == (6, 5, 4)
    assert scan.geometry.spacing_mm == pytest.approx((0.5, 0.75, 2.5))
    assert scan.geometry.origin_mm == pytest.approx((-10.0, 20.0, -41.5))
    assert scan.geometry.direction == pytest.approx((0, -1, 0, 1, 0, 0, 0, 0, 1))
    assert read_geometry(path) == scan.geometry


@pytest.mark.parametrize("kind", ["uint8", "int32", "float32", "float64"])
def test_other_stored_types_survive(tmp_path: Path, kind: str) -> None:
    path = write_image(tmp_path / "image.nii.gz", np.abs(VOXELS).astype(kind))
    assert read_scan(path, Modality.MR).voxels.dtype == kind


def test_region_of_a_label(tmp_path: Path) -> None:
    labels = np.zeros((4, 5, 6), np.uint8)
    labels[1, 2, 3] = 1
    labels[2, 2, 2:5] = 7
    path = write_image(tmp_path / "mask.nrrd", labels)
    assert read_region(path, 7, "tumour").voxel_count == 3
    assert read_region(path, 7, "tumour").inside[2, 2, 4]
    assert read_region(path, 7, "tumour").volume_mm3 == pytest.approx(3 * 0.5 * 0.75 * 2.5)


def test_absent_label_lists_ten_that_are_present(tmp_path: Path) -> None:
    labels = np.zeros((4, 5, 6), np.uint8)
    labels.flat[:12] = np.arange(1, 13)
    path = write_image(tmp_path / "mask.nii.gz", labels)
    with pytest.raises(ImageError, match=r"labels 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more"):
        read_region(path, 40, "tumour")


def test_label_of_an_empty_mask_is_absent(tmp_path: Path) -> None:
    path = write_image(tmp_path / "mask.nii.gz", np.zeros((4, 5, 6), np.uint8))
    with pytest.raises(ReadError, match="an empty mask") as caught:
        read_region(path, 1, "tumour")
    assert caught.value.code == "mask-empty"
    assert read_region(path, None, "tumour").voxel_count == 0


def test_mask_stored_as_float_is_a_mask(tmp_path: Path) -> None:
    labels = np.zeros((4, 5, 6), np.float32)
    labels[1, 1, 1:3] = 1.00001
    path = write_image(tmp_path / "mask.nii.gz", labels)
    assert read_region(path, 1, "tumour").voxel_count == 2


def test_probability_map_is_no_mask(tmp_path: Path) -> None:
    path = write_image(tmp_path / "mask.nii.gz", np.full((4, 5, 6), 0.25, np.float32))
    with pytest.raises(ImageError, match=r"values such as 0\.25.*threshold"):
        read_region(path, None, "tumour")


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha"])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_voxels_that_are_not_numbers_are_refused(
    tmp_path: Path, suffix: str, kind: type[np.floating]
) -> None:
    voxels = VOXELS.astype(kind)
    voxels[0, 0, 0], voxels[3, 4, 5] = np.nan, np.inf
    path = write_image(tmp_path / f"image{suffix}", voxels)
    with pytest.raises(ImageError, match="got 2 NaN or infinite voxels"):
        read_scan(path, Modality.PT)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"absent\.nii\.gz: is missing"):
        read_scan(tmp_path / "absent.nii.gz", Modality.CT)


def test_unknown_ending(tmp_path: Path) -> None:
    path = tmp_path / "image.jpg"
    path.write_bytes(b"\xff\xd8")
    with pytest.raises(ImageError, match=r"a file ending in \.nii"):
        read_scan(path, Modality.CT)


def test_four_axes_are_refused(tmp_path: Path) -> None:
    volume = sitk.GetImageFromArray(VOXELS)
    path = tmp_path / "image.nii.gz"
    sitk.WriteImage(sitk.JoinSeries([volume, volume]), str(path))
    with pytest.raises(ImageError, match=r"4 axes \(6 x 5 x 4 x 2 voxels\)"):
        read_scan(path, Modality.MR)


def test_colour_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "image.nrrd"
    colours = np.zeros((4, 5, 6, 3), np.uint8)
    sitk.WriteImage(sitk.GetImageFromArray(colours, isVector=True), str(path))
    with pytest.raises(ImageError, match=r"3 value\(s\)"):
        read_scan(path, Modality.MR)


def test_text_named_as_an_image_is_refused_without_itk_internals(tmp_path: Path) -> None:
    path = tmp_path / "image.nii.gz"
    path.write_text("hello")
    with pytest.raises(ImageError, match=r"image\.nii\.gz: cannot be read") as caught:
        read_scan(path, Modality.CT)
    assert "itk" not in str(caught.value).lower()
    assert ".cxx" not in str(caught.value)


def test_sheared_grid_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "image.nrrd"
    path.write_bytes(
        b"NRRD0004\ntype: uint8\ndimension: 3\nspace: left-posterior-superior\nsizes: 2 2 2\n"
        b"space directions: (1,0,0) (0.6,0.8,0) (0,0,1)\nkinds: domain domain domain\n"
        b"encoding: raw\nspace origin: (0,0,0)\n\n" + bytes(8)
    )
    with pytest.raises(ImageError, match="perpendicular"):
        read_scan(path, Modality.CT)


def test_reading_error_survives_the_way_between_processes() -> None:
    error = ReadError(Path("a.nii"), "is", expected="one", got="two", next_step="Do.", code="c")
    copy = pickle.loads(pickle.dumps(error))
    assert str(copy) == str(error) == "a.nii: is: expected one, got two. Do."
    assert (copy.code, copy.path) == ("c", Path("a.nii"))
