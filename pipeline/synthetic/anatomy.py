"""The normal anatomy around the lesion, as simple bodies: a coarse phantom, not a patient."""

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from pipeline.domain.geometry import Geometry

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.uint8]


class Tissue(IntEnum):
    """What a voxel of the phantom is made of."""

    AIR = 0
    FAT = 1
    MUSCLE = 2
    BONE = 3
    AORTA = 4
    LIVER = 5
    VESSEL = 6
    VIABLE = 7
    NECROSIS = 8
    LIPIODOL = 9


LIVER_SEMI_AXES_MM = np.array([80.0, 64.0, 56.0])
"""Of the ellipsoid that stands for the liver, along x, y, z; its centre is the origin."""

_BODY_SEMI_AXES_MM = np.array([108.0, 90.0])
_WALL_MM = 12.0


def voxel_positions_mm(geometry: Geometry, shift_mm: Floats) -> Floats:
    """Return positions relative to the liver's centre, shape (z, y, x, 3), last axis x, y, z.

    The liver's centre is the centre of the grid plus ``shift_mm`` (x, y, z).
    """
    spacing, shape = geometry.spacing_mm[::-1], geometry.shape_zyx
    axes = [
        (np.arange(count) - (count - 1) / 2) * step
        for count, step in zip(shape, spacing, strict=True)
    ]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    return np.stack([x, y, z], axis=-1) - shift_mm


def draw_anatomy(positions: Floats) -> Labels:
    """Label every voxel with normal tissue.

    Parameters
    ----------
    positions : numpy.ndarray, shape (z, y, x, 3)
        In millimetres from the liver's centre; x to the patient's left, y to the back, z up.
    """
    labels = np.full(positions.shape[:-1], Tissue.AIR, dtype=np.uint8)
    x, y, z = np.moveaxis(positions, -1, 0)
    from_axis = np.hypot(x / _BODY_SEMI_AXES_MM[0], y / _BODY_SEMI_AXES_MM[1])
    labels[from_axis < 1] = Tissue.MUSCLE
    labels[from_axis < 1 - _WALL_MM / _BODY_SEMI_AXES_MM.min()] = Tissue.FAT
    labels[np.linalg.norm(positions / LIVER_SEMI_AXES_MM, axis=-1) < 1] = Tissue.LIVER
    in_liver = labels == Tissue.LIVER
    branch = np.hypot(y - 0.3 * x - 10, z + 0.2 * x) < 5
    labels[in_liver & branch & (x > -40)] = Tissue.VESSEL
    labels[np.hypot(x - 22, y - 72) < 14] = Tissue.BONE
    labels[(np.hypot(x - 45, y - 62) < 9) & ~in_liver] = Tissue.AORTA
    return labels
