"""First order: the distribution of the intensities of a region, wherever they are."""

import sys
from math import floor, prod

import numpy as np
import numpy.typing as npt

from pipeline.features.fast.grey_levels import EPSILON, GreyLevels, RegionImage
from pipeline.features.fast.kernels.voxel_sums import (
    collect_buckets,
    count_buckets,
    robust_deviation,
    sum_powers,
)
from pipeline.features.fast.texture_settings import TextureSettings

_Floats = npt.NDArray[np.float64]

PERCENTS = (10, 25, 50, 75, 90)

BUCKETS = 4096
"""Values are sorted only in the few of these buckets where a percentile lies."""


def compute_firstorder(
    image: RegionImage, levels: GreyLevels, settings: TextureSettings
) -> dict[str, float]:
    """Compute PyRadiomics' 19 first-order features, the deprecated StandardDeviation included.

    IBSI: intensity-based statistics (UHIW), and of the grey levels intensity histogram (ZVCW).
    Kurtosis is not the excess; Skewness and Kurtosis of a flat region are 0. All sums are in double
    precision, whatever the type of the image.

    Parameters
    ----------
    image : RegionImage
        Finite in the region.
    levels : GreyLevels
        Of that image; for Entropy and Uniformity.
    settings : TextureSettings
        ``voxel_array_shift`` counts.
    """
    values = image.values[image.inside].astype(np.float64, copy=False)
    low, high = float(values.min()), float(values.max())
    p10, p25, median, p75, p90 = find_percentiles(values, low, high)
    return {
        "Minimum": low,
        "Maximum": high,
        "Range": high - low,
        "10Percentile": p10,
        "Median": median,
        "90Percentile": p90,
        "InterquartileRange": p75 - p25,
        "RobustMeanAbsoluteDeviation": robust_deviation(values, p10, p90),
        **_moments(values, settings.voxel_array_shift, prod(image.spacing_mm)),
        **_histogram(levels.voxels),
    }


def _moments(values: _Floats, shift: float, voxel_mm3: float) -> dict[str, float]:
    voxels = len(values)
    mean = float(values.mean())
    absolute, square, cube, fourth, energy = sum_powers(values, mean, shift)
    variance = square / voxels
    scale = variance or 1.0
    return {
        "Mean": mean,
        "MeanAbsoluteDeviation": absolute / voxels,
        "Variance": variance,
        "StandardDeviation": variance**0.5,
        "Skewness": cube / voxels / scale**1.5,
        "Kurtosis": fourth / voxels / scale**2,
        "Energy": energy,
        "TotalEnergy": energy * voxel_mm3,
        "RootMeanSquared": (energy / voxels) ** 0.5,
    }


def _histogram(counts: npt.NDArray[np.int64]) -> dict[str, float]:
    share = counts[counts > 0] / counts.sum()
    return {
        "Entropy": float(-(share * np.log2(share + EPSILON)).sum()),
        "Uniformity": float((share**2).sum()),
    }


def find_percentiles(values: _Floats, low: float, high: float) -> list[float]:
    """Return the percentiles PERCENTS of the values, as numpy's, linear between two values.

    Parameters
    ----------
    values : numpy.ndarray of float64, shape (voxels,)
    low, high : float
        Their minimum and maximum.
    """
    last = len(values) - 1
    places = [percent / 100 * last for percent in PERCENTS]
    below = [floor(place) for place in places]
    above = [min(rank + 1, last) for rank in below]
    ranked = _find_ranks(values, np.array(below + above), low, high).tolist()
    return [
        _between(ranked[k], ranked[k + len(PERCENTS)], place - below[k])
        for k, place in enumerate(places)
    ]


def _between(low: float, high: float, share: float) -> float:
    """Interpolate as numpy does: from the nearer end, so that both ends come out exactly."""
    step = high - low
    return low + step * share if share < 0.5 else high - step * (1 - share)


def _find_ranks(values: _Floats, ranks: npt.NDArray[np.intp], low: float, high: float) -> _Floats:
    """Return the values at places of the sorted array, of which only a small part is sorted."""
    if low == high:
        return np.full(len(ranks), low)
    scale = min(BUCKETS / (high - low), sys.float_info.max)
    counts = np.zeros(BUCKETS, dtype=np.int64)
    count_buckets(values, low, scale, counts)
    buckets = np.searchsorted(np.cumsum(counts), ranks, side="right")
    wanted = np.zeros(BUCKETS, dtype=np.uint8)
    wanted[buckets] = 1
    collected = np.empty(int(counts @ wanted))
    collect_buckets(values, low, scale, wanted, collected)
    collected.sort()
    left_out = np.cumsum(counts * (1 - wanted))
    found: _Floats = collected[ranks - left_out[buckets]]
    return found
