# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Sums over the voxels of a region, and what percentiles need of their order.

Sums run in LANES partial sums: the additions of neighbouring voxels need not wait for each other,
and rounding errors grow with the voxels of a lane instead of the region.
"""

from libc.math cimport fabs
from libc.string cimport memset

cdef enum:
    LANES = 8


cdef struct PowerSums:
    double absolute[LANES]
    double square[LANES]
    double cube[LANES]
    double fourth[LANES]
    double shifted[LANES]


cdef double add_up(const double *lanes) noexcept nogil:
    """Sum the partial sums."""
    cdef int k
    cdef double total = 0
    for k in range(LANES):
        total += lanes[k]
    return total


cdef inline void add_powers(PowerSums *sums, int k, double d, double shifted) noexcept nogil:
    """Add the powers of one value to lane k."""
    cdef double square = d * d
    sums.absolute[k] += fabs(d)
    sums.square[k] += square
    sums.cube[k] += square * d
    sums.fourth[k] += square * square
    sums.shifted[k] += shifted * shifted


def sum_powers(const double[::1] values, double mean, double shift):
    """Sum powers of the values around their mean.

    Parameters
    ----------
    values : array of float64, shape (voxels,)
    mean : float
        Of the values.
    shift : float
        Added to the values in the last sum.

    Returns
    -------
    tuple of 5 floats
        Sums of |d|, d^2, d^3, d^4 with d = value - mean, and of (value + shift)^2.
    """
    cdef PowerSums sums
    cdef Py_ssize_t group, i
    cdef int k
    cdef Py_ssize_t groups = values.shape[0] // LANES
    memset(&sums, 0, sizeof(PowerSums))
    with nogil:
        for group in range(groups):
            for k in range(LANES):
                i = group * LANES + k
                add_powers(&sums, k, values[i] - mean, values[i] + shift)
        for i in range(groups * LANES, values.shape[0]):
            add_powers(&sums, 0, values[i] - mean, values[i] + shift)
    return (
        add_up(sums.absolute), add_up(sums.square), add_up(sums.cube), add_up(sums.fourth),
        add_up(sums.shifted),
    )


def robust_deviation(const double[::1] values, double low, double high):
    """Return the mean absolute deviation of the values from low to high, both included.

    IBSI: robust mean absolute deviation (1128). A test of each value would be wrong for one in
    five, at the price of some twenty additions; so values beyond the limits are added as 0.
    """
    cdef double total[LANES]
    cdef double kept[LANES]
    cdef double deviation[LANES]
    cdef Py_ssize_t i
    cdef double mean, within
    memset(total, 0, sizeof(total))
    memset(kept, 0, sizeof(kept))
    memset(deviation, 0, sizeof(deviation))
    with nogil:
        for i in range(values.shape[0]):
            within = (values[i] >= low) & (values[i] <= high)
            total[i % LANES] += within * values[i]
            kept[i % LANES] += within
        mean = add_up(total) / add_up(kept)
        for i in range(values.shape[0]):
            within = (values[i] >= low) & (values[i] <= high)
            deviation[i % LANES] += within * fabs(values[i] - mean)
    return add_up(deviation) / add_up(kept)


cdef inline Py_ssize_t find_bucket(
    double value, double low, double scale, Py_ssize_t last,
) noexcept nogil:
    """Return the bucket of a value; never lower for a higher value, so buckets keep the order."""
    cdef double position = (value - low) * scale
    return <Py_ssize_t> position if position < last else last


def count_buckets(const double[::1] values, double low, double scale, long long[::1] counts):
    """Count the values in buckets of equal width.

    Parameters
    ----------
    values : array of float64, shape (voxels,)
        None below ``low``.
    low, scale : float
        Where the first bucket begins; buckets per unit.
    counts : array of int64, shape (buckets,)
        The last bucket takes all that lies beyond.
    """
    cdef Py_ssize_t i
    with nogil:
        for i in range(values.shape[0]):
            counts[find_bucket(values[i], low, scale, counts.shape[0] - 1)] += 1


def collect_buckets(
    const double[::1] values, double low, double scale, const unsigned char[::1] wanted,
    double[::1] collected,
):
    """Copy the values of the wanted buckets (see :func:`count_buckets`), in their order."""
    cdef Py_ssize_t i, found = 0
    with nogil:
        for i in range(values.shape[0]):
            if wanted[find_bucket(values[i], low, scale, wanted.shape[0] - 1)]:
                collected[found] = values[i]
                found += 1
