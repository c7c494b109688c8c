# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""One pass of a recursive (infinite impulse response) filter along one axis of a volume.

The filter is Deriche's fourth-order form of a Gaussian or of one of its derivatives (Deriche 1993,
"Recursively implementing the Gaussian and its derivatives", INRIA RR-1893): the sum of a causal and
an anticausal recursion,

    c[i] = (n0 x[i]   + n1 x[i-1] + n2 x[i-2] + n3 x[i-3]) - (d1 c[i-1] + ... + d4 c[i-4])
    a[i] = (m1 x[i+1] + m2 x[i+2] + m3 x[i+3] + m4 x[i+4]) - (d1 a[i+1] + ... + d4 a[i+4])
    y[i] = c[i] + a[i]

Beyond its ends a line goes on with its end value e. What a recursion would have reached there is
e sum(n) / (1 + sum(d)), so that the terms d_k c[i-k] before the start become b_k e with
b_k = d_k sum(n) / (1 + sum(d)).

The terms are added in the order of ITK 5.4, in double precision, and y is rounded to single
precision: the results are those of ITK's RecursiveGaussianImageFilter bit for bit. LANES lines are
filtered side by side, which the compiler can vectorise; within a line each value waits for the one
before.
"""

from libc.stdlib cimport calloc, free

cdef enum:
    ORDER = 4
    LANES = 16  # hides the latency of the recursion; with 8, gcc 12 does not vectorise

ctypedef fused voxel:
    short
    float
    double


cdef inline void copy_in(
    const voxel *lines, Py_ssize_t count, Py_ssize_t apart, Py_ssize_t length, Py_ssize_t step,
    double *x,
) noexcept nogil:
    """Copy ``count`` lines side by side into x (length, LANES)."""
    cdef Py_ssize_t i, lane
    for i in range(length):
        for lane in range(count):
            x[i * LANES + lane] = <double> lines[i * step + lane * apart]


cdef void load_lines(
    const voxel *lines, Py_ssize_t count, Py_ssize_t apart, Py_ssize_t length, Py_ssize_t step,
    double *x,
) noexcept nogil:
    """Copy lines into x (ORDER + length + ORDER, LANES), their end values repeated.

    Lines begin ``apart`` voxels from each other; their voxels are ``step`` from each other. The
    common cases are told apart so that the compiler knows the numbers in them.
    """
    cdef Py_ssize_t i
    cdef double *line = x + ORDER * LANES
    if count == LANES and apart == 1:
        copy_in(lines, LANES, 1, length, step, line)
    elif count == LANES and step == 1:
        copy_in(lines, LANES, apart, length, 1, line)
    else:
        copy_in(lines, count, apart, length, step, line)
    for i in range(ORDER * LANES):
        x[i] = line[i % LANES]
        line[length * LANES + i] = line[(length - 1) * LANES + i % LANES]


cdef inline void recur(
    const double *x, const double *n, double *c, const double *d, Py_ssize_t back,
) noexcept nogil:
    """Compute c[0] of LANES lines from x[0], x[back], ... and c[back], c[2 back], ...

    ``back`` is -1 in the causal recursion and 1 in the anticausal one.
    """
    cdef double n0 = n[0], n1 = n[1], n2 = n[2], n3 = n[3]
    cdef double d1 = d[0], d2 = d[1], d3 = d[2], d4 = d[3]
    cdef Py_ssize_t i
    for i in range(LANES):
        c[i] = (
            x[i] * n0 + x[back * LANES + i] * n1 + x[2 * back * LANES + i] * n2
            + x[3 * back * LANES + i] * n3
        ) - (
            c[back * LANES + i] * d1 + c[2 * back * LANES + i] * d2
            + c[3 * back * LANES + i] * d3 + c[4 * back * LANES + i] * d4
        )


cdef void run_causal(
    const double *x, const double *n, const double *d, Py_ssize_t stop, double *c,
) noexcept nogil:
    """Compute c[0] to c[stop - 1]; x and c begin ORDER voxels before the line.

    ``d`` (ORDER + 1, 4): row i for the i-th voxel of a line, where b_k and the end value take the
    place of terms before its start; the last row for all others.
    """
    cdef Py_ssize_t i
    for i in range(ORDER * LANES):
        c[i] = x[i]
    for i in range(stop):
        recur(
            x + (ORDER + i) * LANES, n, c + (ORDER + i) * LANES,
            d + 4 * min(i, <Py_ssize_t> ORDER), -1,
        )


cdef void run_anticausal(
    const double *x, const double *m, const double *d, Py_ssize_t start, Py_ssize_t length,
    double *a,
) noexcept nogil:
    """Compute a[length - 1] down to a[start]; x and a end ORDER voxels after the line.

    ``d`` as above, with rows counted from the end of the line.
    """
    cdef Py_ssize_t i
    for i in range(ORDER * LANES):
        a[length * LANES + i] = x[(ORDER + length) * LANES + i]
    for i in range(length - start):
        recur(
            x + (ORDER + length - i) * LANES, m, a + (length - 1 - i) * LANES,
            d + 4 * min(i, <Py_ssize_t> ORDER), 1,
        )


cdef inline void copy_out(
    const double *c, const double *a, Py_ssize_t count, Py_ssize_t apart, Py_ssize_t length,
    Py_ssize_t step, float *lines,
) noexcept nogil:
    """Round c + a (length, LANES) to the first ``count`` lines of the output."""
    cdef Py_ssize_t i, lane
    for i in range(length):
        for lane in range(count):
            lines[i * step + lane * apart] = <float> (c[i * LANES + lane] + a[i * LANES + lane])


cdef void store_lines(
    const double *c, const double *a, Py_ssize_t count, Py_ssize_t apart, Py_ssize_t length,
    Py_ssize_t step, float *lines,
) noexcept nogil:
    """Write the sums of both recursions, laid out as in :func:`load_lines`."""
    if count == LANES and apart == 1:
        copy_out(c, a, LANES, 1, length, step, lines)
    elif count == LANES and step == 1:
        copy_out(c, a, LANES, apart, length, 1, lines)
    else:
        copy_out(c, a, count, apart, length, step, lines)


cdef void filter_lines(
    const voxel *lines, Py_ssize_t count, Py_ssize_t apart, Py_ssize_t length, Py_ssize_t step,
    const double *taps, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t out_apart, float *out,
    double *work,
) noexcept nogil:
    """Filter up to LANES lines; ``taps`` as in :func:`filter_axis`.

    ``work`` (2 length + 17, LANES) holds x, and c after it. The values of a overwrite those of x
    that are no longer needed, a[i] that of x[i + 5]: all three would not fit into the first cache.
    """
    cdef double *a = work + (2 * ORDER + 1) * LANES
    cdef double *c = a + (length + ORDER) * LANES
    load_lines(lines, count, apart, length, step, work)
    run_causal(work, taps, taps + 8, stop, c)
    run_anticausal(work, taps + 4, taps + 28, start, length, a)
    store_lines(
        c + (ORDER + start) * LANES, a + start * LANES, count, out_apart, stop - start, step, out
    )


cdef void filter_rows(
    const voxel[:, :, ::1] volume, const double *taps, Py_ssize_t start, Py_ssize_t stop,
    float[:, :, ::1] out, double *work,
) noexcept nogil:
    """Filter where ``inner`` is 1: each line is contiguous, LANES of them follow one another."""
    cdef Py_ssize_t lines = volume.shape[0]
    cdef Py_ssize_t length = volume.shape[1]
    cdef Py_ssize_t first = 0
    while first < lines:
        filter_lines(
            &volume[first, 0, 0], min(lines - first, <Py_ssize_t> LANES), length, length, 1, taps,
            start, stop, stop - start, &out[first, 0, 0], work,
        )
        first += LANES


cdef void filter_columns(
    const voxel[:, :, ::1] volume, const double *taps, Py_ssize_t start, Py_ssize_t stop,
    float[:, :, ::1] out, double *work,
) noexcept nogil:
    """Filter where neighbours in memory belong to LANES different lines."""
    cdef Py_ssize_t inner = volume.shape[2]
    cdef Py_ssize_t outer, first
    for outer in range(volume.shape[0]):
        first = 0
        while first < inner:
            filter_lines(
                &volume[outer, 0, first], min(inner - first, <Py_ssize_t> LANES), 1,
                volume.shape[1], inner, taps, start, stop, 1, &out[outer, 0, first], work,
            )
            first += LANES


def filter_axis(
    const voxel[:, :, ::1] volume, const double[:, ::1] taps, Py_ssize_t start, Py_ssize_t stop,
    float[:, :, ::1] out,
):
    """Filter a volume along its middle axis.

    ``volume`` (outer, length, inner) and ``out`` (outer, stop - start, inner): a volume seen with
    the axes before and those after the filtered one merged; nothing empty. ``taps`` (12, 4):
    n0..n3; m1..m4; five rows of d1..d4 for the causal recursion, the first four with b_k for what
    lies before the line; the same for the anticausal one. Only start <= i < stop is kept.
    """
    cdef Py_ssize_t length = volume.shape[1]
    cdef double *work = <double *> calloc((2 * length + 17) * LANES, sizeof(double))
    if work == NULL:
        raise MemoryError
    with nogil:
        if volume.shape[2] == 1:
            filter_rows(volume, &taps[0, 0], start, stop, out, work)
        else:
            filter_columns(volume, &taps[0, 0], start, stop, out, work)
    free(work)


def add_scaled(const float[::1] addend, double factor, float[::1] total):
    """Add factor * addend to ``total``, both of one length, rounding once."""
    cdef Py_ssize_t i
    with nogil:
        for i in range(total.shape[0]):
            total[i] = <float> (<double> total[i] + <double> addend[i] * factor)
