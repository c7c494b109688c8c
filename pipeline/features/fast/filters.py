"""The image types: the scan itself and its filtered images, as PyRadiomics makes them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.features.fast.gradient import gradient_magnitude
from pipeline.features.fast.grey_levels import RegionImage
from pipeline.features.fast.log_filter import log_images
from pipeline.features.fast.pointwise import (
    exponential,
    logarithm,
    pointwise_image,
    square,
    square_root,
)
from pipeline.features.fast.prepared_image import PreparedImage
from pipeline.features.fast.wavelet import wavelet_images

_Settings = Mapping[str, Any]
_Named = tuple[str, npt.NDArray[Any]]

_SERIES: Mapping[str, Callable[[PreparedImage, _Settings], Iterator[_Named]]] = {
    "LoG": log_images,
    "Wavelet": wavelet_images,
}
"""Image types that give several images, by their names."""

_SINGLE: Mapping[str, Callable[[PreparedImage, _Settings], npt.NDArray[Any]]] = {
    "Original": lambda prepared, _: prepared.values[prepared.box],
    "Gradient": gradient_magnitude,
    "Square": lambda prepared, _: pointwise_image(prepared, square),
    "SquareRoot": lambda prepared, _: pointwise_image(prepared, square_root),
    "Logarithm": lambda prepared, _: pointwise_image(prepared, logarithm),
    "Exponential": lambda prepared, _: pointwise_image(prepared, exponential),
}
"""Image types that give one image, called as they are in small letters."""


def filtered_images(
    prepared: PreparedImage, image_types: Mapping[str, _Settings], settings: _Settings
) -> Iterator[tuple[str, RegionImage, dict[str, Any]]]:
    """Compute one image after the other; none is kept.

    Parameters
    ----------
    prepared : PreparedImage
        The image that PyRadiomics would filter.
    image_types : mapping of str to mapping
        Enabled image types with their own settings, which go before the general ones. LBP2D and
        LBP3D are not known here.
    settings : mapping
        General settings.

    Yields
    ------
    (str, RegionImage, dict)
        The image's name, its values in the bounding box of the region, and the settings that hold
        for its features; image types in the order given. Those that PyRadiomics skips are left
        out.
    """
    inside = np.ascontiguousarray(prepared.inside[prepared.box])
    for image_type, own in image_types.items():
        merged = {**settings, **own}
        for name, values in _images(prepared, image_type, merged):
            contiguous = np.ascontiguousarray(values)
            yield name, RegionImage(contiguous, inside, prepared.spacing_mm), dict(merged)


def _images(prepared: PreparedImage, image_type: str, settings: _Settings) -> Iterator[_Named]:
    if image_type in _SERIES:
        yield from _SERIES[image_type](prepared, settings)
    else:
        yield image_type.lower(), _SINGLE[image_type](prepared, settings)
