"""Loops over voxels in Cython; each module says what it counts, the Python beside it what it means.

The kernels release the interpreter's lock, allocate nothing that grows with the frame of the scan,
and know nothing of settings: what they get is contiguous arrays (z, y, x) and plain numbers.
"""

from pathlib import Path

from pipeline.features.fast.build_record import find_built

__path__.append(str(find_built(Path(__file__).parent)))
