# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Farthest pairs of the vertices of a marching-cubes mesh.

A vertex is the middle of two neighbouring voxels of which one is in the region. Coordinates are
doubled, so that they are whole: twice an index for the axes that the two voxels share, and odd for
the other. The farthest pair of a plane are vertices of its convex hull, which two monotone chains
find exactly (Andrew 1979, doi:10.1016/0020-0190(79)90072-3).
"""

from libc.string cimport memcpy

import numpy as np

cdef enum:
    WORD = 8  # bytes of a machine word
    FIRST_ON_HULL = 1
    LAST_ON_HULL = 2


def find_row_ends(
    const unsigned char[:, :, ::1] padded, int[:, ::1] first, int[:, ::1] last
):
    """Find the first and the last vertex of every row along the last axis.

    Parameters
    ----------
    padded : memoryview of uint8, shape (a, b, c)
        1 in the region, 0 outside and in the outermost layer.
    first, last : memoryview of int32, shape (2 a, 2 b)
        Doubled coordinate along c of the row's first and last vertex; rows without vertices, which
        are left as they are, must be negative.
    """
    cdef Py_ssize_t size = padded.shape[2]
    cdef Py_ssize_t a, b
    cdef const unsigned char* row
    with nogil:
        for a in range(padded.shape[0] - 1):
            for b in range(padded.shape[1] - 1):
                row = &padded[a, b, 0]
                find_ends(row, row + 1, size - 1, 1, &first[2 * a, 2 * b], &last[2 * a, 2 * b])
                find_ends(
                    row, row + size, size, 0, &first[2 * a, 2 * b + 1], &last[2 * a, 2 * b + 1]
                )
                find_ends(
                    row, row + padded.shape[1] * size, size, 0,
                    &first[2 * a + 1, 2 * b], &last[2 * a + 1, 2 * b],
                )


cdef inline void find_ends(
    const unsigned char* row, const unsigned char* next_row, Py_ssize_t size, int shift,
    int* first, int* last,
) noexcept nogil:
    """Set the doubled, shifted positions where two rows differ first and last, if they do."""
    cdef Py_ssize_t low = 0
    cdef Py_ssize_t high = size
    while low + WORD <= size and word(row + low) == word(next_row + low):
        low += WORD
    while low < size and row[low] == next_row[low]:
        low += 1
    if low == size:
        return
    while high - WORD > low and word(row + high - WORD) == word(next_row + high - WORD):
        high -= WORD
    while row[high - 1] == next_row[high - 1]:
        high -= 1
    first[0] = <int>(2 * low + shift)
    last[0] = <int>(2 * (high - 1) + shift)


cdef inline unsigned long long word(const unsigned char* start) noexcept nogil:
    """Read eight bytes, which need not be aligned."""
    cdef unsigned long long value
    memcpy(&value, start, WORD)
    return value


def find_planar_hulls(
    const int[:, :] first, const int[:, :] last, double row_mm, double along_mm,
    unsigned char[:, :] on_hull,
):
    """Mark the hull of every plane, and find the largest diameter in one.

    Parameters
    ----------
    first, last : memoryview of int32, shape (planes, rows)
        From `find_row_ends`; any strides.
    row_mm, along_mm : float
        Voxel distance across the rows and along them.
    on_hull : memoryview of uint8, shape (planes, rows)
        Set: bit 0 where the first vertex of the row is one of the plane's hull, bit 1 for the last.

    Returns
    -------
    float
        The largest squared distance in mm2 of two vertices in the same plane.
    """
    cdef long long[:, ::1] chain = np.empty((2 * first.shape[1], 2), dtype=np.int64)
    cdef double[:, ::1] points = np.empty((2 * first.shape[1], 2))
    cdef Py_ssize_t plane, left, right, k
    cdef double largest = 0.0
    with nogil:
        for plane in range(first.shape[0]):
            left = build_chain(first[plane], 1, chain)
            mark(chain, 0, left, FIRST_ON_HULL, on_hull[plane])
            right = build_chain(last[plane], -1, chain[left:])
            mark(chain, left, left + right, LAST_ON_HULL, on_hull[plane])
            for k in range(left + right):
                points[k, 0] = chain[k, 0] * 0.5 * row_mm
                points[k, 1] = chain[k, 1] * 0.5 * along_mm
            largest = max(largest, largest_distance(points, left + right))
    return largest


cdef Py_ssize_t build_chain(
    const int[:] ends, int sign, long long[:, ::1] chain
) noexcept nogil:
    """Write one side of a plane's hull as (row, position), and return how many vertices it has.

    ``sign`` is 1 for the first vertices of the rows, which bulge to lower positions, -1 for the
    last.
    """
    cdef Py_ssize_t size = 0
    cdef Py_ssize_t row
    for row in range(ends.shape[0]):
        if ends[row] < 0:
            continue
        while size > 1 and sign * turn(&chain[size - 2, 0], row, ends[row]) <= 0:
            size -= 1
        chain[size, 0] = row
        chain[size, 1] = ends[row]
        size += 1
    return size


cdef inline long long turn(const long long* two, long long row, long long position) noexcept nogil:
    """Return the cross product of the steps between two vertices of a chain and to a third."""
    cdef long long rows = two[2] - two[0]
    cdef long long along = two[3] - two[1]
    return rows * (position - two[3]) - along * (row - two[2])


cdef inline void mark(
    long long[:, ::1] chain, Py_ssize_t start, Py_ssize_t stop, unsigned char bit,
    unsigned char[:] on_hull,
) noexcept nogil:
    """Set a bit of the rows whose vertex is in a part of the chain."""
    cdef Py_ssize_t k
    for k in range(start, stop):
        on_hull[chain[k, 0]] |= bit


cdef double largest_distance(double[:, ::1] points, Py_ssize_t size) noexcept nogil:
    """Return the largest squared distance of the first ``size`` points of a plane."""
    cdef double largest = 0.0
    cdef double u, v, squared
    cdef Py_ssize_t i, j
    for i in range(size):
        for j in range(i):
            u = points[i, 0] - points[j, 0]
            v = points[i, 1] - points[j, 1]
            squared = u * u + v * v
            largest = squared if squared > largest else largest
    return largest


def find_farthest_pair(const double[:, ::1] points, const double[::1] radii):
    """Find the largest distance of points in space.

    Parameters
    ----------
    points : memoryview of float64, shape (points, 3)
        In mm, ordered by descending distance from any one centre.
    radii : memoryview of float64, shape (points,)
        Those distances in mm. Two points are no farther apart than the sum of theirs, which ends
        the search early.

    Returns
    -------
    float
        The largest squared distance in mm2.
    """
    cdef double largest = 0.0
    cdef double x, y, z, squared, needed
    cdef Py_ssize_t i, j
    with nogil:
        for i in range(points.shape[0]):
            # The margin, far above rounding, keeps every pair that could be the farthest.
            needed = largest ** 0.5 * (1 - 1e-9) - radii[i]
            for j in range(i + 1, points.shape[0]):
                if radii[j] < needed:
                    break
                z = points[i, 0] - points[j, 0]
                y = points[i, 1] - points[j, 1]
                x = points[i, 2] - points[j, 2]
                squared = z * z + y * y + x * x
                largest = squared if squared > largest else largest
    return largest
