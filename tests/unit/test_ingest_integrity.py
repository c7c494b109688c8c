"""Damage that ITK would not report is found."""

import gzip
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from pipeline.domain.errors import ImageError
from pipeline.domain.scan import Modality
from pipeline.ingest.volume import read_scan

# Noise does not compress, so that half of the file is half of the voxels.
NOISE = np.random.default_rng(0).integers(-1000, 1000, (20, 30, 40)).astype(np.int16)


def write_noise(path: Path, *, compressed: bool = False) -> Path:
    sitk.WriteImage(sitk.GetImageFromArray(NOISE), str(path), useCompression=compressed)
    return path


def damage(path: Path, at: float) -> None:
    content = bytearray(path.read_bytes())
    content[int(len(content) * at)] ^= 0xFF
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd", "a.mha"])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("share", [0.5, 0.99])
def test_truncated_file(tmp_path: Path, name: str, compressed: bool, share: float) -> None:
    path = write_noise(tmp_path / name, compressed=compressed)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ImageError, match=rf"{name}: (is damaged or incomplete|cannot be read)"):
        read_scan(path, Modality.CT)


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nrrd", "a.mha"])
def test_flipped_byte_in_a_compressed_file(tmp_path: Path, name: str) -> None:
    path = write_noise(tmp_path / name, compressed=True)
    damage(path, 0.7)
    with pytest.raises(ImageError, match=rf"{name}: (is damaged or incomplete|cannot be read)"):
        read_scan(path, Modality.CT)


def test_wrong_checksum(tmp_path: Path) -> None:
    path = write_noise(tmp_path / "a.nii.gz")
    content = bytearray(path.read_bytes())
    content[-6] ^= 0xFF  # gzip ends with four bytes of CRC-32 and four of length
    path.write_bytes(content)
    with pytest.raises(ImageError, match=r"a\.nii\.gz"):
        read_scan(path, Modality.CT)


def test_several_gzip_members_are_one_file(tmp_path: Path) -> None:
    plain = write_noise(tmp_path / "a.nii").read_bytes()
    path = tmp_path / "b.nii.gz"
    path.write_bytes(gzip.compress(plain[:20000]) + gzip.compress(plain[20000:]))
    np.testing.assert_array_equal(read_scan(path, Modality.CT).voxels, NOISE)


def test_metaimage_without_its_data_file(tmp_path: Path) -> None:
    path = write_noise(tmp_path / "a.mhd")
    (tmp_path / "a.raw").unlink()
    with pytest.raises(ImageError, match=r"its data file a\.raw beside it, got no such file"):
        read_scan(path, Modality.CT)


def test_compressed_metaimage_beside_its_header(tmp_path: Path) -> None:
    path = write_noise(tmp_path / "a.mhd", compressed=True)
    np.testing.assert_array_equal(read_scan(path, Modality.CT).voxels, NOISE)
    damage(tmp_path / "a.zraw", 0.7)
    with pytest.raises(ImageError, match="compressed voxels that decompress"):
        read_scan(path, Modality.CT)


def test_big_endian_floats_are_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.nii"
    values = np.linspace(-5, 5, 8, dtype=np.float32).reshape(2, 2, 2)
    sitk.WriteImage(sitk.GetImageFromArray(values), str(path))
    little = path.read_bytes()
    path.write_bytes(_swapped_nifti(little))
    np.testing.assert_array_equal(read_scan(path, Modality.MR).voxels, values)


def _swapped_nifti(content: bytes) -> bytes:
    """Swap the bytes of the NIfTI-1 header fields that matter and of the 32-bit voxels."""
    swapped = bytearray(content)
    shorts = [*range(40, 56, 2), 68, 70, 72, 74, 252, 254]
    words = [0, 32, *range(76, 120, 4), *range(124, 148, 4), *range(256, 328, 4)]
    words += list(range(352, len(content), 4))
    for start, width in [(at, 2) for at in shorts] + [(at, 4) for at in words]:
        swapped[start : start + width] = content[start : start + width][::-1]
    return bytes(swapped)
