"""Read a segment of a DICOM SEG onto the grid of its scan.

Each frame is placed by its own position, orientation and pixel spacing, never by its number or by
the image that it refers to: frames may be in any order, cover a part of the slices or of their
area, and be stored mirrored, turned or along another axis than the scan. A slice without a frame
is empty. A pixel of a FRACTIONAL segment is inside from half of MaximumFractionalValue on.

Why not highdicom's ``get_volume``: it wants frames at equal distances, and its volume must still
be matched to the scan, which cuts off silently what lies outside. The tests compare with it.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.domain.geometry import Geometry
from pipeline.domain.reading import Reading
from pipeline.domain.scan import Region, Scan
from pipeline.ingest.dicom.frame_stack import stack_frames
from pipeline.ingest.dicom.mask_dataset import damage_reported, read_dataset, unreadable_mask
from pipeline.ingest.dicom.mask_frame import beyond_edge, check_frame_of_reference, off_grid
from pipeline.ingest.dicom.mask_labels import pick_label
from pipeline.ingest.dicom.segment_frames import (
    FramePlane,
    SegmentFrames,
    frames_of_segment,
    read_segments,
)
from pipeline.ingest.dicom.slice_spacing import other_spacing_mm
from pipeline.ingest.mask_resampling import resample_region

PIXEL_TOLERANCE = 0.03
"""Largest distance of a frame's corner pixels from the centres of their voxels, in voxels.

A pixel spacing rounded to four decimals moves the last of 512 pixels by 0.02; grids that really
differ do so by tenths at least, and over the width of a frame by whole voxels."""

SLICE_TOLERANCE = 0.1
"""Largest distance of a frame from its slice, in slice distances: as much as a slice of the image
may be off its place (:data:`pipeline.ingest.dicom.grid.PLACE_TOLERANCE`), because a SEG repeats
the position of the slice it was drawn on."""

_Mask = npt.NDArray[np.bool_]


def read_segment(
    path: Path, label: str | int | None, name: str, scan: Scan, reading: Reading
) -> Region:
    """Read a segment.

    Parameters
    ----------
    path : Path
        A SEG file: BINARY, FRACTIONAL or LABELMAP.
    label : str, int or None
        SegmentLabel or SegmentNumber; None takes the only segment.
    name : str
        Name of the region returned.
    scan : Scan
        The image that the segment belongs to.
    reading : Reading
        Whether a segment on another grid may be resampled.

    Returns
    -------
    Region
        On the grid of the scan; empty if the file names the segment and no pixel belongs to it.

    Raises
    ------
    ReadError
        If the file is damaged or has no such segment; if it lies in another frame of reference,
        reaches out of the image, or is not on its grid and may not be resampled.
    """
    with damage_reported(path):
        dataset = read_dataset(path)
        segment = pick_label(path, read_segments(dataset), label, name)
        frame = str(dataset.get("FrameOfReferenceUID", "") or "")
        check_frame_of_reference(path, frame, scan.frame_of_reference)
        frames = frames_of_segment(path, dataset, segment, reading)
        difference = _off_grid(frames, scan.geometry)
        if not difference:
            return Region(_place(frames, scan.geometry), scan.geometry, name)
        if not reading.resample_masks:
            raise off_grid(path, difference)
        inside, geometry = stack_frames(frames, reading)
    return resample_region(path, Region(inside, geometry, name), scan.geometry)


def _off_grid(frames: SegmentFrames, grid: Geometry) -> str:
    """Say how the frames differ from the grid of the scan; empty where pixels are its voxels."""
    planes = frames.planes()
    for plane in planes:
        difference = _difference(frames, plane, grid)
        if difference:
            return difference
    return _spacing_difference(frames, planes[0], grid) if planes else ""


def _spacing_difference(frames: SegmentFrames, plane: FramePlane, grid: Geometry) -> str:
    """Say where the frames belong to slices of another distance than the scan's.

    They can all lie on slices of the scan nevertheless, and would leave those between empty.
    """
    _, steps = _in_voxels(plane, grid)
    axis = int(np.argmin(np.abs(steps).sum(axis=0)))
    scan_mm = grid.spacing_mm[axis]
    own_mm = other_spacing_mm(frames, scan_mm)
    if own_mm is None:
        return ""
    return f"frames of slices {own_mm:.4g} mm apart on slices {scan_mm:.4g} mm apart"


def _difference(frames: SegmentFrames, plane: FramePlane, grid: Geometry) -> str:
    start, steps = _in_voxels(plane, grid)
    columns, rows = int(frames.dataset.Columns), int(frames.dataset.Rows)
    corners = np.array([(i, j) for i in (0, columns - 1) for j in (0, rows - 1)])
    off_voxels = (start + corners @ steps) - (start.round() + corners @ steps.round())
    off_mm = np.abs(off_voxels) * np.asarray(grid.spacing_mm)
    across = np.abs(steps).sum(axis=0) < 0.5  # the axis that a frame does not extend along
    allowed = np.where(across, SLICE_TOLERANCE, PIXEL_TOLERANCE)
    if _is_neighbour_step(steps) and (np.abs(off_voxels) <= allowed).all():
        return ""
    right_mm, down_mm = np.linalg.norm([plane.along_row_mm, plane.along_column_mm], axis=1)
    first = ", ".join(f"{gap:.3g}" for gap in off_mm[0])
    return (
        f"pixels of {right_mm:.5g} x {down_mm:.5g} mm, first pixel ({first}) mm from the nearest"
        f" voxel along x, y, z, corners up to {off_mm.max():.3g} mm off"
    )


def _is_neighbour_step(steps: npt.NDArray[np.float64]) -> bool:
    """Tell whether steps to the next pixel are steps to the next voxel along two axes."""
    along = np.abs(steps).round()
    return bool((along.sum(axis=1) == 1).all() and (along.sum(axis=0) <= 1).all())


def _place(frames: SegmentFrames, grid: Geometry) -> _Mask:
    inside = np.zeros(grid.shape_zyx, dtype=np.bool_)
    filled: set[tuple[int, ...]] = set()
    for plane, mask in zip(frames.planes(), frames.masks(), strict=True):
        if not mask.any():
            continue
        start, steps = (values.round().astype(np.int64) for values in _in_voxels(plane, grid))
        _check_first(frames.path, (*start.tolist(), *steps.ravel().tolist()), filled)
        rows, columns = np.nonzero(mask)
        voxels = start + np.stack([columns, rows], axis=1) @ steps
        _check_within(frames.path, voxels, grid)
        inside[voxels[:, 2], voxels[:, 1], voxels[:, 0]] = True
    return inside


def _in_voxels(
    plane: FramePlane, grid: Geometry
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return a frame's first pixel and its steps along rows and columns in voxels (x, y, z)."""
    steps_mm = np.stack([np.zeros(3), plane.along_row_mm, plane.along_column_mm])
    voxels = grid.to_voxels(plane.position_mm + steps_mm)
    return voxels[0], voxels[1:] - voxels[0]


def _check_first(path: Path, place: tuple[int, ...], filled: set[tuple[int, ...]]) -> None:
    """Refuse a second frame of one segment at one place, as in files of several time points."""
    if place in filled:
        raise unreadable_mask(path, "one frame of a segment at a place", "two that hold pixels")
    filled.add(place)


def _check_within(path: Path, voxels: npt.NDArray[np.int64], grid: Geometry) -> None:
    beyond = np.maximum(-voxels, voxels - (np.asarray(grid.size) - 1)).max(axis=0)
    if (beyond > 0).any():
        raise beyond_edge(path, float((beyond * np.asarray(grid.spacing_mm)).max()))
