"""The frames of a DICOM SEG: which segment each belongs to, where it lies, what it holds.

PS3.3 C.8.20 (Segmentation), C.7.6.16 (functional groups). A functional group is either shared by
all frames or given for each.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom

from pipeline.domain.reading import Reading
from pipeline.ingest.dicom.frame_pixels import frame_pixels
from pipeline.ingest.dicom.mask_dataset import unreadable_mask
from pipeline.ingest.dicom.mask_frame import FAR_MM
from pipeline.ingest.dicom.mask_labels import Labelled
from pipeline.ingest.limits import check_voxel_count

_KINDS = ("BINARY", "FRACTIONAL", "LABELMAP")


@dataclass(frozen=True, slots=True)
class FramePlane:
    """Where the pixels of a frame lie.

    Parameters
    ----------
    position_mm : numpy.ndarray, shape (3,)
        Centre of the first pixel (ImagePositionPatient).
    along_row_mm, along_column_mm : numpy.ndarray, shape (3,)
        Steps to the next pixel of a row (the next column, x) and of a column (the next row, y).
    """

    position_mm: npt.NDArray[np.float64]
    along_row_mm: npt.NDArray[np.float64]
    along_column_mm: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SegmentFrames:
    """The frames of a SEG that can hold one segment, in the file's order.

    Parameters
    ----------
    path : Path
        The file, for messages.
    dataset : pydicom.Dataset
        The whole file.
    segment : int
        SegmentNumber.
    numbers : tuple of int
        Frames, from 0.
    """

    path: Path
    dataset: pydicom.Dataset
    segment: int
    numbers: tuple[int, ...]

    def planes(self) -> list[FramePlane]:
        """Return where each frame lies."""
        shared = _first(self.dataset.SharedFunctionalGroupsSequence)
        frames = self.dataset.PerFrameFunctionalGroupsSequence
        return [_plane(self.path, frames[number], shared) for number in self.numbers]

    def all_planes(self) -> list[FramePlane]:
        """Return where each frame of the file lies, whatever its segment."""
        shared = _first(self.dataset.SharedFunctionalGroupsSequence)
        frames = self.dataset.PerFrameFunctionalGroupsSequence
        return [_plane(self.path, frame, shared) for frame in frames]

    def stated_mm(self, keyword: str) -> float:
        """Return a length of PixelMeasuresSequence in the segment's first frame, 0 where absent.

        Parameters
        ----------
        keyword : str
            ``SpacingBetweenSlices`` or ``SliceThickness``.
        """
        shared = _first(self.dataset.SharedFunctionalGroupsSequence)
        frame = self.dataset.PerFrameFunctionalGroupsSequence[self.numbers[0]]
        length_mm = float(_group(frame, shared, "PixelMeasuresSequence").get(keyword) or 0)
        return length_mm if 0 < length_mm < np.inf else 0.0

    def masks(self) -> Iterator[npt.NDArray[np.bool_]]:
        """Yield the pixels of the segment in each frame, shape (y, x), one frame at a time."""
        for pixels in frame_pixels(self.path, self.dataset, self.numbers):
            yield self._inside(pixels)

    def _inside(self, pixels: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
        kind = str(self.dataset.SegmentationType)
        if kind == "LABELMAP":
            return np.asarray(pixels == self.segment)
        if kind == "FRACTIONAL":
            full = int(self.dataset.MaximumFractionalValue)
            return np.asarray(2 * pixels.astype(np.int64) >= full)
        return np.asarray(pixels != 0)


def read_segments(dataset: pydicom.Dataset) -> tuple[Labelled, ...]:
    """Return the segments of a SEG, without the background of a label map.

    The background is what no segment claims: number 0, and the Pixel Padding Value (PS3.3
    C.8.20.2), which some writers list as a segment too.
    """
    background = {0, dataset.get("PixelPaddingValue")} if _is_label_map(dataset) else set()
    found = (
        Labelled(int(item.SegmentNumber), str(item.get("SegmentLabel", "") or ""))
        for item in dataset.get("SegmentSequence") or []
    )
    return tuple(segment for segment in found if segment.number not in background)


def frames_of_segment(
    path: Path, dataset: pydicom.Dataset, segment: int, reading: Reading
) -> SegmentFrames:
    """Return the frames that can hold a segment: its own, or all of a label map.

    Parameters
    ----------
    path : Path
        The file, for messages.
    dataset : pydicom.Dataset
        A SEG.
    segment : int
        SegmentNumber.
    reading : Reading
        Its ``max_voxels`` limits what these frames hold together.

    Raises
    ------
    ReadError
        If the counts in the header contradict each other, or announce too many voxels.
    """
    kind = str(dataset.get("SegmentationType", ""))
    if kind not in _KINDS:
        raise unreadable_mask(path, f"a SegmentationType of {', '.join(_KINDS)}", "another")
    if kind == "FRACTIONAL" and int(dataset.MaximumFractionalValue) < 1:
        raise unreadable_mask(path, "a positive MaximumFractionalValue", "zero or less")
    frames = dataset.PerFrameFunctionalGroupsSequence
    announced = int(dataset.NumberOfFrames)
    if announced != len(frames):
        raise unreadable_mask(path, f"the {announced} frames announced", f"{len(frames)}")
    numbers = list(range(announced))
    if not _is_label_map(dataset):
        shared = _first(dataset.SharedFunctionalGroupsSequence)
        numbers = [i for i in numbers if _segment_number(frames[i], shared) == segment]
    size = (int(dataset.Columns), int(dataset.Rows))
    if min(size) < 1:
        raise unreadable_mask(path, "a positive number of rows and columns", f"{size}")
    check_voxel_count(path, (*size, len(numbers)), reading)
    return SegmentFrames(path, dataset, segment, tuple(numbers))


def _is_label_map(dataset: pydicom.Dataset) -> bool:
    return str(dataset.get("SegmentationType", "")) == "LABELMAP"


def _segment_number(frame: pydicom.Dataset, shared: pydicom.Dataset) -> int:
    return int(_group(frame, shared, "SegmentIdentificationSequence").ReferencedSegmentNumber)


def _plane(path: Path, frame: pydicom.Dataset, shared: pydicom.Dataset) -> FramePlane:
    position = _group(frame, shared, "PlanePositionSequence").ImagePositionPatient
    orientation = _group(frame, shared, "PlaneOrientationSequence").ImageOrientationPatient
    # PixelSpacing is the distance of rows, then of columns (PS3.3 10.7.1.3).
    rows_mm, columns_mm = _group(frame, shared, "PixelMeasuresSequence").PixelSpacing
    axes = np.asarray(orientation, dtype=float).reshape(2, 3)
    plane = FramePlane(
        np.asarray(position, dtype=float).reshape(3),
        axes[0] * float(columns_mm),
        axes[1] * float(rows_mm),
    )
    numbers = np.concatenate([plane.position_mm, plane.along_row_mm, plane.along_column_mm])
    # Written so that NaN fails.
    if not (np.abs(numbers).max() <= FAR_MM and min(float(rows_mm), float(columns_mm)) > 0):
        raise unreadable_mask(path, f"positions within {FAR_MM:g} mm, positive spacing", "others")
    if not np.allclose(axes @ axes.T, np.eye(2), rtol=0, atol=1e-3):
        raise unreadable_mask(path, "perpendicular rows and columns", "sheared frames")
    return plane


def _group(frame: pydicom.Dataset, shared: pydicom.Dataset, keyword: str) -> pydicom.Dataset:
    """Return the item of a functional group, which is the frame's own or shared by all."""
    return _first(frame[keyword].value if keyword in frame else shared[keyword].value)


def _first(sequence: Sequence[pydicom.Dataset]) -> pydicom.Dataset:
    return sequence[0]
