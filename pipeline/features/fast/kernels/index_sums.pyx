# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""First and second moments of the voxel indices of a region, as exact whole numbers."""

from libc.string cimport memchr


def sum_indices(const unsigned char[:, :, ::1] padded, long long[::1] sums):
    """Add up the indices and their products over the region.

    Parameters
    ----------
    padded : memoryview of uint8, shape (z, y, x)
        1 in the region, 0 outside.
    sums : memoryview of int64, shape (10,)
        Added to: number of voxels, z, y, x, zz, yy, xx, zy, zx, yx. Exact below 2**63, that is for
        more than 10**11 voxels in a cube of side 4096.
    """
    cdef long long row[3]
    cdef Py_ssize_t z, y
    with nogil:
        for z in range(padded.shape[0]):
            for y in range(padded.shape[1]):
                row[0] = row[1] = row[2] = 0
                sum_row(&padded[z, y, 0], padded.shape[2], row)
                add_row(row, z, y, &sums[0])


cdef void sum_row(const unsigned char* row, Py_ssize_t size, long long* sums) noexcept nogil:
    """Add count, x and xx of one row, a run of voxels at a time."""
    cdef const unsigned char* end = row + size
    cdef const unsigned char* start = <const unsigned char*>memchr(row, 1, size)
    cdef const unsigned char* stop
    while start != NULL:
        stop = <const unsigned char*>memchr(start, 0, end - start)
        if stop == NULL:
            stop = end
        sums[0] += stop - start
        sums[1] += sum_below(stop - row) - sum_below(start - row)
        sums[2] += sum_squares_below(stop - row) - sum_squares_below(start - row)
        start = <const unsigned char*>memchr(stop, 1, end - stop)


cdef inline long long sum_below(long long n) noexcept nogil:
    """Return 0 + 1 + ... + (n - 1)."""
    return n * (n - 1) // 2


cdef inline long long sum_squares_below(long long n) noexcept nogil:
    """Return 0 + 1 + 4 + ... + (n - 1)^2."""
    return n * (n - 1) * (2 * n - 1) // 6


cdef void add_row(const long long* row, long long z, long long y, long long* sums) noexcept nogil:
    """Add the voxels of one row, given as count, x and xx, to the ten sums."""
    sums[0] += row[0]
    sums[1] += z * row[0]
    sums[2] += y * row[0]
    sums[3] += row[1]
    sums[4] += z * z * row[0]
    sums[5] += y * y * row[0]
    sums[6] += row[2]
    sums[7] += z * y * row[0]
    sums[8] += z * row[1]
    sums[9] += y * row[1]
