"""Directions along which voxels are compared, and how far they reach.

Angles are steps (z, y, x) in voxels, of which one of two opposite ones is kept; their choice and
order are PyRadiomics 3.0.1's.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pipeline.features.fast.neighbours import Step, find_steps
from pipeline.features.fast.texture_settings import TextureSettings


def list_angles(
    shape: tuple[int, ...], settings: TextureSettings, distances: tuple[int, ...]
) -> tuple[Step, ...]:
    """List the angles that an array of this shape has room for.

    Parameters
    ----------
    shape : (int, int, int)
        Along z, y, x.
    settings : TextureSettings
        For ``force_2d``.
    distances : tuple of int
        In voxels (Chebyshev norm). A distance given twice brings in opposite angles, as in
        PyRadiomics.

    Raises
    ------
    CaseError
        If there are none.
    """
    steps = find_steps(shape, settings, distances)
    return tuple(sorted(set(steps), reverse=True)[: len(steps) // 2])


def angle_lengths(
    angles: Sequence[Step], spacing_mm: tuple[float, float, float], norm: str
) -> npt.NDArray[np.float64]:
    """Return the length of each angle in mm.

    Parameters
    ----------
    angles : sequence of (int, int, int)
        Along z, y, x.
    spacing_mm : (float, float, float)
        Along x, y, z.
    norm : {"manhattan", "euclidean", "infinity"}
    """
    steps_mm = np.abs(np.array(angles)) * np.array(spacing_mm[::-1])
    if norm == "manhattan":
        return np.asarray(steps_mm.sum(axis=1))
    if norm == "euclidean":
        return np.asarray(np.sqrt((steps_mm**2).sum(axis=1)))
    return np.asarray(steps_mm.max(axis=1))
