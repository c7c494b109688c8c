"""Read the stored values of slices and rescale them into one volume.

Uncompressed slices are read straight from their place in the file, so that a volume is allocated
once and each file's pixels are touched once.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from pydicom.encaps import generate_frames
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from pipeline.ingest.codes import Code
from pipeline.ingest.dicom.compressed import COMPRESSED, Stored, decode_frame
from pipeline.ingest.dicom.encoding import Encoding
from pipeline.ingest.dicom.header import PARSE_ERRORS, open_dataset, quiet_pydicom
from pipeline.ingest.dicom.slices import Slice
from pipeline.ingest.read_error import ReadError

_PIXEL_TAGS: Mapping[bytes, str] = {b"\xe0\x7f\x10\x00": "<", b"\x7f\xe0\x00\x10": ">"}
_UNDEFINED_LENGTH = 0xFFFFFFFF
_NATIVE = frozenset(
    {
        "",  # files without meta information
        ImplicitVRLittleEndian,
        ExplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
    }
)
"""Transfer syntaxes whose pixels are not compressed, or only with the whole data set."""

_ENCODING_ERRORS = (*PARSE_ERRORS, RuntimeError)
"""What decoders raise; SimpleITK only knows RuntimeError."""


def read_voxels(slices: Sequence[Slice], factor: float | None) -> npt.NDArray[Any]:
    """Read slices into one array.

    Parameters
    ----------
    slices : sequence of Slice
        In order, all of one size, without defects.
    factor : float or None
        What the rescaled values are multiplied by; None where they are not, so that integers stay
        integers.

    Returns
    -------
    numpy.ndarray, shape (z, y, x)
        See :func:`output_type`.

    Raises
    ------
    ReadError
        If the values of a slice cannot be decoded.
    """
    first = slices[0].encoding
    dtype = output_type(slices, factor)
    voxels = np.empty((len(slices), first.rows, first.columns), dtype)
    by_file: dict[Path, list[int]] = defaultdict(list)
    for index, item in enumerate(slices):
        by_file[item.file].append(index)
    for file, indices in by_file.items():
        wanted = {slices[index].frame: index for index in indices}
        try:
            with quiet_pydicom(), open_dataset(file) as stream:
                for frame, stored in _frames(stream, slices[indices[0]].encoding, sorted(wanted)):
                    index = wanted[frame]
                    _rescale(stored, slices[index], factor, voxels[index])
        except _ENCODING_ERRORS:
            raise _undecodable(file) from None
    return voxels


def output_type(slices: Sequence[Slice], factor: float | None = None) -> np.dtype[Any]:
    """Return the type of a volume.

    Whole-number slopes and intercepts give int16 where every value that the headers allow fits it,
    else int32; others, and values with a factor, give float32. The headers decide, not the voxels,
    so that all scans of one scanner get one type.

    Raises
    ------
    ReadError
        If the headers allow values beyond that type.
    """
    ends = np.array([_value_range(item) for item in slices])
    low, high = float(ends.min()), float(ends.max())
    slopes = [item.slope for item in slices]
    whole = all(item.slope.is_integer() and item.intercept.is_integer() for item in slices)
    for dtype in (np.int16, np.int32) if whole and factor is None else ():
        info = np.iinfo(dtype)
        if min(low, *slopes) >= info.min and max(high, *slopes) <= info.max:
            return np.dtype(dtype)
    if max(-low, high) * (factor or 1.0) > float(np.finfo(np.float32).max):
        raise _too_large(slices[0].file, low, high)
    return np.dtype(np.float64 if whole and factor is None else np.float32)


def _value_range(item: Slice) -> tuple[float, float]:
    bits = item.encoding.bits_stored
    stored = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if item.encoding.signed else (0, 2**bits - 1)
    low, high = (value * item.slope + item.intercept for value in stored)
    return min(low, high), max(low, high)


def _rescale(stored: Stored, item: Slice, factor: float | None, out: npt.NDArray[Any]) -> None:
    """Write slope x stored + intercept into ``out``, integers in modular arithmetic.

    The results fit ``out`` by :func:`output_type`, so what overflows on the way returns.
    """
    if out.dtype.kind == "f":
        out[...] = (stored * np.float64(item.slope) + item.intercept) * (factor or 1.0)
        return
    out[...] = stored
    if item.slope != 1:
        out *= int(item.slope)
    if item.intercept:
        out += int(item.intercept)


def _frames(
    stream: BinaryIO, encoding: Encoding, wanted: Sequence[int]
) -> Iterator[tuple[int, Stored]]:
    """Yield the wanted frames of a file with their indices, in ascending order."""
    stream.seek(encoding.offset)
    byte_order, length = _element_start(stream)
    compressed = encoding.transfer_syntax in COMPRESSED
    if compressed != (length == _UNDEFINED_LENGTH):
        msg = "the length of the pixel data contradicts its transfer syntax"
        raise ValueError(msg)
    if compressed:
        yield from _compressed_frames(stream, encoding, wanted)
    elif encoding.transfer_syntax in _NATIVE:
        yield from _native_frames(stream, encoding, wanted, (byte_order, length))
    else:
        msg = f"unknown transfer syntax {encoding.transfer_syntax}"
        raise NotImplementedError(msg)


def _element_start(stream: BinaryIO) -> tuple[str, int]:
    """Read the tag, type and length of the pixel data; return byte order and length."""
    start = stream.read(8)
    byte_order = _PIXEL_TAGS.get(start[:4])
    if byte_order is None:
        msg = "no pixel data"
        raise ValueError(msg)
    explicit = start[4:6] in (b"OB", b"OW", b"UN")
    length = stream.read(4) if explicit else start[4:]
    return byte_order, int.from_bytes(length, "little" if byte_order == "<" else "big")


def _native_frames(
    stream: BinaryIO, encoding: Encoding, wanted: Sequence[int], element: tuple[str, int]
) -> Iterator[tuple[int, Stored]]:
    byte_order, length = element
    width = encoding.bits_allocated // 8
    dtype = np.dtype(f"{byte_order}{'i' if encoding.signed else 'u'}{width}")
    frame_bytes = encoding.rows * encoding.columns * width
    if length < frame_bytes * encoding.frames:
        msg = f"{length} bytes of pixel data instead of {frame_bytes * encoding.frames}"
        raise ValueError(msg)
    start = stream.tell()
    for frame in wanted:
        stream.seek(start + frame * frame_bytes)
        content = stream.read(frame_bytes)
        if len(content) < frame_bytes:
            msg = f"{len(content)} bytes of {frame_bytes} in frame {frame}"
            raise EOFError(msg)
        stored = np.frombuffer(content, dtype).reshape(encoding.rows, encoding.columns)
        yield frame, _stored_bits(stored, encoding)


def _stored_bits(stored: Stored, encoding: Encoding) -> Stored:
    """Keep the bits that count and extend the sign (PS3.5 section 8.1.1).

    The others may hold overlays, or nothing in particular.
    """
    above = encoding.bits_allocated - 1 - encoding.high_bit
    unused = encoding.bits_allocated - encoding.bits_stored
    if not unused:
        return stored
    return (stored << above) >> unused


def _compressed_frames(
    stream: BinaryIO, encoding: Encoding, wanted: Sequence[int]
) -> Iterator[tuple[int, Stored]]:
    remaining = list(wanted)
    frames = generate_frames(stream.read(), number_of_frames=encoding.frames)
    for index, data in enumerate(frames):
        if remaining and index == remaining[0]:
            yield remaining.pop(0), _stored_bits(decode_frame(data, encoding), encoding)
    if remaining:
        msg = f"frame {remaining[0]} is absent"
        raise EOFError(msg)


def _undecodable(file: Path) -> ReadError:
    return ReadError(
        file.parent,
        "cannot be read as a DICOM series",
        expected="slices whose voxels can be decoded",
        got=f"a damaged, truncated or unknown encoding in {file.name}",
        next_step="Export or copy the series again.",
    )


def _too_large(file: Path, low: float, high: float) -> ReadError:
    return ReadError(
        file.parent,
        "has an impossible header",
        expected="RescaleSlope and RescaleIntercept that give values of a scanner",
        got=f"values from {low:.3g} to {high:.3g} in {file.name}",
        next_step="Export the series again.",
        code=Code.VALUES_IMPLAUSIBLE,
    )
