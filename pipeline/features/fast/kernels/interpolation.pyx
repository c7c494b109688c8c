# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Values of an image on another grid with the same axes, as ITK's resampling gives them.

Bit for bit: the order of every sum and product is that of ITK 5.4 (``ResampleImageFilter`` with a
linear transform and its three interpolators), because whole-number images are truncated afterwards
and where old and new voxels coincide the last digit decides.

ITK goes along the new grid line by line in x: the voxel x of a line of n voxels lies at

    position = start + x / n * step,

so a line is given by ``start`` and ``step`` (x, y, z), in voxels of the old image, whose centres
are whole numbers. Outside [-0.5, size - 0.5) the value is 0.

All functions take

- ``block``, the part of the old image that is in memory (z, y, x), and ``frame`` (2, 3): the size
  of the whole old image along x, y, z, and the index of the first voxel of the block in it,
- ``lines`` (2, z, y, 3): start and step of every line of the new grid,
- ``out`` (z, y, x), which they fill.

They never read outside the block; that it holds what the positions need is the caller's task.
"""

import numpy as np

from libc.math cimport fabs, rint

ctypedef const Py_ssize_t* Frame


cdef inline Py_ssize_t floor_of(double value) noexcept nogil:
    """Largest whole number that is not above the value."""
    cdef Py_ssize_t whole = <Py_ssize_t>value
    return whole - (value < whole)


cdef inline Py_ssize_t between(Py_ssize_t index, Py_ssize_t size) noexcept nogil:
    """The index or, outside the block, the one nearest to it."""
    if index < 0:
        return 0
    return size - 1 if index >= size else index


cdef void find_positions(
    const double* start, const double* step, Py_ssize_t count, double* positions
) noexcept nogil:
    """Positions (3, count) of the voxels of one line; rows are x, y, z."""
    cdef Py_ssize_t axis, x
    for axis in range(3):
        for x in range(count):
            positions[axis * count + x] = start[axis] + x / <double>count * step[axis]


cdef inline bint is_inside(
    const double* positions, Py_ssize_t count, Py_ssize_t x, Frame sizes
) noexcept nogil:
    """Tell whether voxel x of a line lies in the old image."""
    cdef Py_ssize_t axis
    cdef double position
    for axis in range(3):
        position = positions[axis * count + x]
        if not (position >= -0.5 and position < sizes[axis] - 0.5):
            return False
    return True


cdef inline Py_ssize_t nearest_index(double position) noexcept nogil:
    """Nearest whole number, the upper one of two, of a position from -0.5 on.

    The last number below 0.5 gives 1, as in ITK: adding 0.5 to it rounds up.
    """
    return <Py_ssize_t>(position + 0.5)


def interpolate_nearest(
    const double[:, :, ::1] block,
    const Py_ssize_t[:, ::1] frame,
    const double[:, :, :, ::1] lines,
    double[:, :, ::1] out,
):
    """Take the value of the nearest voxel (ITK's NearestNeighborInterpolateImageFunction)."""
    cdef Py_ssize_t count = out.shape[2], z, y, x, at_x, at_y, at_z
    cdef double[::1] positions = np.empty(3 * count)
    cdef double* place = &positions[0]
    cdef Frame sizes = &frame[0, 0]
    with nogil:
        for z in range(out.shape[0]):
            for y in range(out.shape[1]):
                find_positions(&lines[0, z, y, 0], &lines[1, z, y, 0], count, place)
                for x in range(count):
                    out[z, y, x] = 0.0
                    if is_inside(place, count, x, sizes):
                        at_x = between(nearest_index(place[x]) - frame[1, 0], block.shape[2])
                        at_y = nearest_index(place[count + x]) - frame[1, 1]
                        at_z = nearest_index(place[2 * count + x]) - frame[1, 2]
                        at_y = between(at_y, block.shape[1])
                        out[z, y, x] = block[between(at_z, block.shape[0]), at_y, at_x]


def mark_nearest(
    const unsigned char[:, :, ::1] block,
    const Py_ssize_t[:, ::1] frame,
    const double[:, :, :, ::1] lines,
    unsigned char[:, :, ::1] out,
):
    """Take the nearest voxel of a region; outside the block there is none of it."""
    cdef Py_ssize_t count = out.shape[2], z, y, x, at_x, at_y, at_z
    cdef double[::1] positions = np.empty(3 * count)
    cdef double* place = &positions[0]
    cdef Frame sizes = &frame[0, 0]
    with nogil:
        for z in range(out.shape[0]):
            for y in range(out.shape[1]):
                find_positions(&lines[0, z, y, 0], &lines[1, z, y, 0], count, place)
                for x in range(count):
                    out[z, y, x] = 0
                    if is_inside(place, count, x, sizes):
                        at_x = nearest_index(place[x]) - frame[1, 0]
                        at_y = nearest_index(place[count + x]) - frame[1, 1]
                        at_z = nearest_index(place[2 * count + x]) - frame[1, 2]
                        if (
                            0 <= at_x < block.shape[2]
                            and 0 <= at_y < block.shape[1]
                            and 0 <= at_z < block.shape[0]
                        ):
                            out[z, y, x] = block[at_z, at_y, at_x]


cdef inline double blend(double first, double second, double share) noexcept nogil:
    """Point on the way from the first to the second value."""
    return first + (second - first) * share


cdef inline double share_of(double position, Py_ssize_t below) noexcept nogil:
    """Distance to the voxel below; beyond the outermost voxel centres the value stays the same."""
    return position - below if position > below else 0.0


cdef double linear_value(
    const double[:, :, ::1] block, Frame first, Frame sizes, double[3] position
) noexcept nogil:
    """Blend the eight voxels around a position, along x, then y, then z.

    ITK's LinearInterpolateImageFunction: it leaves out voxels beyond the last one and those with a
    share of 0, which is the same as taking the last one twice.
    """
    cdef Py_ssize_t[3] low
    cdef Py_ssize_t[3] high
    cdef double[3] share
    cdef Py_ssize_t axis, below
    cdef double[2] planes
    for axis in range(3):
        below = floor_of(position[axis])
        below = 0 if below < 0 else below
        share[axis] = share_of(position[axis], below)
        low[axis] = between(below - first[axis], block.shape[2 - axis])
        high[axis] = low[axis]
        if below < sizes[axis] - 1:
            high[axis] = between(low[axis] + 1, block.shape[2 - axis])
    for axis in range(2):
        below = high[2] if axis else low[2]
        planes[axis] = blend(
            blend(block[below, low[1], low[0]], block[below, low[1], high[0]], share[0]),
            blend(block[below, high[1], low[0]], block[below, high[1], high[0]], share[0]),
            share[1],
        )
    return blend(planes[0], planes[1], share[2])


def interpolate_linear(
    const double[:, :, ::1] block,
    const Py_ssize_t[:, ::1] frame,
    const double[:, :, :, ::1] lines,
    double[:, :, ::1] out,
):
    """Interpolate along x, y, z between the nearest voxels."""
    cdef Py_ssize_t count = out.shape[2], z, y, x, axis
    cdef double[::1] positions = np.empty(3 * count)
    cdef double* place = &positions[0]
    cdef double[3] position
    cdef Frame sizes = &frame[0, 0]
    with nogil:
        for z in range(out.shape[0]):
            for y in range(out.shape[1]):
                find_positions(&lines[0, z, y, 0], &lines[1, z, y, 0], count, place)
                for x in range(count):
                    out[z, y, x] = 0.0
                    if is_inside(place, count, x, sizes):
                        for axis in range(3):
                            position[axis] = place[axis * count + x]
                        out[z, y, x] = linear_value(block, &frame[1, 0], sizes, position)


cdef void spline_weights(
    const double* positions, Py_ssize_t count, double* weights, Py_ssize_t* bases
) noexcept nogil:
    """Values (count, 4) of the cubic B-splines that reach a position, and the first one's index.

    Unser 1999, doi:10.1109/79.799930, equation 4. ITK rounds the position to single precision
    before it takes the whole part; just below a whole number the polynomials are used a little
    outside their interval.
    """
    cdef Py_ssize_t x
    cdef double w, w0, w2, w3
    for x in range(count):
        bases[x] = floor_of(<float>positions[x]) - 1
        w = positions[x] - <double>(bases[x] + 1)
        w3 = (1.0 / 6.0) * w * w * w
        w0 = (1.0 / 6.0) + 0.5 * w * (w - 1.0) - w3
        w2 = w + w0 - 2.0 * w3
        weights[4 * x] = w0
        weights[4 * x + 1] = 1.0 - w0 - w2 - w3
        weights[4 * x + 2] = w2
        weights[4 * x + 3] = w3


cdef void multiply_weights(
    const double* wx, const double* wy, Py_ssize_t count, double* products
) noexcept nogil:
    """Products (count, 4, 4) of the y and x weights of each voxel of a line."""
    cdef Py_ssize_t x, i, j
    for x in range(count):
        for j in range(4):
            for i in range(4):
                products[16 * x + 4 * j + i] = wx[4 * x + i] * wy[4 * x + j]


cdef void find_corners(
    const double[:, :, ::1] block, Frame first, Py_ssize_t count, const Py_ssize_t* bases,
    Py_ssize_t* corners,
) noexcept nogil:
    """Offset in the block of the first of the 4 x 4 x 4 coefficients of each voxel of a line."""
    cdef Py_ssize_t x, at_x, at_y, at_z
    for x in range(count):
        at_x = between(bases[x] - first[0], block.shape[2] - 3)
        at_y = between(bases[count + x] - first[1], block.shape[1] - 3)
        at_z = between(bases[2 * count + x] - first[2], block.shape[0] - 3)
        corners[x] = (at_z * block.shape[1] + at_y) * block.shape[2] + at_x


cdef void add_plane(
    const double* plane, Py_ssize_t width, const Py_ssize_t* corners, const double* products,
    const double* wz, Py_ssize_t count, double* total,
) noexcept nogil:
    """Add what 4 x 4 coefficients of one plane (along x and y) give to the voxels of a line."""
    cdef Py_ssize_t x, j
    cdef double weight, value
    cdef const double* near
    cdef const double* product
    for x in range(count):
        near, product = plane + corners[x], products + 16 * x
        weight, value = wz[4 * x], total[x]
        for j in range(4):
            value += product[0] * weight * near[0]
            value += product[1] * weight * near[1]
            value += product[2] * weight * near[2]
            value += product[3] * weight * near[3]
            near += width
            product += 4
        total[x] = value


def interpolate_spline(
    const double[:, :, ::1] block,
    const Py_ssize_t[:, ::1] frame,
    const double[:, :, :, ::1] lines,
    double[:, :, ::1] out,
):
    """Interpolate by cubic B-splines (ITK's BSplineInterpolateImageFunction of order 3).

    The block holds the splines' coefficients, at least four along each axis; it may go beyond the
    image, where it is to hold the mirrored ones. The sum runs along x fastest, then y, then z.
    """
    cdef Py_ssize_t count = out.shape[2], z, y, x, k, axis
    cdef Py_ssize_t width = block.shape[2], plane = block.shape[1] * block.shape[2]
    cdef double[::1] positions = np.empty(3 * count), weights = np.empty(12 * count)
    cdef double[::1] products = np.empty(16 * count)
    cdef Py_ssize_t[::1] bases = np.empty(3 * count, np.intp), corners = np.empty(count, np.intp)
    cdef double* place = &positions[0]
    with nogil:
        for z in range(out.shape[0]):
            for y in range(out.shape[1]):
                find_positions(&lines[0, z, y, 0], &lines[1, z, y, 0], count, place)
                for axis in range(3):
                    k = axis * count
                    spline_weights(place + k, count, &weights[4 * k], &bases[k])
                multiply_weights(&weights[0], &weights[4 * count], count, &products[0])
                find_corners(block, &frame[1, 0], count, &bases[0], &corners[0])
                for x in range(count):
                    out[z, y, x] = 0.0
                for k in range(4):
                    add_plane(
                        &block[0, 0, 0] + k * plane, width, &corners[0], &products[0],
                        &weights[8 * count + k], count, &out[z, y, 0],
                    )
                for x in range(count):
                    if not is_inside(place, count, x, &frame[0, 0]):
                        out[z, y, x] = 0.0


def lies_near_whole(const double[::1] values, double margin):
    """Tell whether any value is nearer than the margin to a whole number that is not 0."""
    cdef Py_ssize_t i
    cdef double whole
    cdef bint found = False
    with nogil:
        for i in range(values.shape[0]):
            whole = rint(values[i])
            found |= (fabs(values[i] - whole) < margin) & (whole != 0)
    return found
