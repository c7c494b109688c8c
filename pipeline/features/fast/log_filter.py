"""Laplacian of Gaussian images: bit for bit ITK's LaplacianRecursiveGaussianImageFilter."""

import logging
from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.domain.errors import CaseError
from pipeline.features.fast.kernels.recursive_gaussian import add_scaled
from pipeline.features.fast.prepared_image import PreparedImage
from pipeline.features.fast.recursive_gaussian import (
    REACH_IN_SIGMAS,
    SHORTEST_LINE_VOXELS,
    filter_along,
    gaussian_taps,
    second_derivative_taps,
)

SMALLEST_SIGMA_VOXELS = 0.01
"""Below, nothing is smoothed, and the filter's terms come to an end of double precision."""

_LOG = logging.getLogger(__name__)

_KERNEL_TYPES = (np.int16, np.float32)
"""Types that are filtered as they are; others are converted to double first, as ITK does."""


def log_images(
    prepared: PreparedImage, settings: Mapping[str, Any]
) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    """Filter with each ``sigma`` of the settings, in mm.

    Parameters
    ----------
    prepared : PreparedImage
        What PyRadiomics would filter.
    settings : mapping
        ``sigma``, a list of standard deviations in mm.

    Yields
    ------
    (str, numpy.ndarray of float32)
        The image's name and its values in the bounding box of the region. Nothing for widths that
        PyRadiomics skips: where an axis has fewer than four voxels, or fewer than sigma and one.
    """
    for sigma_mm in settings.get("sigma", ()):
        name = f"log-sigma-{str(sigma_mm).replace('.', '-')}-mm-3D"
        if _fits(prepared, sigma_mm):
            yield name, laplacian_of_gaussian(prepared, sigma_mm)
        else:
            _LOG.warning("The image is too small for %s: its features have no value.", name)


def laplacian_of_gaussian(prepared: PreparedImage, sigma_mm: float) -> npt.NDArray[np.float32]:
    """Return sigma squared times the Laplacian of the smoothed image, in the bounding box.

    Each of the three second derivatives is filtered along its own axis and smoothed along the two
    others, x before y before z, and rounded to single precision after each pass, as in ITK.

    Raises
    ------
    CaseError
        If sigma is below :data:`SMALLEST_SIGMA_VOXELS`.
    """
    spacing_zyx = prepared.spacing_mm[::-1]
    reach = [ceil(REACH_IN_SIGMAS * sigma_mm / spacing) for spacing in spacing_zyx]
    near = prepared.cut((reach[0], reach[1], reach[2]))
    values = near.values if near.values.dtype in _KERNEL_TYPES else near.values.astype(np.float64)
    volume = np.ascontiguousarray(values)
    if sigma_mm < SMALLEST_SIGMA_VOXELS * max(spacing_zyx):
        msg = (
            f"LoG with a sigma of {sigma_mm:g} mm is too narrow for voxels of {max(spacing_zyx):g}"
            " mm. Set a larger sigma, or leave it out."
        )
        raise CaseError(msg)
    smooth = [gaussian_taps(sigma_mm / spacing) for spacing in spacing_zyx]
    total = np.zeros([span.stop - span.start for span in near.box], np.float32)
    for axis in (2, 1, 0):
        spacing = spacing_zyx[axis]
        taps = second_derivative_taps(sigma_mm / spacing, sigma_mm * sigma_mm)
        derived = filter_along(volume, axis, taps, near.box[axis])
        for other in (2, 1, 0):
            if other != axis:
                derived = filter_along(derived, other, smooth[other], near.box[other])
        # From a derivative per voxel squared to one per mm squared.
        add_scaled(derived.reshape(-1), 1.0 / (spacing * spacing), total.reshape(-1))
    return total


def _fits(prepared: PreparedImage, sigma_mm: float) -> bool:
    return all(
        size >= max(SHORTEST_LINE_VOXELS, ceil(sigma_mm / spacing) + 1)
        for size, spacing in zip(prepared.values.shape, prepared.spacing_mm[::-1], strict=True)
    )
