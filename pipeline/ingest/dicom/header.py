"""Open a DICOM file and parse its header: the one place where pydicom meets hostile bytes.

Files with and without the 128-byte preamble (DICOM PS3.10 section 7.1) are read; the latter come
from old archives. A deflated data set (PS3.5 section A.5) is inflated up to a limit, so that a
small file cannot fill the memory.
"""

import struct
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import pydicom
from pydicom.config import disable_value_validation
from pydicom.datadict import tag_for_keyword
from pydicom.filereader import read_file_meta_info
from pydicom.tag import BaseTag, Tag
from pydicom.uid import DeflatedExplicitVRLittleEndian

from pipeline.ingest.read_error import ReadError

INFLATED_BYTES = 1 << 29
"""Largest deflated data set, inflated: a multi-frame image of 1000 slices of 512 x 512 voxels."""

PARSE_ERRORS = (
    ArithmeticError,  # decimal.InvalidOperation in decimal strings
    AttributeError,
    EOFError,
    LookupError,  # IndexError, KeyError, unknown character sets
    MemoryError,  # an announced length far beyond the file
    NotImplementedError,
    OSError,
    RecursionError,  # sequences nested without end
    TypeError,
    ValueError,  # UnicodeDecodeError
    struct.error,
    pydicom.errors.BytesLengthException,
    pydicom.errors.InvalidDicomError,
    zlib.error,
)
"""What pydicom raises on damaged files, found by mutating files; it documents none of it."""

_DEFLATED = DeflatedExplicitVRLittleEndian.encode()
_HEAD_BYTES = 1 << 14  # the transfer syntax is named in the first few hundred
SIGNATURE_BYTES = 132
"""Length of the preamble with the signature, which is what :func:`looks_like_dicom` needs."""

_SIGNATURE = slice(128, SIGNATURE_BYTES)
_META_LENGTH = b"\x02\x00\x00\x00UL\x04\x00"
_VALUE_TYPES = frozenset(
    b"AE AS AT CS DA DS DT FD FL IS LO LT OB OW PN SH SL SQ SS ST TM UI UL UN US UT".split()
)
_LONGEST_FIRST_VALUE = 256


def is_dicom_file(path: Path) -> bool:
    """Tell whether a file is DICOM by its first bytes, whatever its name.

    Without the signature ``DICM`` a file counts as DICOM when it begins with a data element of
    group 0002 or 0008, as every data set does.
    """
    with path.open("rb") as stream:
        return looks_like_dicom(stream.read(SIGNATURE_BYTES))


def looks_like_dicom(head: bytes) -> bool:
    """Tell whether these are the first bytes of a DICOM file."""
    if head[_SIGNATURE] == b"DICM":
        return True
    if len(head) < SIGNATURE_BYTES:
        return False
    explicit = bytes(head[4:6]) in _VALUE_TYPES
    if explicit and head[:2] == b"\x00\x08":  # big endian
        return True
    if head[:2] not in (b"\x02\x00", b"\x08\x00") or head[3] > 2:
        return False
    length = int.from_bytes(head[4:8], "little")
    return explicit or (length % 2 == 0 and length <= _LONGEST_FIRST_VALUE)


@contextmanager
def quiet_pydicom() -> Iterator[None]:
    """Keep pydicom from warning the user about headers; what matters is checked here."""
    with warnings.catch_warnings(), disable_value_validation():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def open_dataset(path: Path) -> Iterator[BinaryIO]:
    """Open a DICOM file at its start, inflated where it is deflated.

    Raises
    ------
    ReadError
        If the inflated data set would exceed ``INFLATED_BYTES``.
    """
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
        if _DEFLATED in head and read_file_meta_info(path).TransferSyntaxUID == _DEFLATED.decode():
            yield BytesIO(_inflate(path, stream, head))
        else:
            stream.seek(0)
            yield stream


def parse(stream: BinaryIO, keywords: Sequence[str] | None) -> pydicom.Dataset:
    """Parse a header and leave the stream at the pixel data.

    Parameters
    ----------
    stream : BinaryIO
        As :func:`open_dataset` gives it.
    keywords : sequence of str or None
        The attributes that are wanted; None for all.
    """
    wanted = None if keywords is None else _tags(tuple(keywords))
    return pydicom.dcmread(stream, stop_before_pixels=True, force=True, specific_tags=wanted)


@cache
def _tags(keywords: tuple[str, ...]) -> list[BaseTag]:
    """Return the tags of attributes, looked up once: pydicom would do so for each file."""
    return [Tag(tag) for keyword in keywords if (tag := tag_for_keyword(keyword)) is not None]


def read_header(path: Path, keywords: Sequence[str] | None = None) -> pydicom.Dataset:
    """Read the header of a DICOM file.

    Raises
    ------
    ReadError
        If the file is damaged.
    """
    try:
        with quiet_pydicom(), open_dataset(path) as stream:
            return parse(stream, keywords)
    except PARSE_ERRORS:
        raise damaged_file(path) from None


def damaged_file(path: Path, got: str = "a damaged header") -> ReadError:
    """Return the error of a file that cannot be parsed; the cause may quote a name, so it is not.

    Parameters
    ----------
    path : Path
        The file.
    got : str
        What is damaged.
    """
    return ReadError(
        path,
        "cannot be read as DICOM",
        expected="a whole DICOM file",
        got=got,
        next_step="Export or copy the file again.",
    )


def _inflate(path: Path, stream: BinaryIO, head: bytes) -> bytes:
    start = SIGNATURE_BYTES
    if head[start : start + 8] != _META_LENGTH:
        raise damaged_file(path)
    length = int.from_bytes(head[start + 8 : start + 12], "little")
    stream.seek(start + 12 + length)
    # The inflated data set has no preamble; :func:`parse` recognises its encoding.
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    content = inflater.decompress(stream.read(), INFLATED_BYTES)
    if inflater.unconsumed_tail:
        raise damaged_file(path, f"a deflated data set of more than {INFLATED_BYTES} bytes")
    if not inflater.eof:
        raise damaged_file(path, "a deflated data set that breaks off")
    return content
