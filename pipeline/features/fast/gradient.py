"""Gradient magnitude images, bit for bit those of ITK's GradientMagnitudeImageFilter."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.features.fast.prepared_image import PreparedImage


def gradient_magnitude(
    prepared: PreparedImage, settings: Mapping[str, Any]
) -> npt.NDArray[np.float32]:
    """Return the magnitude of the gradient by central differences, in the bounding box.

    Beyond the frame its outer voxels go on.

    Parameters
    ----------
    prepared : PreparedImage
        What PyRadiomics would filter.
    settings : mapping
        ``gradientUseSpacing``: per mm (the default) or per voxel.
    """
    near = prepared.cut((1, 1, 1))
    padded = _pad(near)
    squares: npt.NDArray[np.float64] = np.zeros([size - 2 for size in padded.shape])
    # x before y before z, and both halves apart: ITK's order decides the last digits.
    for axis, spacing in zip((2, 1, 0), prepared.spacing_mm, strict=True):
        weight = 0.5 * (1.0 / spacing if settings.get("gradientUseSpacing", True) else 1.0)
        ahead, behind = _shifted(padded, axis, 1), _shifted(padded, axis, -1)
        slope = ahead * weight - behind * weight
        squares += slope * slope
    return np.sqrt(squares, out=squares).astype(np.float32)


def _pad(near: PreparedImage) -> npt.NDArray[np.float64]:
    """Return the bounding box with one voxel around it, outer voxels repeated at the frame."""
    missing = [
        (1 - span.start, span.stop + 1 - size)
        for span, size in zip(near.box, near.values.shape, strict=True)
    ]
    return np.pad(near.values, missing, "edge").astype(np.float64)


def _shifted(padded: npt.NDArray[np.float64], axis: int, voxels: int) -> npt.NDArray[np.float64]:
    """Return the box moved along one axis."""
    where = [slice(1, size - 1) for size in padded.shape]
    where[axis] = slice(1 + voxels, padded.shape[axis] - 1 + voxels)
    return padded[tuple(where)]
