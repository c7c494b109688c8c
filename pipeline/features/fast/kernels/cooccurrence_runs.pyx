# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Grey level co-occurrences and runs of one direction, counted in one walk.

A walk looks at every pair of voxels (a, b) in which b follows a in the direction. Different levels
are a co-occurrence of two levels. Equal levels are a co-occurrence too, and b continues the run of
a: it stands at a later position of it. So one counter per pair is enough: that of the two levels,
or that of the level and the position. What was asked for follows from these:

- pairs of equal level = voxels at position 2 or later,
- voxels at position 1 (runs) = all voxels of the level - voxels at later positions,
- runs of length n = voxels at position n - voxels at position n + 1.

Definitions: IBSI reference manual (doi:10.1148/radiol.2020191145), grey level co-occurrence matrix
(LFYI) and grey level run length matrix (TP0I).

Levels are handed over as ranks: 0 outside the region, then 1, 2, ... for the levels that occur.
"""

import numpy as np

from libc.stdint cimport uint16_t, uint32_t

ctypedef fused index_t:
    # 16 bits where the counters can be numbered so: twice as many voxels an instruction.
    uint16_t
    uint32_t

ctypedef struct Counters:
    # Layout of the counters: pairs (a, b) at a * row + b, positions of runs behind them.
    Py_ssize_t stride  # number of ranks, the outside included; also from position to position
    Py_ssize_t row     # stride, or 0 where pairs are not wanted
    Py_ssize_t first   # counter of rank 0 at position 1


def rank_levels(
    const int[:, :, ::1] levels,
    const index_t[::1] rank_of_level,
    index_t[:, :, ::1] ranks,
    int[:, :, ::1] extents,
):
    """Fill in ranks, and the part of each line that holds the region.

    Shapes: levels and ranks (z, y, x); extents (z, y, 2), the first x in the region and one past
    the last, both 0 where there is none.
    """
    cdef Py_ssize_t z, y, x, first, past
    cdef index_t rank
    with nogil:
        for z in range(levels.shape[0]):
            for y in range(levels.shape[1]):
                first = past = 0
                for x in range(levels.shape[2]):
                    rank = rank_of_level[levels[z, y, x]]
                    ranks[z, y, x] = rank
                    if rank:
                        if past == 0:
                            first = x
                        past = x + 1
                extents[z, y, 0] = <int>first
                extents[z, y, 1] = <int>past


def count_pairs_and_runs(
    const index_t[:, :, ::1] ranks,
    const int[:, :, ::1] extents,
    tuple angle,
    Py_ssize_t levels,
    bint pairs,
):
    """Count along one of the 13 directions to a neighbour.

    Parameters
    ----------
    ranks, extents : from :func:`rank_levels`
    angle : (dz, dy, dx)
        With dz >= 0, and dy > 0 or (dy, dx) = (0, 1) where dz = 0.
    levels : number of levels that occur
    pairs : whether pairs of different level are wanted

    Returns
    -------
    pair_counts : ndarray of uint32, shape (levels, levels), the diagonal empty; or None
    position_counts : ndarray of uint32, shape (longest line, levels), position 1 empty
    """
    cdef Counters counters = _lay_out(levels, pairs)
    cdef Py_ssize_t longest = _longest_line(ranks.shape[0], ranks.shape[1], ranks.shape[2], angle)
    halves = np.zeros((2, counters.first + longest * counters.stride), np.uint32)
    dtype = np.uint16 if index_t is uint16_t else np.uint32
    cdef index_t[:, :, ::1] positions_of_voxels = np.empty(
        (2, ranks.shape[1], ranks.shape[2]), dtype
    )
    cdef index_t[::1] indices = np.empty(ranks.shape[2], dtype)
    cdef uint32_t[:, ::1] view = halves
    _walk(ranks, extents, angle, counters, positions_of_voxels, indices, view)
    counts = halves[0] + halves[1]
    positions = counts[counters.first :].reshape(longest, counters.stride)[:, 1:]
    if not pairs:
        return None, positions
    table = counts[: counters.first].reshape(counters.stride, counters.stride)
    return table[1:, 1:], positions


def count_pairs(
    const index_t[:, :, ::1] ranks, const int[:, :, ::1] extents, tuple angle, Py_ssize_t levels
):
    """Count the pairs at any offset (dz, dy, dx).

    Returns
    -------
    ndarray of uint32, shape (levels, levels), of both equal and different levels
    """
    cdef Py_ssize_t dz = angle[0], dy = angle[1], dx = angle[2]
    cdef Py_ssize_t z, y, x, start, stop
    cdef Py_ssize_t stride = levels + 1
    table = np.zeros((stride, stride), np.uint32)
    cdef uint32_t[:, ::1] counts = table
    with nogil:
        for z in range(max(dz, 0), ranks.shape[0] + min(dz, 0)):
            for y in range(max(dy, 0), ranks.shape[1] + min(dy, 0)):
                start = max(extents[z, y, 0], extents[z - dz, y - dy, 0] + dx)
                stop = min(extents[z, y, 1], extents[z - dz, y - dy, 1] + dx)
                for x in range(start, stop):
                    counts[ranks[z - dz, y - dy, x - dx], ranks[z, y, x]] += 1
    return table[1:, 1:]


cdef Counters _lay_out(Py_ssize_t levels, bint pairs) noexcept:
    """Number the counters; without pairs, all pairs of different level share the first ones."""
    cdef Counters counters
    counters.stride = levels + 1
    counters.row = counters.stride if pairs else 0
    counters.first = counters.stride * (counters.stride if pairs else 1)
    return counters


cdef Py_ssize_t _longest_line(Py_ssize_t nz, Py_ssize_t ny, Py_ssize_t nx, tuple angle) except -1:
    """Return the number of voxels of the longest line in a direction."""
    return min(size for size, step in zip((nz, ny, nx), angle) if step)


cdef void _walk(
    const index_t[:, :, ::1] ranks,
    const int[:, :, ::1] extents,
    tuple angle,
    Counters counters,
    index_t[:, :, ::1] positions,
    index_t[::1] indices,
    uint32_t[:, ::1] counts,
):
    """Walk through the voxels line by line along x, each with the line before it.

    positions holds the counter of each voxel's position in its run for two slices, (2, y, x).
    """
    cdef Py_ssize_t dz = angle[0], dy = angle[1], dx = angle[2]
    cdef Py_ssize_t z, y, x, start, stop
    with nogil:
        for z in range(ranks.shape[0]):
            for y in range(ranks.shape[1]):
                for x in range(extents[z, y, 0], extents[z, y, 1]):
                    positions[z & 1, y, x] = <index_t>counters.first
                if z < dz or not 0 <= y - dy < ranks.shape[1]:
                    continue
                start = max(extents[z, y, 0], extents[z - dz, y - dy, 0] + dx)
                stop = min(extents[z, y, 1], extents[z - dz, y - dy, 1] + dx)
                if start >= stop:
                    continue
                _index_pairs(
                    &ranks[z - dz, y - dy, start - dx],
                    &ranks[z, y, start],
                    &positions[(z - dz) & 1, y - dy, start - dx],
                    &positions[z & 1, y, start],
                    &indices[0],
                    stop - start,
                    counters,
                )
                _count(&indices[0], stop - start, &counts[0, 0], &counts[1, 0])


cdef void _index_pairs(
    const index_t* before,
    const index_t* ranks,
    const index_t* position_before,
    index_t* position,
    index_t* index,
    Py_ssize_t length,
    Counters counters,
) noexcept nogil:
    """Find the counter of each pair of a line, and the position of each voxel in its run.

    The compiler makes vector code of it, except along x, where each voxel needs the one before.
    """
    cdef index_t stride = <index_t>counters.stride
    cdef index_t row = <index_t>counters.row
    cdef index_t first = <index_t>counters.first
    cdef index_t later, other, same
    cdef Py_ssize_t x
    for x in range(length):
        # All bits or none: to choose without a branch, which would keep vector code away.
        same = <index_t>-<int>(before[x] == ranks[x])
        later = <index_t>(position_before[x] + stride)
        other = <index_t>(before[x] * row)
        index[x] = <index_t>(ranks[x] + ((later & same) | (other & ~same)))
        position[x] = (later & same) | (first & ~same)


cdef void _count(
    const index_t* index, Py_ssize_t length, uint32_t* even, uint32_t* odd
) noexcept nogil:
    """Count up; by turns in two tables, as equal neighbours would wait for each other."""
    cdef Py_ssize_t x
    for x in range(0, length - 1, 2):
        even[index[x]] += 1
        odd[index[x + 1]] += 1
    if length & 1:
        even[index[length - 1]] += 1
