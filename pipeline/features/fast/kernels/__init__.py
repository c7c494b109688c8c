"""Loops over voxels in Cython; each module says what it counts, the Python beside it what it means.

The kernels release the interpreter's lock, allocate nothing that grows with the frame of the scan,
and know nothing of settings: what they get is contiguous arrays (z, y, x) and plain numbers.
"""
