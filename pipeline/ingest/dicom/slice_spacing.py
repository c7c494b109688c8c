"""How far apart the slices are that a DICOM SEG was drawn on.

Only slices with something on them need a frame, so the gaps between a segment's frames may be many
slices. Read as the spacing, such a gap would join separate lesions; and frames of thick slices
that happen to lie on the thin slices of another series would leave every second one empty.
"""

import numpy as np

from pipeline.ingest.dicom.segment_frames import FramePlane, SegmentFrames

SPACING_TOLERANCE = 0.02
"""Largest difference of two slice spacings that count as the same, as a fraction."""

CLOSER = 0.75
"""Frames nearer to each other than this part of the stated distance contradict it; slices that are
off their places by a tenth of their distance each, as is accepted, are not."""

_SAME_PLACE_MM = 1e-3


def slice_spacing_mm(frames: SegmentFrames) -> float | None:
    """Return the distance of the slices that a SEG was drawn on.

    SpacingBetweenSlices where it is stated, else SliceThickness; but not where frames of the file,
    whatever their segments, are plainly closer: slices overlap where they are thicker than their
    distance, and some writers state the thickness as the distance.

    Returns
    -------
    float or None
        Millimetres along the frames' normal. None where all frames lie in one plane and
        SpacingBetweenSlices is not stated.
    """
    gap_mm = _usual_gap_mm(frames.all_planes())
    stated_mm = frames.stated_mm("SpacingBetweenSlices")
    if gap_mm is None:
        return stated_mm or None
    stated_mm = stated_mm or frames.stated_mm("SliceThickness")
    return stated_mm if 0 < stated_mm * CLOSER <= gap_mm else gap_mm


def _usual_gap_mm(planes: list[FramePlane]) -> float | None:
    first = planes[0]
    normal = np.cross(first.along_row_mm, first.along_column_mm)
    normal = normal / np.linalg.norm(normal)
    heights = np.sort([float(plane.position_mm @ normal) for plane in planes])
    gaps = np.diff(heights)
    apart = gaps[gaps > _SAME_PLACE_MM]
    if not len(apart):
        return None
    neighbours = apart[apart < 1.5 * apart.min()]
    return float(np.median(neighbours))
