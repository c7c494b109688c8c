"""Noise of an image: how much it has, and adding as much again."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pywt

WAVELET = "coif1"
"""Its diagonal details hold little but noise."""

MEDIAN_OF_ABSOLUTE_NORMAL = 0.6744897501960817
"""Median of the absolute value of a standard normal variable: its upper quartile."""

_ROUNDING = 1e-9  # details below this share of the largest value are zeros that were rounded
_MIN_IN_PLANE = 6  # the length of the wavelet's filter: below it all is border


def estimate_noise_sd(voxels: npt.NDArray[Any]) -> float:
    """Estimate the standard deviation of white noise in an image.

    The median absolute diagonal detail of one in-plane wavelet level over .6745 [1]_. Coefficients
    of zero, from padding and clipped values, are left out. Noise that neighbours share, as
    smooth reconstruction kernels make it, is underestimated.

    Parameters
    ----------
    voxels : numpy.ndarray, shape (z, y, x)
        The image.

    Returns
    -------
    float
        In the unit of the image; 0 where nothing but zeros is left or a slice is too small.

    References
    ----------
    .. [1] Chang SG, Yu B, Vetterli M. Adaptive wavelet thresholding for image denoising and
       compression. IEEE Trans Image Process 2000;9:1532-1546. doi:10.1109/83.862633
    """
    if min(voxels.shape[1:]) < _MIN_IN_PLANE:
        return 0.0
    values = voxels.astype(np.float64, copy=False)
    diagonal = pywt.dwtn(values, WAVELET, mode="periodization", axes=(1, 2))["dd"]
    details = diagonal[np.abs(diagonal) > _ROUNDING * np.abs(values).max()]
    if details.size == 0:
        return 0.0
    return float(np.median(np.abs(details))) / MEDIAN_OF_ABSOLUTE_NORMAL


def add_noise(
    voxels: npt.NDArray[Any], sd: float, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Return a copy with independent normal noise of this standard deviation added."""
    noisy: npt.NDArray[np.float64] = voxels + sd * rng.standard_normal(voxels.shape)
    return noisy
