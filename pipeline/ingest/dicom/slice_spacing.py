"""How far apart the slices are that a DICOM SEG was drawn on.

Only slices with something on them need a frame, so the gaps between a segment's frames may be many
slices. Read as the spacing, such a gap would join separate lesions; and frames of thick slices
that happen to lie on the thin slices of another series would leave every second one empty.

Positions are more reliable than headers, and SpacingBetweenSlices more than SliceThickness: slices
may overlap (CT reconstructed every 2.5 mm, 5 mm thick) or leave gaps (MR every 5 mm, 4 mm thick).
"""

import numpy as np

from pipeline.ingest.dicom.segment_frames import FramePlane, SegmentFrames

SPACING_TOLERANCE = 0.02
"""Largest difference of two slice spacings that count as the same, as a fraction."""

NEIGHBOUR_TOLERANCE = 0.2
"""The same for a distance measured between frames: each may be a tenth of it off its place."""

CLOSER = 0.85
"""Frames nearer to each other than this part of the stated distance contradict it; some writers
state the thickness of overlapping slices as their distance."""

THINNEST = 0.5
"""Slices that leave gaps are at least this part of their distance thick, as a rule."""

_SAME_PLACE_MM = 1e-3


def slice_spacing_mm(frames: SegmentFrames) -> float | None:
    """Return the distance of the slices that a SEG was drawn on, judged from the SEG alone.

    SpacingBetweenSlices where frames do not contradict it; else the distance of neighbouring
    frames, whatever their segments; and SliceThickness where those are clearly further apart than
    slices are thick, or all frames lie in one plane.

    Returns
    -------
    float or None
        Millimetres along the frames' normal; None where nothing tells it.
    """
    gap_mm = _usual_gap_mm(frames.all_planes())
    return _stated_mm(frames, gap_mm) or _guessed_mm(frames, gap_mm)


def other_spacing_mm(frames: SegmentFrames, scan_mm: float) -> float | None:
    """Return the distance of a SEG's slices where it is not that of the scan's.

    Parameters
    ----------
    frames : SegmentFrames
        Which all lie on slices of the scan.
    scan_mm : float
        Distance of the scan's slices along the frames' normal.

    Returns
    -------
    float or None
        Millimetres; None where it is the scan's, or nothing tells it. Where only SliceThickness is
        known and does not fit the scan, overlapping slices look like thicker ones: they are then
        taken for thicker ones, which refuses them, because the contrary loses half a lesion.
    """
    gap_mm = _usual_gap_mm(frames.all_planes())
    if gap_mm is not None and _are_close(gap_mm, scan_mm, SPACING_TOLERANCE):
        return None
    stated_mm = _stated_mm(frames, gap_mm)
    if stated_mm:
        return None if _are_close(stated_mm, scan_mm, SPACING_TOLERANCE) else stated_mm
    thickness_mm = frames.stated_mm("SliceThickness")
    if THINNEST * scan_mm < thickness_mm <= (1 + SPACING_TOLERANCE) * scan_mm:
        return None
    own_mm = _guessed_mm(frames, gap_mm)
    if own_mm is None or (own_mm == gap_mm and _are_close(own_mm, scan_mm, NEIGHBOUR_TOLERANCE)):
        return None
    return own_mm


def _stated_mm(frames: SegmentFrames, gap_mm: float | None) -> float:
    """Return SpacingBetweenSlices, 0 where it is absent or frames are plainly closer."""
    stated_mm = frames.stated_mm("SpacingBetweenSlices")
    return stated_mm if gap_mm is None or stated_mm * CLOSER <= gap_mm else 0.0


def _guessed_mm(frames: SegmentFrames, gap_mm: float | None) -> float | None:
    thickness_mm = frames.stated_mm("SliceThickness")
    if gap_mm is None:
        return thickness_mm or None
    limit_mm = (1 + SPACING_TOLERANCE) * THINNEST * gap_mm
    return thickness_mm if 0 < thickness_mm <= limit_mm else gap_mm


def _are_close(own_mm: float, scan_mm: float, tolerance: float) -> bool:
    return abs(own_mm - scan_mm) <= tolerance * scan_mm


def _usual_gap_mm(planes: list[FramePlane]) -> float | None:
    """Return the distance of neighbouring frames, None where all lie in one plane."""
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
