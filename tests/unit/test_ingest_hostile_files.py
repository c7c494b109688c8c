"""Image files made to harm are refused before they do: bombs, foreign data files, wild headers."""

import gzip
import struct
import time
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from pipeline.domain.reading import Reading
from pipeline.domain.scan import Modality
from pipeline.ingest.read_error import ReadError
from pipeline.ingest.volume import read_geometry, read_scan

VOXELS = np.arange(120, dtype=np.int16).reshape(4, 5, 6)
MOST_BYTES = 32 << 20
MOST_SECONDS = 2.0

# Offsets of NIfTI-1 header fields
DIM, DATATYPE, BITPIX, PIXDIM, VOX_OFFSET = 40, 70, 72, 76, 108


def nifti(*changes: tuple[int, str, float]) -> bytes:
    """Return a sound NIfTI file of VOXELS with header fields replaced: offset, format, value."""
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, DIM, 3, 6, 5, 4, 1, 1, 1, 1)
    struct.pack_into("<2h", header, DATATYPE, 4, 16)
    struct.pack_into("<8f", header, PIXDIM, 1, 1, 1, 2, 0, 0, 0, 0)
    struct.pack_into("<f", header, VOX_OFFSET, 352)
    struct.pack_into("<2h", header, 252, 0, 1)  # no qform, an sform
    struct.pack_into("<12f", header, 280, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0)
    header[344:348] = b"n+1\0"
    for offset, form, value in changes:
        struct.pack_into(form, header, offset, value)
    return bytes(header) + VOXELS.tobytes()


def nrrd(fields: str, content: bytes) -> bytes:
    head = f"NRRD0004\ntype: int16\ndimension: 3\nsizes: 6 5 4\nendian: little\n{fields}\n\n"
    return head.encode() + content


def metaimage(fields: str, content: bytes) -> bytes:
    head = f"ObjectType = Image\nNDims = 3\nDimSize = 6 5 4\nElementType = MET_SHORT\n{fields}\n"
    return head.encode() + content


def refuse(path: Path, reading: Reading | None = None) -> ReadError:
    """Read a file that must be refused, soon and without much memory."""
    tracemalloc.start()
    start = time.perf_counter()
    try:
        with pytest.raises(ReadError, match=path.name) as caught:
            read_scan(path, Modality.MR, reading or Reading())
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    finally:
        tracemalloc.stop()
    assert time.perf_counter() - start < MOST_SECONDS
    for word in ("itk", ".cxx", "0x"):
        assert word not in str(caught.value).lower()
    return caught.value


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(content, mtime=0) if name.endswith(".gz") else content)
    return path


def test_the_sound_file_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, "a.nii.gz", nifti())
    np.testing.assert_array_equal(read_scan(path, Modality.MR).voxels, VOXELS)
    assert read_geometry(path).spacing_mm == (1, 1, 2)


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize(
    "change",
    [
        *[(DIM, "<h", axes) for axes in (0, 1, 2, 4, 7, 8, -1, 32767)],
        *[(DIM + 2, "<h", length) for length in (-6, 0, 32767)],
        *[(DATATYPE, "<h", kind) for kind in (0, 1, 32, 128, 1792, 2304, -1, 999)],
        *[(VOX_OFFSET, "<f", offset) for offset in (NAN, INF, -INF, -5, 1e30, 400.5)],
        *[(PIXDIM + 4, "<f", spacing) for spacing in (NAN, INF, -INF, 0, -1)],
        (PIXDIM + 12, "<f", 0),
        (280, "<f", NAN),
        (300, "<f", INF),
    ],
)
def test_impossible_nifti_headers(
    tmp_path: Path, name: str, change: tuple[int, str, float]
) -> None:
    path = written(tmp_path, name, nifti(change))
    if change in {(DIM, "<h", 7), (DIM, "<h", 4)}:
        # The other axes have one voxel, which is a volume written with more axes.
        np.testing.assert_array_equal(read_scan(path, Modality.MR).voxels, VOXELS)
    else:
        refuse(path)


def test_a_type_that_is_longer_than_its_bits(tmp_path: Path) -> None:
    # 32 bits announced for 16-bit voxels; 64-bit voxels with 16 bits announced.
    refuse(written(tmp_path, "a.nii", nifti((BITPIX, "<h", 32))))
    refuse(written(tmp_path, "b.nii", nifti((DATATYPE, "<h", 64))))


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_size_is_judged_before_memory_is_taken(tmp_path: Path, name: str) -> None:
    huge = nifti(*[(DIM + 2 * axis, "<h", 32767) for axis in (1, 2, 3)])
    error = refuse(written(tmp_path, name, huge))
    assert error.code == "image-too-large"
    assert "35181150961663 (32767 x 32767 x 32767)" in error.got
    large = nifti(*[(DIM + 2 * axis, "<h", 1000) for axis in (1, 2, 3)])  # below the limit
    assert refuse(written(tmp_path, name, large)).got == "240"


def test_the_limit_is_a_setting(tmp_path: Path) -> None:
    path = written(tmp_path, "a.nii", nifti())
    assert refuse(path, Reading(max_voxels=119)).code == "image-too-large"
    assert read_scan(path, Modality.MR, Reading(max_voxels=120)).voxels.size == 120


def test_nrrd_that_announces_more_than_its_file_can_hold(tmp_path: Path) -> None:
    content = nrrd("encoding: gzip", gzip.compress(bytes(240))).replace(b"6 5 4", b"999 999 999")
    error = refuse(written(tmp_path, "a.nrrd", content))
    assert error.what == "announces more voxels than it can hold"


def zeros(mebibytes: int, wbits: int) -> bytes:
    """Return compressed zeros, a thousandth of their length."""
    deflate = zlib.compressobj(9, wbits=wbits)
    return b"".join(deflate.compress(bytes(1 << 20)) for _ in range(mebibytes)) + deflate.flush()


def test_gzip_bomb_in_nifti(tmp_path: Path) -> None:
    path = tmp_path / "a.nii.gz"
    path.write_bytes(gzip.compress(nifti()) + zeros(300, 31))
    assert "at least 1048817" in refuse(path).got


def test_zlib_bomb_in_metaimage(tmp_path: Path) -> None:
    body = zeros(300, 15)
    fields = f"CompressedData = True\nCompressedDataSize = {len(body)}\nElementDataFile = LOCAL"
    assert "at least" in refuse(written(tmp_path, "a.mha", metaimage(fields, body))).got


@pytest.mark.parametrize("skip", ["-1", "-1000000", "99999999999", "1e9", "x"])
def test_byte_skip_in_compressed_nrrd(tmp_path: Path, skip: str) -> None:
    content = nrrd(f"encoding: gzip\nbyte skip: {skip}", zeros(300, 31))
    assert "byte skip" in refuse(written(tmp_path, "a.nrrd", content)).expected


def test_a_little_padding_is_let_pass(tmp_path: Path) -> None:
    for name in ("a.nii", "a.nii.gz"):
        path = written(tmp_path, name, nifti() + bytes(512))
        np.testing.assert_array_equal(read_scan(path, Modality.MR).voxels, VOXELS)


PLACES = ["/etc/hostname", "../secret.raw", "sub/../../secret.raw", "link.raw", "-", "no.raw", ""]


@pytest.mark.parametrize("place", [*PLACES, "%d.raw 1 4 1", "%s%n", "LIST", "LIST 2"])
@pytest.mark.parametrize("kind", ["nhdr", "mhd", "mhd with colon"])
def test_data_files_elsewhere(tmp_path: Path, kind: str, place: str) -> None:
    folder = tmp_path / "cohort"
    folder.mkdir()
    (tmp_path / "secret.raw").write_bytes(VOXELS.tobytes())
    (folder / "link.raw").symlink_to("../secret.raw")
    if kind == "nhdr":
        content, name = nrrd(f"encoding: raw\ndata file: {place}", b""), "a.nhdr"
    else:
        sign = ":" if "colon" in kind else "="
        content, name = metaimage(f"ElementDataFile {sign} {place}", b""), "a.mhd"
    path = written(folder, name, content)
    refuse(path)
    with pytest.raises(ReadError, match=name):
        read_geometry(path)


@pytest.mark.parametrize("spelling", ["data file: ", "datafile: ", "DATA FILE: "])
def test_other_spellings_of_the_data_file(tmp_path: Path, spelling: str) -> None:
    folder = tmp_path / "cohort"
    folder.mkdir()
    (tmp_path / "secret.raw").write_bytes(VOXELS.tobytes())
    content = nrrd(f"encoding: raw\n{spelling}../secret.raw", b"")
    refuse(written(folder, "a.nhdr", content))


def test_data_file_beside_its_header(tmp_path: Path) -> None:
    (tmp_path / "a.raw").write_bytes(VOXELS.tobytes())
    for name, content in (
        ("a.nhdr", nrrd("encoding: raw\ndata file: ./a.raw", b"")),
        ("a.mhd", metaimage("ElementDataFile = a.raw", b"")),
    ):
        path = written(tmp_path, name, content)
        np.testing.assert_array_equal(read_scan(path, Modality.MR).voxels, VOXELS)


def test_two_data_files_in_one_header(tmp_path: Path) -> None:
    fields = "Comment = a\rElementDataFile = LOCAL\nElementDataFile = /etc/hostname"
    refuse(written(tmp_path, "a.mhd", metaimage(fields, b"")))


@pytest.mark.parametrize(
    "fields",
    [
        "space: left-posterior-superior\nspace directions: (nan,0,0) (0,1,0) (0,0,1)",
        "space: left-posterior-superior\nspace directions: (0,0,0) (0,1,0) (0,0,1)",
        "space: left-posterior-superior\nspace directions: (1,0,0) (1,0,0) (0,0,1)",
        "spacings: 1 inf 1",
        "encoding: bzip2",
        "line skip: 99999999999",
    ],
)
def test_impossible_nrrd_headers(tmp_path: Path, fields: str) -> None:
    encoding = "" if "encoding" in fields else "\nencoding: raw"
    refuse(written(tmp_path, "a.nrrd", nrrd(fields + encoding, VOXELS.tobytes())))


@pytest.mark.parametrize(
    "fields",
    [
        "ElementSpacing = 1 nan 1",
        "ElementSpacing = 1 inf 1",
        "ElementSpacing = 1 0 1",
        "TransformMatrix = 1 0 0 1 0 0 0 0 1",
        "ElementNumberOfChannels = 3",
        "ElementNumberOfChannels = x",
        "DimSize = 6 5 -4",
        "DimSize = 99999999999 99999999999 4",
        "ElementType = MET_NONE",
    ],
)
def test_impossible_metaimage_headers(tmp_path: Path, fields: str) -> None:
    content = metaimage(f"{fields}\nElementDataFile = LOCAL", VOXELS.tobytes())
    refuse(written(tmp_path, "a.mha", content))


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd", "a.nhdr", "a.mha", "a.mhd"])
@pytest.mark.parametrize("content", [b"", b"\0" * 1000, b"\x89HDF\r\n\x1a\n" * 50, b"%PDF-1.4"])
def test_other_files_with_the_name_of_an_image(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    refuse(path)


def test_a_picture_named_as_a_volume_is_not_read_as_one(tmp_path: Path) -> None:
    sitk.WriteImage(sitk.GetImageFromArray(VOXELS), str(tmp_path / "a.nrrd"))
    (tmp_path / "a.nrrd").rename(tmp_path / "a.nii.gz")
    refuse(tmp_path / "a.nii.gz")


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nrrd", "a.mha"])
def test_a_folder_with_the_name_of_an_image(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    refuse(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("a.mha", b"NDims = 3", b"NDims = 99999999999"),
        ("a.mha", b"NDims = 3", b"NDims = 3\nNDims = 3"),
        ("a.mha", b"DimSize = 6 5 4", b"DimSize = " + b"6 " * 300),
        ("a.mha", b"ElementType", b"A" * 3000 + b" = 1\nElementType"),
        ("a.mha", b"ElementType", b"Comment = " + b"z" * 9000 + b"\nElementType"),
        ("a.nrrd", b"type: int16", b"type: int16" + b"A" * 3000),
        ("a.nrrd", b"dimension", b"sp" + b"1" * 3000 + b"\ndimension"),
    ],
)
def test_headers_that_end_the_process_in_itk(
    tmp_path: Path, name: str, old: bytes, new: bytes
) -> None:
    body = VOXELS.tobytes()
    sound = (
        nrrd("encoding: raw", body)
        if name == "a.nrrd"
        else metaimage("ElementDataFile = LOCAL", body)
    )
    path = written(tmp_path, name, sound)
    np.testing.assert_array_equal(read_scan(path, Modality.MR).voxels, VOXELS)
    refuse(written(tmp_path, name, sound.replace(old, new)))


def test_long_values_of_a_writer_in_nrrd_are_read(tmp_path: Path) -> None:
    fields = f"encoding: raw\nSegmentation_ConversionParameters:={'x|' * 5000}"
    path = written(tmp_path, "a.nrrd", nrrd(fields, VOXELS.tobytes()))
    np.testing.assert_array_equal(read_scan(path, Modality.MR).voxels, VOXELS)
