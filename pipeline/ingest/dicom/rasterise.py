"""Fill closed contours on a grid of pixels by the even-odd rule.

A pixel belongs to the filled area if a ray from its centre to the left crosses the contours an odd
number of times (Foley et al., Computer Graphics: Principles and Practice, 2nd ed., 1990, section
3.6). All contours of a slice count together: a contour within another is a hole, one within the
hole an island, and the two banks of a keyhole channel cancel.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

COORDINATE_DECIMALS = 6
"""Decimals of a pixel to which contour points are rounded.

Contours traced around pixels run through pixel centres or midway between them. Without rounding,
the last bits of the transformation into pixels would decide on which side such a centre lies."""


def fill_even_odd(
    contours: Sequence[npt.NDArray[np.float64]], shape: tuple[int, int]
) -> npt.NDArray[np.bool_]:
    """Return the pixels whose centres lie within an odd number of closed contours.

    A centre exactly on a contour is inside where the area lies to the right of it or below (at
    larger x or y), outside where the area lies to the left or above, so that areas that share a
    border never share a pixel nor leave one out.

    Parameters
    ----------
    contours : sequence of numpy.ndarray, each of shape (points, 2)
        Corners in pixels, x then y; pixel centres have whole coordinates. The last corner is
        joined to the first.
    shape : (int, int)
        Rows (y) and columns (x).

    Returns
    -------
    numpy.ndarray of bool, shape (y, x)
        What lies outside the grid is cut off.
    """
    rows, columns = shape
    flips = np.zeros((rows, columns + 1), dtype=np.int64)
    for contour in contours:
        corners = np.round(contour, COORDINATE_DECIMALS)
        row, crossing = _crossings(corners, np.roll(corners, -1, axis=0), rows)
        column = np.ceil(np.clip(crossing, 0, columns)).astype(np.int64)
        np.add.at(flips, (row, column), 1)
    inside: npt.NDArray[np.bool_] = np.cumsum(flips[:, :columns], axis=1) % 2 == 1
    return inside


def count_crossings(contour: npt.NDArray[np.float64]) -> int:
    """Return how often a closed contour crosses rows of pixel centres: the work to fill it."""
    return int(np.abs(np.diff(np.ceil(contour[:, 1]), append=np.ceil(contour[:1, 1]))).sum())


def _crossings(
    start: npt.NDArray[np.float64], end: npt.NDArray[np.float64], rows: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return row and x of each crossing of an edge with the centre line of a row.

    An edge crosses the rows from its upper end, included, to its lower end, excluded: corners on
    a centre line count once, and horizontal edges not at all.
    """
    upward = start[:, 1] > end[:, 1]
    top = np.where(upward[:, None], end, start)
    bottom = np.where(upward[:, None], start, end)
    first = np.clip(np.ceil(top[:, 1]), 0, rows).astype(np.int64)
    beyond = np.clip(np.ceil(bottom[:, 1]), 0, rows).astype(np.int64)
    counts = beyond - first
    edge = np.repeat(np.arange(len(counts)), counts)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts) + first[edge]
    run = (bottom - top)[edge]
    crossing = top[edge, 0] + (row - top[edge, 1]) * run[:, 0] / run[:, 1]
    return row, np.round(crossing, COORDINATE_DECIMALS)
