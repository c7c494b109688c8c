"""Find contours of one slice that are one contour stored twice.

By the even-odd rule two equal contours cancel, and of two that differ by a fraction of a voxel a
thin ring remains: a lesion would vanish without a word. Which of the two is meant, and whether the
rest of the file is to be trusted, is not for a reader to decide: such a file is refused.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from pipeline.ingest.dicom.rasterise import fill_even_odd

SAME_OUTLINE = (0.1, 0.01)
"""Two contours are the same, wherever they begin and whichever way they go, if the sides of their
bounding boxes and their centroids differ by at most this (voxels) and their areas by this
fraction."""

NEARLY_SAME = (0.5, 0.98)
"""They also are if the sides of their bounding boxes differ by at most this (voxels) and the Dice
coefficient of the voxels in each exceeds this: moved or redrawn by a fraction of a voxel. A hole
is further from its outline, since no wall is drawn thinner than a voxel."""

_Points = npt.NDArray[np.float64]


def has_twins(contours: Sequence[_Points]) -> bool:
    """Tell whether two of the contours of a slice are nearly the same.

    Parameters
    ----------
    contours : sequence of numpy.ndarray, each of shape (points, 2)
        Corners in voxels, x and y.
    """
    return any(_are_twins(contours[i], contours[j]) for i, j in _alike_boxes(contours))


def box(contour: _Points) -> _Points:
    """Return the bounding box of a contour: lowest x and y, highest x and y."""
    corners = contour[:, :2]
    return np.concatenate([corners.min(axis=0), corners.max(axis=0)])


def _alike_boxes(contours: Sequence[_Points]) -> Iterator[tuple[int, int]]:
    """Yield pairs of contours whose boxes are alike; sorted, so that few need comparing."""
    boxes = np.array([box(contour) for contour in contours])
    order = np.argsort(boxes[:, 0], kind="stable")
    boxes = boxes[order]
    ends = np.searchsorted(boxes[:, 0], boxes[:, 0] + NEARLY_SAME[0], side="right")
    for i, end in enumerate(ends):
        off = np.abs(boxes[i + 1 : end] - boxes[i])
        for j in np.flatnonzero((off <= NEARLY_SAME[0]).all(axis=1)):
            yield int(order[i]), int(order[i + 1 + j])


def _are_twins(one: _Points, other: _Points) -> bool:
    most_voxels, area_share = SAME_OUTLINE
    if np.abs(box(one) - box(other)).max() <= most_voxels:
        (area, centre), (area_2, centre_2) = _area(one), _area(other)
        moved = float(np.abs(centre - centre_2).max())
        if moved <= most_voxels and abs(area - area_2) <= area_share * max(area, area_2):
            return True
    return _dice(one, other) > NEARLY_SAME[1]


def _area(contour: _Points) -> tuple[float, _Points]:
    """Return the enclosed area in voxels and the centroid (shoelace formula)."""
    start = contour[0, :2]
    x, y = (contour[:, :2] - start).T
    next_x, next_y = np.roll(x, -1), np.roll(y, -1)
    cross = x * next_y - next_x * y
    twice = float(cross.sum())
    if abs(twice) < 1e-9:  # encloses nothing
        return 0.0, contour[:, :2].mean(axis=0)
    moments = np.array([((x + next_x) * cross).sum(), ((y + next_y) * cross).sum()])
    return abs(twice) / 2, start + moments / (3 * twice)


def _dice(one: _Points, other: _Points) -> float:
    """Return the Dice coefficient of the voxels within two contours, 0 where there are none."""
    boxes = np.array([box(one), box(other)])
    low, high = np.floor(boxes[:, :2].min(axis=0)), np.ceil(boxes[:, 2:].max(axis=0))
    columns, rows = (high - low).astype(int) + 1
    first, second = (fill_even_odd([c[:, :2] - low], (rows, columns)) for c in (one, other))
    total = int(first.sum()) + int(second.sum())
    return 2 * int((first & second).sum()) / total if total else 0.0
