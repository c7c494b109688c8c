# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Every voxel against all voxels around it: what GLDM and NGTDM count.

Both take a padded volume as a flat array (see :mod:`pipeline.features.fast.neighbours`): 0 outside
the region, grey level + alpha inside, and each neighbour a fixed number of elements away. So no
voxel outside is within alpha of one inside, and the loops need no test for it.

BLOCK voxels are treated at once, neighbour by neighbour: loops of fixed length over small integers
are what the compiler vectorises best. Neighbours are taken in pairs, which halves the traffic to
the sums; steps to neighbours come with their opposites, so their number is even. The sums of a
block live in an array of the caller: were it a local one, gcc would merge the loops over neighbours
and vectorise none. Sums of neighbours must fit the type of the voxels.
"""

from libc.math cimport fabs
from libc.string cimport memset

cdef enum:
    BLOCK = 64

ctypedef fused voxel:
    short
    int


cdef bint is_empty(const voxel *here) noexcept nogil:
    """Whether no voxel of a block lies in the region."""
    cdef Py_ssize_t i
    cdef voxel any_bit = 0
    for i in range(BLOCK):
        any_bit |= here[i]
    return any_bit == 0


cdef void count_equal(
    const voxel *here, const Py_ssize_t[::1] offsets, voxel *dependents,
) noexcept nogil:
    """Count the neighbours of each voxel that have its grey level: alpha is 0."""
    cdef Py_ssize_t k, i
    cdef const voxel *one
    cdef const voxel *other
    memset(dependents, 0, BLOCK * sizeof(voxel))
    for k in range(0, offsets.shape[0], 2):
        one, other = here + offsets[k], here + offsets[k + 1]
        for i in range(BLOCK):
            dependents[i] += (one[i] == here[i]) + (other[i] == here[i])


cdef void count_dependents(
    const voxel *here, const Py_ssize_t[::1] offsets, voxel alpha, voxel *dependents,
) noexcept nogil:
    """Count the neighbours of each voxel whose grey level differs by at most alpha."""
    cdef Py_ssize_t k, i
    cdef const voxel *there
    cdef voxel difference
    cdef voxel lowest = -alpha  # of the voxels' type, or the comparison is not vectorised
    memset(dependents, 0, BLOCK * sizeof(voxel))
    for k in range(offsets.shape[0]):
        there = here + offsets[k]
        for i in range(BLOCK):
            difference = there[i] - here[i]
            dependents[i] += (difference <= alpha) & (difference >= lowest)


cdef void sum_neighbours(
    const voxel *here, const Py_ssize_t[::1] offsets, voxel *total, voxel *count,
) noexcept nogil:
    """Sum and count the neighbours of each voxel that lie in the region."""
    cdef Py_ssize_t k, i
    cdef const voxel *one
    cdef const voxel *other
    memset(total, 0, BLOCK * sizeof(voxel))
    memset(count, 0, BLOCK * sizeof(voxel))
    for k in range(0, offsets.shape[0], 2):
        one, other = here + offsets[k], here + offsets[k + 1]
        for i in range(BLOCK):
            total[i] += one[i] + other[i]
            count[i] += (one[i] > 0) + (other[i] > 0)


def tally_dependence(
    const voxel[::1] volume, const Py_ssize_t[::1] offsets, Py_ssize_t margin, int alpha,
    long long[:, ::1] counts, voxel[:, ::1] room,
):
    """Add every voxel of the region to the grey level dependence matrix.

    IBSI: neighbouring grey level dependence matrix (REQY), coarseness parameter alpha.

    Parameters
    ----------
    volume : array of int16 or int32, shape (margin + whole blocks + margin,)
        Levels + alpha in the region, 0 outside.
    offsets : array of intp, shape (neighbours,)
        Distance of each neighbour in ``volume``; at most ``margin`` either way. An even number.
    margin : int
        Elements before the first and after the last block.
    alpha : int
        Largest difference of dependent voxels, not negative.
    counts : array of int64, shape (levels + 1, neighbours + 1)
        Row: grey level. Column: number of dependent neighbours.
    room : array of the type of the volume, shape (1, BLOCK)
    """
    cdef voxel *dependents = &room[0, 0]
    cdef Py_ssize_t block, start, i
    cdef const voxel *here
    with nogil:
        for block in range((volume.shape[0] - 2 * margin) // BLOCK):
            start = margin + block * BLOCK
            here = &volume[start]
            if is_empty(here):
                continue
            if alpha == 0:
                count_equal(here, offsets, dependents)
            else:
                count_dependents(here, offsets, <voxel> alpha, dependents)
            for i in range(BLOCK):
                if here[i] > 0:
                    counts[here[i] - alpha, dependents[i]] += 1


def tally_difference(
    const voxel[::1] volume, const Py_ssize_t[::1] offsets, Py_ssize_t margin, int shift,
    double[::1] differences, voxel[:, ::1] room,
):
    """Add every voxel of the region to the neighbourhood grey tone difference matrix.

    IBSI: neighbourhood grey tone difference matrix (IPET); s_i of Amadasun and King 1989,
    doi:10.1109/21.44046.

    Parameters
    ----------
    volume, offsets, margin
        As in :func:`tally_dependence`.
    shift : int
        What was added to the levels.
    differences : array of float64, shape (levels + 1,)
        Their distances from the mean level of their neighbours, summed in the order of the voxels;
        0 without a neighbour.
    room : array of the type of the volume, shape (2, BLOCK)
    """
    cdef voxel *total = &room[0, 0]
    cdef voxel *count = &room[1, 0]
    cdef Py_ssize_t block, start, i
    cdef const voxel *here
    cdef double mean
    with nogil:
        for block in range((volume.shape[0] - 2 * margin) // BLOCK):
            start = margin + block * BLOCK
            here = &volume[start]
            if is_empty(here):
                continue
            sum_neighbours(here, offsets, total, count)
            for i in range(BLOCK):
                if here[i] > 0 and count[i] > 0:
                    mean = <double> (total[i] - shift * count[i]) / <double> count[i]
                    differences[here[i] - shift] += fabs(<double> (here[i] - shift) - mean)
