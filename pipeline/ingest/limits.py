"""Refuse images that would take more memory than any clinical scan, before memory is taken."""

from collections.abc import Sequence
from math import prod
from pathlib import Path

from pipeline.domain.reading import Reading
from pipeline.ingest.codes import Code
from pipeline.ingest.read_error import ReadError

MOST_EXPANSION = 1032
"""Bytes that one byte of a deflate stream can become at most (zlib's technical details)."""

_HEADER_ALLOWANCE_BYTES = 1 << 10


def check_voxel_count(path: Path, size: Sequence[int], reading: Reading) -> None:
    """Refuse an image whose header announces more voxels than allowed.

    Parameters
    ----------
    path : Path
        The image, for the message.
    size : sequence of int
        Voxels along each axis, as announced.
    reading : Reading
        Its ``max_voxels`` is the limit.

    Raises
    ------
    ReadError
        If there are more.
    """
    voxels = prod(int(length) for length in size)
    if voxels <= reading.max_voxels:
        return
    raise ReadError(
        path,
        "announces more voxels than are read",
        expected=f"at most {reading.max_voxels} voxels (max_voxels in cohort.yaml)",
        got=f"{voxels} ({' x '.join(str(length) for length in size)})",
        next_step="Export the image again; if it is sound, raise max_voxels.",
        code=Code.IMAGE_TOO_LARGE,
    )


def check_expansion(path: Path, stored_bytes: int, announced_bytes: int) -> None:
    """Refuse a file whose voxels cannot be in it, compressed or not.

    ITK takes the memory for all of them before it finds out.

    Parameters
    ----------
    path : Path
        The image, for the message.
    stored_bytes : int
        Length of the file that holds the voxels.
    announced_bytes : int
        Bytes of the voxels in memory by the header.

    Raises
    ------
    ReadError
        If they are more than the file can hold.
    """
    most = (stored_bytes + _HEADER_ALLOWANCE_BYTES) * MOST_EXPANSION
    if announced_bytes <= most:
        return
    raise ReadError(
        path,
        "announces more voxels than it can hold",
        expected=f"at most {most} bytes of voxels in a file of {stored_bytes}",
        got=f"{announced_bytes} announced",
        next_step="Copy the file again from its source, or export it again.",
    )
