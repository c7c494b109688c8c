"""Refuse images that would take more memory than any clinical scan, before memory is taken."""

from collections.abc import Sequence
from math import prod
from pathlib import Path

from pipeline.domain.reading import Reading
from pipeline.ingest.codes import Code
from pipeline.ingest.read_error import ReadError


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
