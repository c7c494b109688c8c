"""What a compressed image announces of itself, read before a decoder allocates memory for it.

Sizes are checked because a decoder trusts them; the end because decoders of the JPEG family fill
what is missing from a truncated image with zeros or grey, without an error.
"""

from dataclasses import dataclass

_JPEG_START, _JPEG_END = b"\xff\xd8", b"\xff\xd9"
_JPEG2000_START = b"\xff\x4f\xff\x51"  # markers of start and size, ISO/IEC 15444-1 annex A
_FRAME_MARKERS = frozenset({*range(0xC0, 0xD0), 0xF7}) - {0xC4, 0xC8, 0xCC}
"""SOF0 to SOF15 without DHT, JPG, DAC (ISO/IEC 10918-1 table B.1); SOF55 of JPEG-LS."""


@dataclass(frozen=True, slots=True)
class FrameSize:
    """Rows, columns and values a voxel of a compressed image."""

    rows: int
    columns: int
    samples: int


def is_complete(data: bytes) -> bool:
    """Tell whether a JPEG, JPEG-LS or JPEG 2000 image ends with its end marker and padding.

    PS3.5 section A.4 pads with one zero byte; some encoders pad with 0xFF.
    """
    return data.rstrip(b"\0\xff").endswith(_JPEG_END)


def frame_size(data: bytes) -> FrameSize | None:
    """Return the size that a JPEG, JPEG-LS or JPEG 2000 image announces; None where it has none."""
    start = data.find(_JPEG2000_START, 0, 4096)
    if start >= 0:
        return _jpeg2000_size(data[start + 4 : start + 4 + 38])
    return _jpeg_size(data) if data.startswith(_JPEG_START) else None


def _jpeg2000_size(segment: bytes) -> FrameSize | None:
    if len(segment) < 38:
        return None
    right, bottom, left, top = (
        int.from_bytes(segment[at : at + 4], "big") for at in (4, 8, 12, 16)
    )
    return FrameSize(bottom - top, right - left, int.from_bytes(segment[36:38], "big"))


def _jpeg_size(data: bytes) -> FrameSize | None:
    at = len(_JPEG_START)
    while at + 10 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker in _FRAME_MARKERS:
            rows, columns = (int.from_bytes(data[i : i + 2], "big") for i in (at + 5, at + 7))
            return FrameSize(rows, columns, data[at + 9])
        at += 1 if marker == 0xFF else 2 + max(length, 2)  # 0xFF may fill up before a marker
    return None
