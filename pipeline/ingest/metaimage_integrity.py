"""Whether the voxels of a MetaImage file lie where they may and are what its header announces.

Header: https://itk.org/Wiki/ITK/MetaIO/Documentation
"""

import re
import zlib
from math import prod
from pathlib import Path

from pipeline.ingest.integrity import (
    TRAILING_BYTES,
    check_length,
    check_one_file,
    chunks,
    damaged,
    data_file_beside,
    header_number,
)

_HEADER_BYTES = 1 << 16
_CHUNK_BYTES = 1 << 20
_DATA_FILE = re.compile(rb"^[ \t]*ElementDataFile[ \t]*[=:][ \t]*([^\r\n]*)(?:\r\n|\r|\n)", re.M)
_LINE = re.compile(rb"[ \t]*([A-Za-z_][\w-]{0,79})[ \t]*[=:]([ \t]*[^\0]{0,500})")
_LISTS = frozenset(
    (b"DimSize", b"ElementSpacing", b"ElementSize", b"Offset", b"Position", b"Origin",
     b"CenterOfRotation", b"SequenceID")
)  # fmt: skip
_MATRICES = frozenset((b"TransformMatrix", b"Rotation", b"Orientation"))
_ALLOWED_AXES = frozenset(b"%d" % number for number in range(1, 10))
_FIELD = re.compile(rb"^[ \t]*(\w+)[ \t]*[=:][ \t]*([^\r\n]*)", re.M)
_ELEMENT_BYTES = {
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


def check_metaimage_header(path: Path) -> None:
    """Refuse a header whose voxels lie outside its folder or in several files, or that harms.

    Run before ITK sees the file: it would open whatever is named and takes a name with ``%`` as a
    format; lines that are too long, lists of the wrong length and an impossible number of axes
    end the whole process (seen with SimpleITK 2.5.7).

    Raises
    ------
    ReadError
        If they do, the header names no data file, or two, or a line is none of a header.
    """
    head = _read_head(path)
    _data_file(path, head)
    axes = 0
    for line in head[: next(_DATA_FILE.finditer(head)).end()].splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            raise damaged(path, "header lines of a name, =, and a value", repr(line[:40]))
        key, value = match.group(1), match.group(2).strip()
        if key == b"NDims":
            axes = _axes(path, axes, value)
        elif _has_wrong_length(key, value, axes):
            got = f"{len(value.split())} for {axes} axes"
            raise damaged(path, f"a list as long as {key.decode()} needs", got)


def _axes(path: Path, before: int, value: bytes) -> int:
    if before or value not in _ALLOWED_AXES:
        raise damaged(path, "NDims once, from 1 to 9", repr(value[:40]))
    return int(value)


def _has_wrong_length(key: bytes, value: bytes, axes: int) -> bool:
    if key in _LISTS:
        return len(value.split()) != axes
    return key in _MATRICES and len(value.split()) != axes**2


def check_metaimage_intact(path: Path) -> None:
    """Compare the length of a MetaImage file's voxels with what its header announces.

    Raises
    ------
    ReadError
        If bytes are missing, the compressed voxels do not decompress or are more than announced.
    """
    head = _read_head(path)
    data, offset = _data_file(path, head)
    fields = {
        key.decode("latin-1"): value.decode("latin-1").strip()
        for key, value in _FIELD.findall(head[: offset or len(head)])
    }
    element_bytes = _ELEMENT_BYTES.get(fields.get("ElementType", ""))
    if element_bytes is None:
        raise damaged(path, "a known ElementType", repr(fields.get("ElementType", "")[:40]))
    voxels = prod(header_number(path, size) for size in fields.get("DimSize", "0").split())
    channels = header_number(path, fields.get("ElementNumberOfChannels", "1"))
    expected = voxels * channels * element_bytes
    if fields.get("CompressedData", "False").lower() in {"true", "t", "1"}:
        check_length(path, _inflated_bytes(path, data, offset, expected), expected)
    elif data.stat().st_size - offset < expected:
        raise damaged(path, f"{expected} bytes of voxels", f"{data.stat().st_size - offset}")


def _read_head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(_HEADER_BYTES)


def _data_file(path: Path, head: bytes) -> tuple[Path, int]:
    """Return the file that holds the voxels, and where the header ends if it is the same."""
    found = list(_DATA_FILE.finditer(head))
    if len(found) != 1:
        raise damaged(path, "a header with one ElementDataFile", f"{len(found)}")
    place = found[0].group(1).decode("latin-1").strip()
    if place.upper() == "LOCAL":
        return path, found[0].end()
    check_one_file(path, place, field="ElementDataFile =", single=".mha")
    return data_file_beside(path, place), 0


def _inflated_bytes(path: Path, data: Path, offset: int, expected: int) -> int:
    """Count what the compressed voxels decompress to, not far beyond what is expected."""
    inflate = zlib.decompressobj()
    most = expected + TRAILING_BYTES + 1
    got = 0
    try:
        with data.open("rb") as stream:
            stream.seek(offset)
            for chunk in chunks(stream, data.stat().st_size):
                waiting = chunk
                while waiting and got < most:
                    got += len(inflate.decompress(waiting, _CHUNK_BYTES))
                    waiting = inflate.unconsumed_tail
    except zlib.error:
        raise damaged(path, "compressed voxels that decompress", "a damaged file") from None
    return got
