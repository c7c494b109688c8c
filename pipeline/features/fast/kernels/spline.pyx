# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Coefficients of the cubic B-splines that pass through the voxels of an image.

Unser 1999, doi:10.1109/79.799930, box 2: along each axis a causal and an anticausal recursion with
the pole sqrt 3 - 2, the image being mirrored at the centres of its outermost voxels. The order of
every sum and product, and the precision to which the first coefficient is summed, are those of
ITK 5.4 (``BSplineDecompositionImageFilter``), so the results are equal bit for bit.
"""

import numpy as np

from libc.math cimport ceil, fabs, log, pow, sqrt

cdef double POLE = sqrt(3.0) - 2.0
cdef double GAIN = 1.0 * (1.0 - POLE) * (1.0 - 1.0 / POLE)
cdef Py_ssize_t HORIZON = <Py_ssize_t>ceil(log(1e-10) / log(fabs(POLE)))
"""Voxels after which the first coefficient's sum is cut off, for ITK's relative error of 1e-10."""


cdef void start_short(double* line, Py_ssize_t length, Py_ssize_t stride) noexcept nogil:
    """First causal coefficient of a line up to the horizon: the mirrored signal's whole sum."""
    cdef double inverse = 1.0 / POLE
    cdef double near = POLE
    cdef double far = pow(POLE, <double>(length - 1))
    cdef double total = line[0] + far * line[(length - 1) * stride]
    cdef Py_ssize_t n
    far *= far * inverse
    for n in range(1, length - 1):
        total += (near + far) * line[n * stride]
        near *= POLE
        far *= inverse
    line[0] = total / (1.0 - near * near)


cdef void start_long(double* line, Py_ssize_t stride) noexcept nogil:
    """First causal coefficient of a longer line, summed up to the horizon."""
    cdef double near = POLE, total = line[0]
    cdef Py_ssize_t n
    for n in range(1, HORIZON):
        total += near * line[n * stride]
        near *= POLE
    line[0] = total


cdef void scale(
    double* data, Py_ssize_t length, Py_ssize_t stride, Py_ssize_t lines, Py_ssize_t apart
) noexcept nogil:
    """Multiply by the filter's gain, which is 6."""
    cdef Py_ssize_t n, m
    for n in range(length):
        for m in range(lines):
            data[n * stride + m * apart] *= GAIN


cdef bint is_same(
    const double* data, const double* rival, Py_ssize_t lines, Py_ssize_t apart
) noexcept nogil:
    """Tell whether two recursions have met on every line."""
    cdef Py_ssize_t m
    for m in range(lines):
        if data[m * apart] != rival[m]:
            return False
    return True


cdef bint filter_up(
    double* data, Py_ssize_t length, Py_ssize_t stride, Py_ssize_t lines, Py_ssize_t apart,
    Py_ssize_t margin, double bound, double* rival,
) noexcept nogil:
    """Causal recursion; tells whether it is exact from the end of the margin on.

    Without a margin the line begins at the image's edge, where the first coefficient is known.
    With one, it lies somewhere between -bound and bound: one recursion starts at either end. A step
    is monotonous, rounding included, so the true one stays between them; where they meet, they are
    it.
    """
    cdef Py_ssize_t n, m
    cdef double* here
    cdef bint settled = True
    for m in range(lines):
        rival[m] = bound
        if margin > 0:
            data[m * apart] = -bound
        elif HORIZON < length:
            start_long(data + m * apart, stride)
        else:
            start_short(data + m * apart, length, stride)
    for n in range(1, length):
        here = data + n * stride
        if n <= margin:
            for m in range(lines):
                rival[m] = here[m * apart] + POLE * rival[m]
        for m in range(lines):
            here[m * apart] += POLE * here[m * apart - stride]
        if n == margin:
            settled = is_same(here, rival, lines, apart)
    return settled


cdef bint filter_down(
    double* data, Py_ssize_t length, Py_ssize_t stride, Py_ssize_t lines, Py_ssize_t apart,
    Py_ssize_t margin, double bound, double* rival,
) noexcept nogil:
    """Anticausal recursion, from the end of the lines; see :func:`filter_up`."""
    cdef Py_ssize_t n, m
    cdef double* here = data + (length - 1) * stride
    cdef double start = POLE / (POLE * POLE - 1.0)
    cdef bint settled = True
    for m in range(lines):
        rival[m] = bound
        if margin > 0:
            here[m * apart] = -bound
        else:
            here[m * apart] = start * (POLE * here[m * apart - stride] + here[m * apart])
    for n in range(length - 2, -1, -1):
        here = data + n * stride
        if n >= length - 1 - margin:
            for m in range(lines):
                rival[m] = POLE * (rival[m] - here[m * apart])
        for m in range(lines):
            here[m * apart] = POLE * (here[m * apart + stride] - here[m * apart])
        if n == length - 1 - margin:
            settled = is_same(here, rival, lines, apart)
    return settled


def filter_axis(
    double[:, :, ::1] values, Py_ssize_t axis, Py_ssize_t low, Py_ssize_t high, double bound
):
    """Turn values into coefficients along one axis, in place.

    Coefficients of an image come from filtering x, then y, then z. Along an axis of one voxel
    nothing is to be done.

    Parameters
    ----------
    values : float64, shape (z, y, x)
        A part of the image.
    axis : int
        0 is z.
    low, high : int
        Voxels at the beginning and end of the axis whose coefficients need not be right; 0 where
        the image itself begins or ends.
    bound : float
        No coefficient is farther from 0.

    Returns
    -------
    bool
        Whether the wanted coefficients are those of the whole image to the last digit. Otherwise
        they may differ in the last one, for lines of one value all through the margin.
    """
    cdef Py_ssize_t depth = values.shape[0], height = values.shape[1], width = values.shape[2]
    cdef Py_ssize_t length = values.shape[axis]
    cdef Py_ssize_t stride = 1 if axis == 2 else (width if axis == 1 else height * width)
    cdef Py_ssize_t apart = width if axis == 2 else 1
    cdef Py_ssize_t lines = height if axis == 2 else width
    cdef Py_ssize_t blocks = height if axis == 0 else depth
    cdef Py_ssize_t block_stride = width if axis == 0 else height * width
    cdef double[::1] rivals = np.empty(lines)
    cdef double* rival = &rivals[0]
    cdef double* data = &values[0, 0, 0]
    cdef bint settled = True
    cdef Py_ssize_t n
    if length == 1:
        return True
    with nogil:
        for n in range(blocks):
            scale(data, length, stride, lines, apart)
            settled &= filter_up(data, length, stride, lines, apart, low, bound, rival)
            settled &= filter_down(data, length, stride, lines, apart, high, bound, rival)
            data += block_stride
    return settled
