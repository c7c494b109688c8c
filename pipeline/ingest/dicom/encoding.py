"""How the pixels of a DICOM file are stored."""

from dataclasses import dataclass

import pydicom

from pipeline.ingest.dicom.attributes import whole


@dataclass(frozen=True, slots=True)
class Encoding:
    """How the pixels of a file are stored (PS3.3 C.7.6.3, PS3.5 section 8).

    Parameters
    ----------
    transfer_syntax : str
        UID; empty in files without meta information, which are not compressed.
    offset : int
        Where the pixel data element begins, in bytes (in a deflated file: once inflated).
    frames, rows, columns : int
        Size.
    bits_allocated, bits_stored, high_bit : int
        Width of a stored value and which of its bits count.
    signed : bool
        Two's complement.
    """

    transfer_syntax: str
    offset: int
    frames: int
    rows: int
    columns: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool


def make_encoding(header: pydicom.Dataset, transfer_syntax: str, offset: int) -> Encoding:
    """Read how a file stores its pixels; absent attributes become 0."""
    stored = whole(header, "BitsStored") or whole(header, "BitsAllocated") or 0
    high_bit = whole(header, "HighBit")
    frames = whole(header, "NumberOfFrames")
    return Encoding(
        transfer_syntax,
        offset,
        1 if frames is None else frames,
        rows=whole(header, "Rows") or 0,
        columns=whole(header, "Columns") or 0,
        bits_allocated=whole(header, "BitsAllocated") or 0,
        bits_stored=stored,
        high_bit=stored - 1 if high_bit is None else high_bit,
        signed=whole(header, "PixelRepresentation") == 1,
    )
