"""Stack the frames of a segment to a volume of its own, where it is not on the scan's grid."""

import numpy as np
import numpy.typing as npt

from pipeline.domain.geometry import Geometry
from pipeline.domain.reading import Reading
from pipeline.ingest.dicom.mask_dataset import unreadable_mask
from pipeline.ingest.dicom.segment_frames import FramePlane, SegmentFrames
from pipeline.ingest.dicom.slice_spacing import slice_spacing_mm
from pipeline.ingest.limits import check_voxel_count
from pipeline.ingest.read_error import ReadError

GAP_TOLERANCE = 0.02
"""Largest deviation of a distance between frames from a multiple of the slice spacing."""

DRIFT_TOLERANCE_MM = 0.1
"""Largest sideways shift between frames of one stack."""

_Heights = npt.NDArray[np.float64]


def stack_frames(frames: SegmentFrames, reading: Reading) -> tuple[npt.NDArray[np.bool_], Geometry]:
    """Return a segment as a volume on the grid of its frames; absent frames are empty slices.

    The distance of slices is that of :func:`pipeline.ingest.dicom.slice_spacing.slice_spacing_mm`.

    Raises
    ------
    ReadError
        If the frames are not parallel, shifted sideways, or at unequal distances.
    """
    planes = frames.planes()
    if not planes:
        raise unreadable_mask(frames.path, "frames of the segment", "none")
    heights, normal = _heights(frames, planes)
    spacing_mm = slice_spacing_mm(frames)
    if not spacing_mm:
        raise _irregular(frames, "a single frame of unknown thickness")
    numbers = np.rint((heights - heights.min()) / spacing_mm).astype(np.int64)
    off = np.abs((heights - heights.min()) / spacing_mm - numbers).max()
    if off > GAP_TOLERANCE or len(set(numbers.tolist())) < len(numbers):
        raise _irregular(frames, f"distances that are no multiples of {spacing_mm:.4g} mm")
    geometry = _geometry(frames, planes[int(heights.argmin())], normal, spacing_mm, numbers)
    check_voxel_count(frames.path, geometry.size, reading)
    inside = np.zeros(geometry.shape_zyx, dtype=np.bool_)
    for number, mask in zip(numbers, frames.masks(), strict=True):
        inside[number] = mask
    return inside, geometry


def _heights(
    frames: SegmentFrames, planes: list[FramePlane]
) -> tuple[_Heights, npt.NDArray[np.float64]]:
    """Return the positions of the frames along their common normal, in millimetres."""
    first = planes[0]
    normal = np.cross(_unit(first.along_row_mm), _unit(first.along_column_mm))
    normal = _unit(normal)
    for plane in planes:
        shift = plane.position_mm - first.position_mm
        drift = float(np.linalg.norm(shift - (shift @ normal) * normal))
        turned = not (
            np.allclose(plane.along_row_mm, first.along_row_mm, rtol=0, atol=1e-4)
            and np.allclose(plane.along_column_mm, first.along_column_mm, rtol=0, atol=1e-4)
        )
        if turned or drift > DRIFT_TOLERANCE_MM:
            raise _irregular(frames, "another orientation" if turned else f"a {drift:.3g} mm shift")
    return np.array([float(plane.position_mm @ normal) for plane in planes]), normal


def _geometry(
    frames: SegmentFrames,
    lowest: FramePlane,
    normal: npt.NDArray[np.float64],
    spacing_mm: float,
    numbers: npt.NDArray[np.int64],
) -> Geometry:
    right, down = lowest.along_row_mm, lowest.along_column_mm
    direction = np.column_stack([_unit(right), _unit(down), normal])
    x, y, z = lowest.position_mm
    return Geometry(
        size=(int(frames.dataset.Columns), int(frames.dataset.Rows), int(numbers.max()) + 1),
        spacing_mm=(float(np.linalg.norm(right)), float(np.linalg.norm(down)), spacing_mm),
        origin_mm=(float(x), float(y), float(z)),
        direction=tuple(direction.ravel().tolist()),
    )


def _unit(vector: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    unit: npt.NDArray[np.float64] = vector / np.linalg.norm(vector)
    return unit


def _irregular(frames: SegmentFrames, got: str) -> ReadError:
    return unreadable_mask(frames.path, "parallel frames at equal distances, to resample", got)
