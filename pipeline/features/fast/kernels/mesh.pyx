# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Which marching-cubes cells a region has.

Lorensen & Cline 1987, doi:10.1145/37401.37422; numbering as in `marching_cubes`.
"""

from libc.string cimport memcpy

cdef enum:
    BLOCK = 8  # bytes of a machine word


def count_cells(const unsigned char[:, :, ::1] padded, long long[:, ::1] sums):
    """Count the cells of every configuration and add up where they are.

    Parameters
    ----------
    padded : memoryview of uint8, shape (z, y, x)
        1 in the region, 0 outside; at least two voxels along each axis.
    sums : memoryview of int64, shape (256, 4)
        Added to: number of cells, and the sum of their z, y and x. The rows 0 and 255, cells
        without surface, are left in an unspecified state.
    """
    cdef Py_ssize_t cells = padded.shape[2] - 1
    cdef Py_ssize_t dz = padded.shape[1] * padded.shape[2]
    cdef Py_ssize_t blocks = (cells + BLOCK - 1) // BLOCK
    cdef unsigned char[::1] codes = bytearray(blocks * BLOCK)
    cdef Py_ssize_t z, y
    with nogil:
        for z in range(padded.shape[0] - 1):
            for y in range(padded.shape[1] - 1):
                encode_row(&padded[z, y, 0], padded.shape[2], dz, cells, &codes[0])
                tally_row(&codes[0], blocks, z, y, &sums[0, 0])


cdef void encode_row(
    const unsigned char* row, Py_ssize_t dy, Py_ssize_t dz, Py_ssize_t cells, unsigned char* codes
) noexcept nogil:
    """Write the configuration of each cell along x; bit k is corner k."""
    cdef const unsigned char* lower = row + dy
    cdef const unsigned char* upper = row + dz
    cdef const unsigned char* diagonal = row + dy + dz
    cdef Py_ssize_t x
    for x in range(cells):
        codes[x] = (
            row[x] | row[x + 1] << 1 | lower[x + 1] << 2 | lower[x] << 3
            | upper[x] << 4 | upper[x + 1] << 5 | diagonal[x + 1] << 6 | diagonal[x] << 7
        )


cdef void tally_row(
    const unsigned char* codes, Py_ssize_t blocks, Py_ssize_t z, Py_ssize_t y, long long* sums
) noexcept nogil:
    """Add the cells of a row; blocks wholly inside or outside, nearly all of them, are skipped."""
    cdef Py_ssize_t block, x
    cdef long long* entry
    for block in range(blocks):
        if not has_surface(codes + block * BLOCK):
            continue
        for x in range(block * BLOCK, (block + 1) * BLOCK):
            entry = sums + 4 * codes[x]
            entry[0] += 1
            entry[1] += z
            entry[2] += y
            entry[3] += x


cdef inline bint has_surface(const unsigned char* codes) noexcept nogil:
    """Tell whether eight configurations are other than all 0 or all 255."""
    cdef unsigned long long block
    memcpy(&block, codes, BLOCK)
    return block != 0 and block != <unsigned long long>-1
