"""Leaving voxels out of a region by their value."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.domain.errors import CaseError
from pipeline.features.fast.prepared_image import Box


def resegment(
    values: npt.NDArray[Any],
    inside: npt.NDArray[np.bool_],
    box: Box,
    settings: Mapping[str, Any],
    name: str,
) -> npt.NDArray[np.bool_]:
    """Return the voxels of a region that are within PyRadiomics' ``resegmentRange``.

    Parameters
    ----------
    values : numpy.ndarray, shape (z, y, x)
        The image.
    inside : numpy.ndarray of bool, shape (z, y, x)
        The region.
    box : (slice, slice, slice)
        Its bounding box along z, y, x.
    settings : mapping
        ``resegmentRange``, one or two thresholds that belong to the range, and ``resegmentMode``:
        they are values (absolute), parts of the largest value in the region (relative), or
        standard deviations from its mean (sigma).
    name : str
        Name of the region, for messages.

    Raises
    ------
    CaseError
        If not more than one voxel is left.
    """
    marked = inside[box]
    # NumPy compares in the type of the image, as in PyRadiomics: float32 values with float32.
    found = values[box][marked]
    limits = _thresholds(found, settings)
    kept = found >= limits[0]
    if len(limits) > 1:
        kept &= found <= limits[1]
    count = int(np.count_nonzero(kept))
    if count <= 1:
        msg = (
            f"re-segmentation leaves {count} of {found.size} voxels of the {name} region;"
            " features need more. Widen setting resegmentRange, or leave the region out."
        )
        raise CaseError(msg)
    left = np.zeros_like(inside)
    left[box][marked] = kept
    return left


def _thresholds(found: npt.NDArray[Any], settings: Mapping[str, Any]) -> list[Any]:
    limits = sorted(settings["resegmentRange"])
    mode = settings.get("resegmentMode", "absolute")
    if mode == "relative":
        return _parts_of(found.max(), limits)
    if mode == "sigma":
        mean, deviation = np.mean(found), np.std(found)
        return [mean + deviation * limit for limit in limits]
    return limits


def _parts_of(largest: Any, limits: list[Any]) -> list[Any]:
    try:
        return [largest * limit for limit in limits]
    except OverflowError as error:  # whole numbers stay in the type of the image
        decimals = [float(limit) for limit in limits]
        msg = (
            f"setting resegmentRange {limits} cannot be applied to the image's {largest.dtype}"
            f" voxels. Write it with decimals: {decimals}."
        )
        raise CaseError(msg) from error
