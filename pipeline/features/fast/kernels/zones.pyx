# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Connected voxels of one grey level, found in one scan.

Each voxel takes the label of an equal voxel that was scanned before it, or a new one; labels that
turn out to be one zone are joined in a union-find forest (Wu, Otoo and Suzuki 2009,
doi:10.1007/s10044-008-0109-y). Equal neighbours that touch each other have been joined already, so
of each group of them only one is looked at: which one is read from a table of all combinations.
"""

from libc.string cimport memset

cdef enum:
    BLOCK = 64

ctypedef fused voxel:
    short
    int


def pick_neighbours(const long long[:, ::1] steps, unsigned short[::1] picked):
    """Fill the table of the neighbours to look at.

    Parameters
    ----------
    steps : array of int64, shape (neighbours, 3)
        Steps along z, y, x to the neighbours scanned before; at most 13.
    picked : array of uint16, shape (2 ** neighbours,)
        For each set of equal neighbours (bit k: neighbour k) one of each group that touches.
    """
    cdef int members, reached, k
    cdef unsigned short near[16]
    for k in range(<int> steps.shape[0]):
        near[k] = touching(steps, k)
    for members in range(<int> picked.shape[0]):
        picked[members] = 0
        reached = 0
        for k in range(<int> steps.shape[0]):
            if members & ~reached & (1 << k):
                picked[members] |= <unsigned short> (1 << k)
                reached |= spread(1 << k, members, near, <int> steps.shape[0])


cdef unsigned short touching(const long long[:, ::1] steps, int k) noexcept:
    """Return the set of neighbours that touch neighbour k: no step between them exceeds 1."""
    cdef int other
    cdef unsigned short found = 0
    for other in range(<int> steps.shape[0]):
        if (
            abs(steps[k, 0] - steps[other, 0]) <= 1
            and abs(steps[k, 1] - steps[other, 1]) <= 1
            and abs(steps[k, 2] - steps[other, 2]) <= 1
        ):
            found |= <unsigned short> (1 << other)
    return found


cdef int spread(int group, int members, const unsigned short *near, int neighbours) noexcept:
    """Grow a group by the members that touch it, until none does."""
    cdef int before = 0
    cdef int k
    while group != before:
        before = group
        for k in range(neighbours):
            if group & (1 << k):
                group |= near[k] & members
    return group


cdef void find_equal(
    const voxel *here, const Py_ssize_t[::1] offsets, voxel *equal,
) noexcept nogil:
    """Set bit k of each voxel of a block where neighbour k has the same value."""
    cdef Py_ssize_t k, i
    cdef const voxel *there
    cdef voxel bit
    memset(equal, 0, BLOCK * sizeof(voxel))
    for k in range(offsets.shape[0]):
        there = here + offsets[k]
        bit = <voxel> (1 << k)
        for i in range(BLOCK):
            equal[i] += (there[i] == here[i]) * bit  # a choice would not be vectorised


cdef int find_root(int *parent, int label) noexcept nogil:
    """Return the first label of the zone; halves the way to it."""
    while parent[label] != label:
        parent[label] = parent[parent[label]]
        label = parent[label]
    return label


cdef int join(int *parent, int one, int other) noexcept nogil:
    """Make two labels one zone, under the lower of their roots, which is returned."""
    one = find_root(parent, one)
    other = find_root(parent, other)
    if one < other:
        parent[other] = one
        return one
    parent[one] = other
    return other


cdef inline int lowest_bit(unsigned int bits) noexcept nogil:
    """Return the number of the lowest bit that is set."""
    cdef int k = 0
    while not bits & 1:
        bits >>= 1
        k += 1
    return k


cdef int known_label(
    unsigned int found, const int *labels, const Py_ssize_t[::1] offsets, int *parent,
) noexcept nogil:
    """Return the label of a voxel whose ``found`` neighbours are equal; joins theirs."""
    cdef int label = labels[offsets[lowest_bit(found)]]
    found &= found - 1
    while found:
        label = join(parent, label, labels[offsets[lowest_bit(found)]])
        found &= found - 1
    return label


def label_zones(
    const voxel[::1] volume, const Py_ssize_t[::1] offsets, Py_ssize_t margin,
    const unsigned short[::1] picked, int[::1] labels, int[:, ::1] forest, voxel[::1] equal,
):
    """Label the zones; count the voxels of each label. IBSI: grey level size zone matrix (9SAK).

    Parameters
    ----------
    volume : array of int16 or int32, shape (margin + whole blocks + margin,)
        Levels in the region, 0 outside.
    offsets : array of intp, shape (neighbours,)
        Distances in ``volume`` of the neighbours scanned before: negative, at most 13.
    margin : int
        Elements before the first and after the last block.
    picked : array of uint16, shape (2 ** neighbours,)
        From :func:`pick_neighbours`.
    labels : array of int32, shape of ``volume``
        Room for the labels; need not be cleared.
    forest : array of int32, shape (3, voxels of the region)
        Room for labels: another label of the same zone (or itself), level, number of voxels.
    equal : array of the type of the volume, shape (BLOCK,)
        Room, outside for the reason given in :mod:`pipeline.features.fast.kernels.neighbourhood`.

    Returns
    -------
    int
        Number of labels.
    """
    cdef Py_ssize_t block, start, i
    cdef int label, made = 0
    cdef unsigned int found
    with nogil:
        for block in range((volume.shape[0] - 2 * margin) // BLOCK):
            start = margin + block * BLOCK
            find_equal(&volume[start], offsets, &equal[0])
            for i in range(start, start + BLOCK):
                if volume[i] <= 0:
                    continue
                found = picked[equal[i - start]]
                if found:
                    label = known_label(found, &labels[i], offsets, &forest[0, 0])
                else:
                    label = made
                    forest[0, label] = label
                    forest[1, label] = volume[i]
                    forest[2, label] = 0
                    made += 1
                labels[i] = label
                forest[2, label] += 1
    return made


def tally_zones(
    int[:, ::1] forest, int made, long long[:, ::1] small, int[:, ::1] large,
):
    """Count the zones by level and size.

    Parameters
    ----------
    forest : array of int32, shape (3, at least made)
        From :func:`label_zones`; joined labels are added up in place.
    made : int
        Number of labels.
    small : array of int64, shape (levels + 1, sizes)
        Number of zones of each level (row) and size (column) that fit.
    large : array of int32, shape (2, zones)
        Level and size of every other zone; room for voxels / sizes of them.

    Returns
    -------
    int
        Number of zones in ``large``.
    """
    cdef int label, parent, listed = 0
    with nogil:
        for label in range(made - 1, -1, -1):
            parent = forest[0, label]
            if parent != label:  # made before this one, so its turn is yet to come
                forest[2, parent] += forest[2, label]
            elif forest[2, label] < small.shape[1]:
                small[forest[1, label], forest[2, label]] += 1
            else:
                large[0, listed] = forest[1, label]
                large[1, listed] = forest[2, label]
                listed += 1
    return listed
