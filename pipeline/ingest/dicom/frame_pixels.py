"""Decode the frames of a DICOM SEG one at a time, so that a large file needs little memory.

One-bit pixels are packed without a gap between frames: a frame can begin and end within a byte
(PS3.5 section 8.1.1 and annex D). pydicom 3.0.2 loses the last pixels of such a frame when frames
are decoded singly, so these are unpacked here; all others are decoded by pydicom.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.pixels.utils import iter_pixels

from pipeline.ingest.dicom.mask_dataset import unreadable_mask

_Pixels = npt.NDArray[np.generic]


def frame_pixels(path: Path, dataset: pydicom.Dataset, numbers: Sequence[int]) -> Iterator[_Pixels]:
    """Yield the stored values of some frames.

    Parameters
    ----------
    path : Path
        The file, for messages.
    dataset : pydicom.Dataset
        A SEG whose rows and columns have been found to be of reasonable size.
    numbers : sequence of int
        Frames, from 0.

    Yields
    ------
    numpy.ndarray, shape (y, x)
        One frame, in the order of ``numbers``.

    Raises
    ------
    ReadError
        If pixels are missing.
    """
    if not numbers:
        return
    syntax = dataset.file_meta.TransferSyntaxUID
    if int(dataset.BitsAllocated) == 1 and not syntax.is_compressed:
        if not syntax.is_little_endian:
            raise unreadable_mask(path, "one-bit pixels in little-endian order", "big-endian")
        yield from _unpacked(path, dataset, numbers)
        return
    shape = (int(dataset.Rows), int(dataset.Columns))
    for pixels in iter_pixels(dataset, indices=list(numbers), raw=True):
        if pixels.shape != shape:
            raise unreadable_mask(path, f"frames of shape {shape}", f"{pixels.shape}")
        yield pixels


def _unpacked(path: Path, dataset: pydicom.Dataset, numbers: Sequence[int]) -> Iterator[_Pixels]:
    """Yield frames of one-bit pixels; the first pixel is the lowest bit of the first byte."""
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    content = np.frombuffer(dataset.PixelData, dtype=np.uint8)
    size = rows * columns
    needed = -(-int(dataset.NumberOfFrames) * size // 8)
    if len(content) - needed not in (0, 1):  # the length is made even
        # More bytes come from writers that begin each frame on a byte of its own.
        raise unreadable_mask(path, f"{needed} bytes of pixels", f"{len(content)}")
    for number in numbers:
        first, skipped = divmod(number * size, 8)
        packed = content[first : first + -(-(skipped + size) // 8)]
        bits = np.unpackbits(packed, bitorder="little")
        yield bits[skipped : skipped + size].reshape(rows, columns)
