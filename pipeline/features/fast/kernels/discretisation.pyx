# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Grey levels of the voxels of a region."""

from libc.stdint cimport int16_t, int32_t, int64_t

ctypedef fused voxel_t:
    int16_t
    float
    double


def find_range(const voxel_t[:, :, ::1] values, const unsigned char[:, :, ::1] inside):
    """Return the lowest and the highest value in the region, a pair of numbers.

    values and inside have the same shape (z, y, x), inside holds 0 and 1; the region has at least
    one voxel. Values that are not a number may be passed over.
    """
    cdef const voxel_t* value = &values[0, 0, 0]
    cdef const unsigned char* chosen = &inside[0, 0, 0]
    cdef Py_ssize_t size = values.shape[0] * values.shape[1] * values.shape[2]
    cdef Py_ssize_t voxel = 0
    cdef voxel_t low, high, here
    while not chosen[voxel] and voxel < size - 1:
        voxel += 1
    cdef voxel_t any_inside = value[voxel]
    low = high = any_inside
    with nogil:
        for voxel in range(size):
            here = value[voxel] if chosen[voxel] else any_inside
            low = here if here < low else low
            high = here if here > high else high
    return low, high


def assign_levels(
    const voxel_t[:, :, ::1] values,
    const unsigned char[:, :, ::1] inside,
    const double[::1] edges,
    int32_t[:, :, ::1] levels,
    int64_t[::1] voxels,
):
    """Fill in the level of each voxel of the region, 0 outside, and the voxels of each level.

    The level is the number of edges at or below the value. Shapes: values, inside and levels
    (z, y, x); edges (n,), ascending, at least one; voxels (n + 1,), zeros at first.
    """
    cdef const voxel_t* value = &values[0, 0, 0]
    cdef const unsigned char* chosen = &inside[0, 0, 0]
    cdef int32_t* level = &levels[0, 0, 0]
    cdef Py_ssize_t bins = edges.shape[0]
    cdef double span = edges[bins - 1] - edges[0]
    cdef double bins_per_unit = (bins - 1) / span if span > 0 else 0
    cdef Py_ssize_t voxel
    with nogil:
        for voxel in range(values.shape[0] * values.shape[1] * values.shape[2]):
            level[voxel] = 0
            if chosen[voxel]:
                level[voxel] = _find_level(value[voxel], &edges[0], bins, bins_per_unit)
                voxels[level[voxel]] += 1


cdef inline int32_t _find_level(
    double value, const double* edges, Py_ssize_t bins, double bins_per_unit
) noexcept nogil:
    """Count the edges at or below a value: guess, as if they were equidistant, and mend."""
    cdef double guess = (value - edges[0]) * bins_per_unit + 1
    cdef int32_t level = 0
    if guess > 0:
        level = <int32_t>(guess if guess < bins else bins)
    while level < bins and edges[level] <= value:
        level += 1
    while level > 0 and edges[level - 1] > value:
        level -= 1
    return level
