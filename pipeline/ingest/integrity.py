"""Find damaged image files that ITK would read without an error.

ITK fills the missing part of a truncated NIfTI file with zeros, ignores the checksum of a
compressed one, replaces its NaN and infinite voxels by zero, and returns garbage for a damaged
compressed MetaImage file (all seen with SimpleITK 2.5.7). NRRD needs no help: its reader checks
length and checksum itself.
"""

import gzip
import zlib
from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np

from pipeline.ingest.codes import Code
from pipeline.ingest.read_error import ReadError

_CHUNK_BYTES = 1 << 20
_NIFTI_FLOAT_TYPES = {"16": "f4", "64": "f8"}
_NIFTI_HEADER_BYTES = (348, 540)
_METAIMAGE_HEADER_BYTES = 1 << 16
_METAIMAGE_ELEMENT_BYTES = {
    "MET_CHAR": 1,
    "MET_UCHAR": 1,
    "MET_SHORT": 2,
    "MET_USHORT": 2,
    "MET_INT": 4,
    "MET_UINT": 4,
    "MET_LONG": 4,
    "MET_ULONG": 4,
    "MET_LONG_LONG": 8,
    "MET_ULONG_LONG": 8,
    "MET_FLOAT": 4,
    "MET_DOUBLE": 8,
}


def check_nifti_intact(path: Path, header: Mapping[str, str]) -> None:
    """Read a NIfTI file to its end and compare its length with what its header announces.

    Floating-point voxels must be finite. For ``.nii.gz`` the checksum is verified as well, at the
    cost of decompressing the file once more than ITK does (0.7 s for 100 MB of noise, the worst
    case).

    Parameters
    ----------
    path : Path
        A single-file NIfTI, compressed or not.
    header : mapping of str to str
        The header's fields as ITK names them: ``vox_offset``, ``bitpix``, ``dim[0]`` ...

    Raises
    ------
    ReadError
        If bytes are missing, the checksum is wrong, or voxels are not numbers.
    """
    if "dim[0]" not in header:
        return  # another kind of file that only bears the name
    axes = int(header["dim[0]"])
    voxels = prod(int(header[f"dim[{axis}]"]) for axis in range(1, axes + 1))
    offset = int(float(header["vox_offset"]))
    float_type = _NIFTI_FLOAT_TYPES.get(header["datatype"])
    got = bad = 0
    try:
        with _open_maybe_gzip(path) as stream:
            head = stream.read(offset)
            for chunk in _chunks(stream):
                got += len(chunk)
                bad += _count_non_finite(chunk, float_type, head)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise _damaged(path, "an intact gzip file", "a broken or truncated one") from None
    expected = voxels * int(header["bitpix"]) // 8
    if got < expected:
        raise _damaged(path, f"{expected} bytes of voxels", f"{got}")
    if bad:
        raise non_finite(path, bad)


def non_finite(path: Path, count: int) -> ReadError:
    """Return the error for voxels that are NaN or infinite."""
    return ReadError(
        path,
        "holds voxels that are not numbers",
        expected="finite values",
        got=f"{count} NaN or infinite voxels",
        next_step="Decide what they mean: set the background of PET and ADC maps to 0.",
        code=Code.NON_FINITE,
    )


def _count_non_finite(chunk: bytes, float_type: str | None, head: bytes) -> int:
    if float_type is None:
        return 0
    # The first four bytes hold the header's length in the file's byte order.
    order = "<" if int.from_bytes(head[:4], "little") in _NIFTI_HEADER_BYTES else ">"
    whole = len(chunk) - len(chunk) % np.dtype(float_type).itemsize
    values = np.frombuffer(chunk[:whole], dtype=order + float_type)
    return int(values.size - np.count_nonzero(np.isfinite(values)))


def check_metaimage_intact(path: Path) -> None:
    """Compare the length of a MetaImage file's voxels with what its header announces.

    Covers the usual single data file, inside ``.mha`` or beside ``.mhd``; lists and patterns of
    data files are left to ITK.

    Raises
    ------
    ReadError
        If bytes are missing or the compressed voxels do not decompress.
    """
    with path.open("rb") as stream:
        head = stream.read(_METAIMAGE_HEADER_BYTES)
    header, offset = _metaimage_header(head)
    place = header.get("ElementDataFile", "")
    element_bytes = _METAIMAGE_ELEMENT_BYTES.get(header.get("ElementType", ""))
    if element_bytes is None or place.startswith("LIST") or "%" in place:
        return
    local = place.upper() == "LOCAL"
    data = path if local else path.parent / place
    if not data.is_file():
        raise _damaged(path, f"its data file {place} beside it", "no such file")
    voxels = prod(int(size) for size in header.get("DimSize", "0").split())
    expected = voxels * element_bytes * int(header.get("ElementNumberOfChannels", "1"))
    compressed = header.get("CompressedData", "False") == "True"
    got = _metaimage_payload_bytes(path, data, offset if local else 0, compressed)
    if got < expected:
        raise _damaged(path, f"{expected} bytes of voxels", f"{got}")


def _metaimage_header(head: bytes) -> tuple[dict[str, str], int]:
    """Return the header's keys and where the voxels begin in the file (bytes)."""
    fields: dict[str, str] = {}
    offset = 0
    for line in head.splitlines(keepends=True):
        offset += len(line)
        key, _, value = line.decode("latin-1").partition("=")
        fields[key.strip()] = value.strip()
        if key.strip() == "ElementDataFile":
            break
    return fields, offset


def _metaimage_payload_bytes(path: Path, data: Path, offset: int, compressed: bool) -> int:
    if not compressed:
        return data.stat().st_size - offset
    inflate = zlib.decompressobj()
    got = 0
    try:
        with data.open("rb") as stream:
            stream.seek(offset)
            for chunk in _chunks(stream):
                got += len(inflate.decompress(chunk))
            got += len(inflate.flush())
    except zlib.error:
        raise _damaged(path, "compressed voxels that decompress", "a damaged file") from None
    return got


def _open_maybe_gzip(path: Path) -> BinaryIO:
    with path.open("rb") as stream:
        is_gzip = stream.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if is_gzip else path.open("rb")  # type: ignore[return-value]  # GzipFile reads as BinaryIO does


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK_BYTES):
        yield chunk


def _damaged(path: Path, expected: str, got: str) -> ReadError:
    return ReadError(
        path,
        "is damaged or incomplete",
        expected=expected,
        got=got,
        next_step="Copy the file again from its source, or export it again.",
    )
