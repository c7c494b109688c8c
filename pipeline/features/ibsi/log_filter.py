"""Laplacian of Gaussian of IBSI-2, which is not PyRadiomics' filter.

Reference manual of the filters: doi:10.1148/radiol.231319, arXiv:2006.05470, section 3.2. The
Gaussian is sampled and cut off at four standard deviations, and the response is per voxel squared,
not normalised by scale; ITK's recursive filter approximates it and multiplies by sigma squared.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.domain.errors import CaseError
from pipeline.features.fast.kernels.wavelet import convolve_axis
from pipeline.features.fast.prepared_image import PreparedImage

Floats = npt.NDArray[np.float64]

CUTOFF_SIGMAS = 4.0
"""Where the filter ends."""

SAME_SPACING = 1e-3
"""Spacings that differ by less than this part of the first are equal."""


def log_images(
    prepared: PreparedImage, settings: Mapping[str, Any]
) -> Iterator[tuple[str, Floats]]:
    """Filter with each ``sigma`` of the settings, in mm.

    Parameters
    ----------
    prepared : PreparedImage
        With :func:`reach_voxels` voxels around the region.
    settings : mapping
        ``sigma``, a list of standard deviations in mm; ``force2D`` and ``force2Ddimension`` (0 is
        z): plane by plane, perpendicular to this axis.

    Yields
    ------
    (str, numpy.ndarray)
        PyRadiomics' name of the image, and its values in the bounding box of the region.

    Raises
    ------
    CaseError
        Where the voxels are not as long as wide along the axes filtered.
    """
    left_out = settings.get("force2Ddimension", 0) if settings.get("force2D") else None
    axes = tuple(axis for axis in range(3) if axis != left_out)
    for sigma_mm in settings.get("sigma", ()):
        name = f"log-sigma-{str(sigma_mm).replace('.', '-')}-mm-3D"
        yield name, laplacian_of_gaussian(prepared, sigma_mm, axes)


def reach_voxels(sigma_mm: float, spacing_mm: float) -> int:
    """Return how far from its centre the filter sees."""
    return int(CUTOFF_SIGMAS * sigma_mm / spacing_mm + 0.5)


def laplacian_of_gaussian(
    prepared: PreparedImage, sigma_mm: float, axes: tuple[int, ...]
) -> Floats:
    """Return the Laplacian of the smoothed image in the bounding box of the region.

    Parameters
    ----------
    prepared : PreparedImage
        With :func:`reach_voxels` voxels around the region.
    sigma_mm : float
        Standard deviation of the Gaussian.
    axes : tuple of int
        Along which to filter: 0 is z, 1 is y, 2 is x.
    """
    sigma = sigma_mm / _common_spacing(prepared.spacing_mm, axes)
    reach = reach_voxels(sigma, 1.0)
    smoothing, second_derivative = _taps(sigma, reach)
    margin = tuple(reach if axis in axes else 0 for axis in range(3))
    near = prepared.cut((margin[0], margin[1], margin[2]))
    smooth = np.ascontiguousarray(near.values, dtype=np.float64)
    laplacian = np.zeros_like(smooth)
    for axis in axes:
        derived = _filter(smooth, axis, second_derivative)
        laplacian = _filter(laplacian, axis, smoothing) + derived
        smooth = _filter(smooth, axis, smoothing)
    return laplacian


def _common_spacing(spacing_mm: tuple[float, float, float], axes: tuple[int, ...]) -> float:
    along = [spacing_mm[2 - axis] for axis in axes]
    if not np.allclose(along, along[0], rtol=SAME_SPACING, atol=0):
        lengths = " x ".join(f"{length:g}" for length in spacing_mm)
        msg = (
            f"image type LoG is not defined by IBSI-2 for voxels of {lengths} mm: they must be"
            " equally long along all axes filtered. Set setting resampledPixelSpacing, or force2D."
        )
        raise CaseError(msg)
    return along[0]


def _taps(sigma: float, reach: int) -> tuple[Floats, Floats]:
    """Sample the Gaussian, with sum 1, and its second derivative; sigma in voxels."""
    x = np.arange(-reach, reach + 1, dtype=np.float64)
    gaussian = np.exp(-0.5 * (x / sigma) ** 2)
    gaussian /= gaussian.sum()
    return gaussian, gaussian * (x**2 - sigma**2) / sigma**4


def _filter(volume: Floats, axis: int, taps: Floats) -> Floats:
    """Convolve along an axis with symmetrical taps, where all of them lie in the volume."""
    shape = volume.shape
    length = shape[axis] - len(taps) + 1
    inner = int(np.prod(shape[axis + 1 :]))
    out = np.empty((*shape[:axis], length, *shape[axis + 1 :]))
    # The kernel takes an even number of taps.
    even, offsets = np.append(taps, 0.0), np.append(np.arange(len(taps)), 0)
    merged = out.reshape(-1, length, inner)
    convolve_axis(volume.reshape(-1, shape[axis], inner), even, offsets, 0, length, merged)
    return out
