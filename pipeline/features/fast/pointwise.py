"""Images whose values depend on the voxel alone, and on the largest value of the frame.

PyRadiomics scales each so that the largest magnitude m of the image keeps its value; m is taken
over the whole image that it would filter, not over the region.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from pipeline.features.fast.prepared_image import PreparedImage

Values = npt.NDArray[np.float64]


def square(values: Values, largest: float) -> Values:
    """Return x**2 / m; the sign is lost, whatever PyRadiomics' documentation says."""
    result: Values = ((1 / np.sqrt(largest)) * values) ** 2
    return result


def square_root(values: Values, largest: float) -> Values:
    """Return sqrt(m abs(x)) with the sign of x."""
    return np.copysign(np.sqrt(np.abs(values) * largest), values)


def logarithm(values: Values, largest: float) -> Values:
    """Return log(abs(x) + 1) with the sign of x, scaled to m."""
    scale = largest / np.log(np.full(1, largest) + 1)
    result: Values = np.copysign(np.log(np.abs(values) + 1), values) * scale
    return result


def exponential(values: Values, largest: float) -> Values:
    """Return exp(x log(m) / m)."""
    result: Values = np.exp((np.log(largest) / largest) * values)
    return result


def pointwise_image(prepared: PreparedImage, function: Callable[[Values, float], Values]) -> Values:
    """Apply one of the functions above in the bounding box of the region.

    An image of zeros gives what PyRadiomics gives: not a number, infinite values, or zeros.
    """
    # The extremes, not an array of magnitudes: the frame may be a whole scan.
    lowest, highest = (
        np.float64(limit) for limit in (prepared.values.min(), prepared.values.max())
    )
    largest = max(abs(lowest), abs(highest))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return function(prepared.values[prepared.box].astype(np.float64, order="C"), largest)
