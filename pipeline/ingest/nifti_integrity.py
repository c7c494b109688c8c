"""NIfTI files: whether the header is possible, and the voxels, which are what it announces.

The header is read here, because ITK's reader mends it without a word: a spacing of NaN or 0
becomes 1 mm, an offset of NaN 0 (seen with SimpleITK 2.5.7). Layouts:
https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h and nifti2.h
"""

import gzip
import struct
from dataclasses import dataclass
from io import BufferedIOBase
from math import isfinite, prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from isal import igzip, isal_zlib

from pipeline.ingest.integrity import TRAILING_BYTES, check_length, chunks, damaged, non_finite

LARGEST_OFFSET_BYTES = 1 << 26
"""Furthest place of the first voxel: 64 MiB of header extensions, far more than any has."""

_LONGEST_HEADER = 540
_STEP_BYTES = 1 << 22
_GZIP_MOST = 1032
"""A compressed byte gives no more than so many (zlib's technical notes, "maximum compression")."""
_BROKEN_GZIP: tuple[type[Exception], ...] = (
    EOFError,
    gzip.BadGzipFile,
    isal_zlib.error,  # type: ignore[assignment] # isal's stubs call the class an instance
)
_TYPES = {
    2: "u1",
    256: "i1",
    4: "i2",
    512: "u2",
    8: "i4",
    768: "u4",
    1024: "i8",
    1280: "u8",
    16: "f4",
    64: "f8",
}
"""NumPy's letters by the header's ``datatype``; colours, complex and 128-bit numbers are refused
by the reader."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where a version of the format has its fields: the offset and ``struct``'s letters."""

    datatype: tuple[int, str]
    bitpix: tuple[int, str]
    dim: tuple[int, str]
    pixdim: tuple[int, str]
    vox_offset: tuple[int, str]
    scaling: tuple[int, str]


_LAYOUTS = {
    348: _Layout((70, "h"), (72, "h"), (40, "8h"), (76, "8f"), (108, "f"), (112, "2f")),
    540: _Layout((12, "h"), (14, "h"), (16, "8q"), (104, "8d"), (168, "q"), (176, "2d")),
}
"""By the length of the header, which its first four bytes hold: NIfTI-1 and NIfTI-2."""


@dataclass(frozen=True, slots=True)
class _Header:
    order: str
    length: int
    dim: tuple[int, ...]
    pixdim: tuple[float, ...]
    datatype: int
    bitpix: int
    vox_offset: float
    scaling: tuple[float, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        return self.dim[1 : self.dim[0] + 1]

    @property
    def voxel_bytes(self) -> int:
        return prod(self.sizes) * self.bitpix // 8

    @property
    def voxel_type(self) -> np.dtype[Any] | None:
        """Type of the voxels, where a voxel is what is stored: one real number, not scaled."""
        slope, intercept = self.scaling
        stored = slope == 0 or (slope == 1 and intercept == 0)
        letters = _TYPES.get(self.datatype)
        return np.dtype(self.order + letters) if stored and letters else None


def check_nifti_header(path: Path) -> None:
    """Refuse a header that ITK would mend.

    A file that is no NIfTI file is left to ITK's reader, which says so.

    Raises
    ------
    ReadError
        If a spacing is not positive and finite, a size or the number of axes is impossible, the
        place of the voxels is none, or the number of bits contradicts the type.
    """
    header = _read_header(path)
    if header is not None:
        _check(path, header)


def read_nifti_voxels(path: Path) -> npt.NDArray[Any] | None:
    """Read a NIfTI file to its end, and compare its length with what its header announces.

    Floating-point voxels must be finite. For ``.nii.gz`` the checksum is verified as well. Of a
    file that is longer than it should be no more than a mebibyte is read on. One pass by a fast
    decompressor replaces two: the check's own and ITK's.

    Parameters
    ----------
    path : Path
        A single-file NIfTI, compressed or not; its size within what may be read.

    Returns
    -------
    numpy.ndarray or None
        All voxels in the order of the file (x changes fastest), one axis, in the stored type and
        this machine's byte order. None where the header wants them scaled, which is ITK's to do.

    Raises
    ------
    ReadError
        If bytes are missing or many follow, the checksum is wrong, or voxels are not numbers.
    """
    header = _read_header(path)
    if header is None:
        raise damaged(path, "a NIfTI header", "none")
    _check(path, header)
    # No memory is taken for voxels that the file cannot hold.
    possible = min(header.voxel_bytes, path.stat().st_size * _GZIP_MOST)
    content = np.empty(possible, dtype=np.uint8)
    try:
        with _open_maybe_gzip(path) as stream:
            got = _fill(stream, header, content)
    except _BROKEN_GZIP:
        raise damaged(path, "an intact gzip file", "a broken or truncated one") from None
    check_length(path, got, header.voxel_bytes)
    return _as_voxels(path, header, content)


def _fill(stream: BufferedIOBase, header: _Header, content: npt.NDArray[np.uint8]) -> int:
    """Fill ``content`` with the bytes after the header; return how many there are."""
    stream.read(max(int(header.vox_offset), header.length))
    got = 0
    while count := stream.readinto(content[got : got + _STEP_BYTES].data):
        got += count
    return got + sum(len(chunk) for chunk in chunks(stream, TRAILING_BYTES + 1))


def _as_voxels(
    path: Path, header: _Header, content: npt.NDArray[np.uint8]
) -> npt.NDArray[Any] | None:
    letters = _TYPES.get(header.datatype)
    if letters is None:
        return None
    voxels = content.view(header.order + letters)
    if voxels.dtype.kind == "f":
        bad = int(voxels.size - np.count_nonzero(np.isfinite(voxels)))
        if bad:
            raise non_finite(path, bad)
    if header.voxel_type is None:
        return None
    return voxels.astype(voxels.dtype.newbyteorder("="), copy=False)


def _read_header(path: Path) -> _Header | None:
    try:
        with _open_maybe_gzip(path) as stream:
            head = stream.read(_LONGEST_HEADER)
    except _BROKEN_GZIP:
        raise damaged(path, "an intact gzip file", "a broken or truncated one") from None
    for order in ("<", ">"):
        length = struct.unpack(f"{order}i", head[:4])[0] if len(head) >= 4 else 0
        if length in _LAYOUTS and len(head) >= length:
            return _parse(head, order, length)
    return None


def _parse(head: bytes, order: str, length: int) -> _Header:
    layout = _LAYOUTS[length]

    def field(place: tuple[int, str]) -> tuple[float, ...]:
        return struct.unpack_from(order + place[1], head, place[0])

    return _Header(
        order=order,
        length=length,
        dim=tuple(int(number) for number in field(layout.dim)),
        pixdim=field(layout.pixdim),
        datatype=int(field(layout.datatype)[0]),
        bitpix=int(field(layout.bitpix)[0]),
        vox_offset=field(layout.vox_offset)[0],
        scaling=field(layout.scaling),
    )


def _check(path: Path, header: _Header) -> None:
    if not 1 <= header.dim[0] <= 7 or min(header.sizes) < 1:
        raise damaged(path, "1 to 7 axes of at least one voxel", f"dim {header.dim}")
    steps = header.pixdim[1 : min(header.dim[0], 3) + 1]
    if not all(isfinite(step) and step > 0 for step in steps):
        got = ", ".join(f"{step:g}" for step in steps)
        raise damaged(path, "positive, finite spacings (pixdim)", got)
    offset = header.vox_offset
    if not (isfinite(offset) and 0 <= offset <= LARGEST_OFFSET_BYTES and offset == int(offset)):
        expected = f"voxels that begin within {LARGEST_OFFSET_BYTES} bytes (vox_offset)"
        raise damaged(path, expected, f"{offset:g}")
    letters = _TYPES.get(header.datatype)
    bits = 8 * np.dtype(letters).itemsize if letters else header.bitpix
    if header.bitpix != bits:
        expected = f"{bits} bits a voxel of datatype {header.datatype}"
        raise damaged(path, expected, f"bitpix {header.bitpix}")


def _open_maybe_gzip(path: Path) -> BufferedIOBase:
    with path.open("rb") as stream:
        is_gzip = stream.read(2) == b"\x1f\x8b"
    return igzip.open(path, "rb") if is_gzip else path.open("rb")
