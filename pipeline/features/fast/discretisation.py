"""Cutting the intensities of a region into grey levels.

As PyRadiomics 3.0.1 does: bins of equal width that begin at a multiple of the width, or a number of
bins of equal width between lowest and highest value. The standard's bins of fixed size begin at a
given lowest intensity instead (IBSI reference manual, doi:10.1148/radiol.2020191145, Q3RU).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.domain.errors import CaseError
from pipeline.features.fast.grey_levels import GreyLevels, RegionImage
from pipeline.features.fast.kernels.discretisation import assign_levels, find_range
from pipeline.features.fast.texture_settings import TextureSettings
from pipeline.features.native_settings import MOST_BINS

_IN_KERNEL = (np.int16, np.float32, np.float64)
"""Types of voxels that need no conversion."""


def discretise(
    image: RegionImage, settings: TextureSettings, lowest_edge: float | None = None
) -> GreyLevels:
    """Give each voxel of the region its grey level.

    Parameters
    ----------
    image : RegionImage
        Intensities beyond 2**53 are rounded to double precision.
    settings : TextureSettings
        ``bin_width`` in units of the image, or ``bin_count``.
    lowest_edge : float, optional
        Where bins of ``bin_width`` begin, not above any value of the region; level 1 may then be
        empty. PyRadiomics' multiple of the width if None.

    Returns
    -------
    GreyLevels
        Level n holds the values from bin edge n up to, not including, edge n + 1.

    Raises
    ------
    CaseError
        If values are infinite, too far apart for the bin width, or too near to the largest number
        of their type for the bin edges.
    """
    values = image.values
    if values.dtype not in _IN_KERNEL:
        values = values.astype(np.float64)
    inside = image.inside.view(np.uint8)
    lowest, highest = find_range(values, inside)
    begin = lowest if lowest_edge is None else lowest_edge
    _check_range(begin, highest, settings)
    if settings.bin_count is None and lowest_edge is not None:
        bins = int((highest - lowest_edge) // settings.bin_width) + 1
        edges = lowest_edge + settings.bin_width * np.arange(bins + 1.0)
    else:
        edges = _pyradiomics_edges(lowest, highest, image.values.dtype, settings)
    levels = np.empty(values.shape, np.int32)
    voxels = np.zeros(len(edges) + 1, np.int64)
    assign_levels(values, inside, edges, levels, voxels)
    if voxels[0]:  # below every edge lie only values that are no numbers
        raise _not_finite()
    present = np.flatnonzero(voxels)
    highest = int(present[-1])
    return GreyLevels(levels, highest, present, voxels[: highest + 1], image.spacing_mm)


def _pyradiomics_edges(
    lowest: float, highest: float, dtype: np.dtype[Any], settings: TextureSettings
) -> npt.NDArray[np.float64]:
    try:  # the type decides how edges are rounded
        edges = find_edges(dtype.type(lowest), dtype.type(highest), settings)
    except (OverflowError, ValueError):  # the width itself is beyond the type, or below its steps
        edges = np.empty(0)
    _check_edges(edges, dtype)
    return edges


def find_edges(lowest: Any, highest: Any, settings: TextureSettings) -> npt.NDArray[np.float64]:
    """Return the edges of the bins, ascending.

    Parameters
    ----------
    lowest, highest : NumPy scalars in the type of the image
        Of the region.
    settings : TextureSettings
        ``bin_width`` in units of the image, or ``bin_count``.

    Returns
    -------
    numpy.ndarray, shape (bins + 1,)
        Values at or above the last edge are a level of their own.
    """
    if settings.bin_count is not None:
        edges = np.histogram_bin_edges(np.array([lowest, highest]), settings.bin_count)
        edges[-1] += 1  # the highest value belongs to the last bin
        return edges.astype(np.float64)
    width = settings.bin_width
    with np.errstate(over="ignore"):  # found by _check_edges
        edges = np.arange(lowest - lowest % width, highest + 2 * width, width)
    if len(edges) == 1:  # one value, which is a multiple of the width
        edges = np.array([edges[0] - 0.5, edges[0] + 0.5])
    return edges.astype(np.float64)


def _check_range(lowest: float, highest: float, settings: TextureSettings) -> None:
    if not np.isfinite([lowest, highest]).all():
        raise _not_finite()
    if settings.bin_count is None and highest - lowest > MOST_BINS * settings.bin_width:
        msg = (
            f"the region's values go from {lowest:g} to {highest:g}, more than {MOST_BINS} bins of"
            f" width {settings.bin_width:g}. Check the unit of the scan, or set a larger binWidth."
        )
        raise CaseError(msg)


def _not_finite() -> CaseError:
    msg = (
        "the region holds values that are not finite numbers. Leave out the image type, or"
        " check the intensities of the scan."
    )
    return CaseError(msg)


def _check_edges(edges: npt.NDArray[np.float64], dtype: np.dtype[Any]) -> None:
    if len(edges) == 0 or (np.diff(edges) < 0).any():
        msg = (
            f"the image's type, {dtype}, has no room for the bins of the region's values. Store the"
            " scan in a wider type, such as float32, or set another binWidth or binCount."
        )
        raise CaseError(msg)
