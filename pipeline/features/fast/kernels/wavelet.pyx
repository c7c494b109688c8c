# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Convolution of a volume with a short filter along one axis.

One step of the undecimated (stationary) wavelet transform, Nason and Silverman 1995,
doi:10.1007/978-1-4612-2544-7_17. Terms are added in the order given, in the type of the taps, as
PyWavelets does it: in single precision another order gives other last digits.
"""

cdef enum:
    BLOCK = 1024  # sums that stay in the first cache while the taps are added

ctypedef fused real:
    float
    double

ctypedef fused voxel:
    short
    float
    double


cdef inline void add_pair(
    const voxel *first, const voxel *second, real tap, real next_tap, Py_ssize_t count, real *sums,
) noexcept nogil:
    """Add tap * first, then next_tap * second, to ``count`` sums."""
    cdef Py_ssize_t i
    for i in range(count):
        sums[i] = (sums[i] + tap * first[i]) + next_tap * second[i]


cdef void convolve_block(
    const voxel *values, const real *taps, const Py_ssize_t *offsets, Py_ssize_t pairs,
    Py_ssize_t inner, Py_ssize_t count, real *sums,
) noexcept nogil:
    """Compute sums[i] = sum over j of taps[j] values[offsets[j] inner + i], i < count."""
    cdef Py_ssize_t i, j
    for i in range(count):
        sums[i] = 0
    for j in range(pairs):
        add_pair(
            values + offsets[2 * j] * inner, values + offsets[2 * j + 1] * inner, taps[2 * j],
            taps[2 * j + 1], count, sums,
        )


def convolve_axis(
    const voxel[:, :, ::1] volume, const real[::1] taps, const Py_ssize_t[::1] offsets,
    Py_ssize_t start, Py_ssize_t stop, real[:, :, ::1] out,
):
    """Set out[:, k] to the sum over j of taps[j] volume[:, k + offsets[j]], start <= k < stop.

    ``volume`` (outer, length, inner) and ``out`` (outer, any, inner): a volume seen with the axes
    before and those after the filtered one merged. ``taps`` and ``offsets`` of one, even length;
    every k + offsets[j] lies in the volume.
    """
    cdef Py_ssize_t inner = volume.shape[2]
    cdef Py_ssize_t outer, first
    cdef Py_ssize_t end = stop * inner
    with nogil:
        for outer in range(volume.shape[0]):
            first = start * inner
            while first < end:
                convolve_block(
                    &volume[outer, 0, 0] + first, &taps[0], &offsets[0], taps.shape[0] // 2,
                    inner, min(end - first, <Py_ssize_t> BLOCK), &out[outer, 0, 0] + first,
                )
                first += BLOCK
