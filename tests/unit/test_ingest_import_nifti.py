"""NIfTI files of an import: voxels, grid and bytes."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.ingest.nifti_writer import write_region, write_scan
from pipeline.ingest.read_error import ReadError

OBLIQUE = Geometry(
    size=(4, 3, 2),
    spacing_mm=(0.703125, 0.8, 2.5),
    origin_mm=(-180.123456, 77.7, -1203.456789),
    direction=(0.8, 0.6, 0.0, -0.6, 0.8, 0.0, 0.0, 0.0, 1.0),
)


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.int32, np.float32])
def test_voxels_type_and_grid_survive(tmp_path: Path, dtype: type[np.generic]) -> None:
    voxels = np.arange(24).reshape(2, 3, 4).astype(dtype)
    write_scan(Scan(voxels, OBLIQUE, Modality.CT), tmp_path / "new" / "a.nii.gz")
    image = sitk.ReadImage(str(tmp_path / "new" / "a.nii.gz"))
    read = sitk.GetArrayFromImage(image)
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, voxels)
    corner = image.TransformIndexToPhysicalPoint((3, 2, 1))
    # Origin plus the columns of the direction times the steps of 3, 2 and 1 voxels.
    expected = np.array(OBLIQUE.origin_mm) + (
        3 * 0.703125 * np.array([0.8, -0.6, 0.0])
        + 2 * 0.8 * np.array([0.6, 0.8, 0.0])
        + 2.5 * np.array([0.0, 0.0, 1.0])
    )
    np.testing.assert_allclose(corner, expected, atol=1e-3)


def test_image_and_mask_come_out_on_one_grid(tmp_path: Path) -> None:
    inside = np.zeros((2, 3, 4), dtype=bool)
    inside[1, 2, 3] = True
    write_scan(Scan(inside.astype(np.int16), OBLIQUE, Modality.CT), tmp_path / "a.nii.gz")
    write_region(Region(inside, OBLIQUE, "tumour"), tmp_path / "m.nii.gz")
    image, mask = (sitk.ReadImage(str(tmp_path / name)) for name in ("a.nii.gz", "m.nii.gz"))
    assert image.GetOrigin() == mask.GetOrigin()
    assert image.GetDirection() == mask.GetDirection()
    assert mask.GetPixelIDValue() == sitk.sitkUInt8
    assert sitk.GetArrayFromImage(mask).sum() == 1


def test_bytes_are_stable_and_nothing_else_is_left(tmp_path: Path) -> None:
    scan = Scan(np.ones((2, 3, 4), dtype=np.int16), OBLIQUE, Modality.CT)
    write_scan(scan, tmp_path / "a.nii.gz")
    write_scan(scan, tmp_path / "b.nii.gz")
    first = (tmp_path / "a.nii.gz").read_bytes()
    assert first == (tmp_path / "b.nii.gz").read_bytes()
    assert first[4:8] == bytes(4)  # RFC 1952: the time of the gzip header
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.nii.gz", "b.nii.gz"]


def test_a_left_handed_grid_is_kept(tmp_path: Path) -> None:
    mirrored = Geometry((4, 3, 2), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, -1))
    write_scan(Scan(np.ones((2, 3, 4), np.int16), mirrored, Modality.CT), tmp_path / "a.nii.gz")
    direction = sitk.ReadImage(str(tmp_path / "a.nii.gz")).GetDirection()
    np.testing.assert_allclose(direction, mirrored.direction, atol=1e-6)


def test_itk_does_not_print_its_build_paths(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A direction as headers of few digits give it: ITK warns that it coerces it."""
    rounded = (1.0, 0.0003, 0.0, -0.0002, 1.0, 0.0, 0.0, 0.0, 1.0)
    grid = Geometry((4, 3, 2), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), rounded)
    write_scan(Scan(np.ones((2, 3, 4), np.int16), grid, Modality.CT), tmp_path / "a.nii.gz")
    assert capfd.readouterr().err == ""


def test_a_position_beyond_32_bits_is_refused(tmp_path: Path) -> None:
    far = Geometry((4, 3, 2), (1.0, 1.0, 1.0), (123456789.3, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    with pytest.raises(ReadError, match="does not fit into a NIfTI header"):
        write_scan(Scan(np.ones((2, 3, 4), np.int16), far, Modality.CT), tmp_path / "a.nii.gz")
    assert list(tmp_path.iterdir()) == []
