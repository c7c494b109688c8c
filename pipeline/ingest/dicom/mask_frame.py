"""Whether a mask lies where its scan lies: errors that all kinds of masks share."""

from pathlib import Path

from pipeline.ingest.codes import Code
from pipeline.ingest.read_error import ReadError

FAR_MM = 1e5
"""Coordinates beyond 100 m are damage, not places in a patient."""


def check_frame_of_reference(path: Path, mask_frame: str, scan_frame: str) -> None:
    """Refuse a mask whose positions mean other places than the scan's.

    Parameters
    ----------
    path : Path
        The mask, for the message.
    mask_frame, scan_frame : str
        Frame of Reference UIDs (PS3.3 C.7.4.1); where one is empty, nothing is known and nothing
        refused. They identify an examination and do not appear in the message.

    Raises
    ------
    ReadError
        ``frame-differs`` if both are known and differ. Such a mask must be registered to the
        image, which no resampling replaces.
    """
    if not mask_frame or not scan_frame or mask_frame == scan_frame:
        return
    raise ReadError(
        path,
        "was drawn in another frame of reference than its image",
        expected="the image's Frame of Reference UID",
        got="another",
        next_step="Name the image that the mask was drawn on, or register the two.",
        code=Code.FRAME_DIFFERS,
    )


def off_grid(path: Path, difference: str) -> ReadError:
    """Return the error of a mask that would have to be resampled, for the caller to raise."""
    return ReadError(
        path,
        "is not on the grid of its image",
        expected="voxels that are voxels of the image",
        got=difference,
        next_step="Name the image that the mask was drawn on; or set resample_masks: true in"
        " cohort.yaml, and look at the two.",
        code=Code.MASK_OFF_GRID,
    )


def beyond_edge(path: Path, distance_mm: float) -> ReadError:
    """Return the error of a mask that reaches out of its image, for the caller to raise."""
    return ReadError(
        path,
        "lies partly outside its image",
        expected="a mask drawn on this image",
        got=f"voxels or contours up to {distance_mm:.4g} mm beyond the image's edge",
        next_step="Check that image and mask belong together and that the image is complete.",
        code=Code.MASK_OFF_GRID,
    )
