"""Regions that PyRadiomics refuses: empty, or with too few voxels or dimensions."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.domain.errors import CaseError
from pipeline.features.fast.prepared_image import Box

Inside = npt.NDArray[np.bool_]


def bounding_box(inside: Inside) -> Box | None:
    """Return the bounding box of a region along z, y, x; None for an empty one.

    Reads the whole array once and then only the slices and rows that count.
    """
    slices = np.flatnonzero(inside.reshape(inside.shape[0], -1).any(axis=1))
    if not slices.size:
        return None
    z = _span(slices)
    y = _span(np.flatnonzero(inside[z].any(axis=(0, 2))))
    return z, y, _span(np.flatnonzero(inside[z, y].any(axis=(0, 1))))


def _span(places: npt.NDArray[np.intp]) -> slice:
    return slice(int(places[0]), int(places[-1]) + 1)


def check_drawn(inside: Inside, name: str) -> Box:
    """Return the bounding box of a region as drawn.

    Raises
    ------
    CaseError
        For an empty region, and for one that fills the image: PyRadiomics takes a mask of one
        value for one with nothing drawn.
    """
    box = bounding_box(inside)
    if box is None:
        msg = f"the {name} region has no voxel. Draw it, or leave this scan out."
        raise CaseError(msg)
    if inside[box].size == inside.size and inside.all():
        msg = (
            f"the {name} region fills the whole image, so there is nothing outside it;"
            " PyRadiomics refuses such a mask. Check the mask, or give an image with a border."
        )
        raise CaseError(msg)
    return box


def check_usable(inside: Inside, name: str, settings: Mapping[str, Any], step: str) -> Box:
    """Return the bounding box of a region from which features can be computed.

    Parameters
    ----------
    inside : numpy.ndarray of bool, shape (z, y, x)
        The region.
    name : str
        Its name, for messages.
    settings : mapping
        PyRadiomics' ``minimumROIDimensions`` and ``minimumROISize``.
    step : str
        After what, for messages: ``as drawn``, ``after resampling`` ...

    Raises
    ------
    CaseError
        If no voxel or a single one is left, or if the region has fewer dimensions than asked for,
        or not more voxels than ``minimumROISize``.
    """
    box = bounding_box(inside)
    if box is None:
        msg = f"the {name} region has no voxel {step}; it is smaller than the new voxels."
        raise CaseError(msg)
    dimensions = sum(span.stop - span.start > 1 for span in box)
    if dimensions == 0:
        msg = f"the {name} region has only 1 voxel {step}; features need more. Leave it out."
        raise CaseError(msg)
    wanted = settings.get("minimumROIDimensions", 2)
    if dimensions < wanted:
        msg = (
            f"the {name} region has {dimensions} dimension(s) {step}, setting minimumROIDimensions"
            f" wants {wanted}. Lower the setting, or leave the region out."
        )
        raise CaseError(msg)
    _check_size(inside[box], name, settings.get("minimumROISize"), step)
    return box


def _check_size(inside: Inside, name: str, smallest: int | None, step: str) -> None:
    if smallest is None:
        return
    size = int(np.count_nonzero(inside))
    if size <= smallest:
        msg = (
            f"the {name} region has {size} voxels {step}, setting minimumROISize wants more than"
            f" {smallest}. Lower the setting, or leave the region out."
        )
        raise CaseError(msg)
