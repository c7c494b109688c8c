"""Find images that are in the cohort twice under different names, by their voxels."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from pipeline.domain.cohort import ScanRow
from pipeline.domain.problem import Problem
from pipeline.ingest.codes import Code
from pipeline.ingest.row_problem import about

_OTHERS_SHOWN = 3


def hash_voxels(voxels: npt.NDArray[np.generic]) -> str:
    """Return a fingerprint of the values of an image, whatever type they are stored in.

    Parameters
    ----------
    voxels : numpy.ndarray, shape (z, y, x)
        Compared as 32-bit floating point, which holds CT and PET values and 16-bit integers
        exactly. The geometry does not count, so that a copy with a mended header is found;
        a copy that is cropped, shifted or compressed with loss is not.

    Returns
    -------
    str
        SHA-256 of shape and values, hexadecimal; empty for a constant image, which is no image.
    """
    if voxels.min() == voxels.max():
        return ""
    digest = hashlib.sha256(repr(voxels.shape).encode())
    for plane in voxels:  # plane by plane: no second copy of the volume
        digest.update(np.ascontiguousarray(plane, dtype="<f4").data)
    return digest.hexdigest()


def find_duplicate_images(
    hashes: Iterable[tuple[int, ScanRow, str]],
) -> Iterator[tuple[int, Problem]]:
    """List images with the voxels of another patient, time point or phase.

    Parameters
    ----------
    hashes : iterable of (int, ScanRow, str)
        Number of a row, the row, and the fingerprint of its image, once an image; an empty
        fingerprint equals no other.

    Yields
    ------
    (int, Problem)
        One for each image concerned, since nobody knows which of them is the right one. Copies
        of one scan for several lesions are no problem.
    """
    members: dict[str, list[tuple[int, ScanRow]]] = defaultdict(list)
    for number, row, voxel_hash in hashes:
        if voxel_hash:
            members[voxel_hash].append((number, row))
    for alike in members.values():
        for number, row in alike:
            others = [
                other
                for _, other in alike
                if _scan_name(other) != _scan_name(row) and other.image != row.image
            ]
            if others:
                yield number, _duplicate(row, others)


def _duplicate(row: ScanRow, others: list[ScanRow]) -> Problem:
    names = list(dict.fromkeys(f"{other.image} ({_scan_name(other)})" for other in others))
    more = f" and {len(names) - _OTHERS_SHOWN} more" if len(names) > _OTHERS_SHOWN else ""
    return about(row, row.image)(
        code=Code.IMAGE_DUPLICATE,
        what="the image has the voxels of another scan",
        expected=f"an image of {_scan_name(row)} alone",
        got=f"the voxels of {', '.join(names[:_OTHERS_SHOWN])}{more}",
        next_step="Find out whose image it is, and replace the other.",
    )


def _scan_name(row: ScanRow) -> str:
    return f"{row.patient_id}/{row.timepoint}/{row.modality}/{row.phase}"
