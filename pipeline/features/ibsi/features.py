"""Features of one region by the standard: ``preset: ibsi`` of a parameter file."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from pipeline.config.extraction import ExtractionParameters
from pipeline.features.fast.discretisation import discretise
from pipeline.features.fast.filters import filtered_images
from pipeline.features.fast.firstorder import compute_firstorder
from pipeline.features.fast.grey_levels import RegionImage
from pipeline.features.fast.prepared_image import PreparedImage
from pipeline.features.fast.shape import compute_shape
from pipeline.features.fast.texture import compute_textures
from pipeline.features.fast.texture_settings import TextureSettings
from pipeline.features.ibsi.definitions import redefine_firstorder, redefine_shape
from pipeline.features.ibsi.log_filter import log_images
from pipeline.features.ibsi.parameters import merged_settings

Settings = Mapping[str, Any]
Named = Iterator[tuple[str, float]]


def compute_by_standard(prepared: PreparedImage, parameters: ExtractionParameters) -> Named:
    """Compute the features of one region.

    Parameters
    ----------
    prepared : PreparedImage
        By :func:`pipeline.features.ibsi.preprocessing.prepare_by_standard`.
    parameters : ExtractionParameters
        Standardised ones.

    Yields
    ------
    (str, float)
        By PyRadiomics' names, with its prefixes.

    Raises
    ------
    CaseError
        If the region cannot be filtered or discretised with these settings.
    """
    classes = parameters.feature_classes
    if "shape" in classes:
        shape = compute_shape(prepared.shape_inside, prepared.spacing_mm)
        voxels = int(np.count_nonzero(prepared.shape_inside))
        yield from _named("original_shape", redefine_shape(shape, voxels))
    for name, image, settings in standard_images(prepared, parameters):
        texture = TextureSettings.from_native(settings)
        levels = discretise(image, texture, _lowest_edge(name, image, settings))
        if "firstorder" in classes:
            values = compute_firstorder(image, levels, texture)
            yield from _named(f"{name}_firstorder", redefine_firstorder(values))
        for class_name, values in compute_textures(levels, texture, classes):
            yield from _named(f"{name}_{class_name}", values)


def standard_images(
    prepared: PreparedImage, parameters: ExtractionParameters
) -> Iterator[tuple[str, RegionImage, Settings]]:
    """Compute one image after the other: PyRadiomics', but the LoG of the standard.

    Parameters
    ----------
    prepared : PreparedImage
        By :func:`pipeline.features.ibsi.preprocessing.prepare_by_standard`.
    parameters : ExtractionParameters
        Standardised ones.

    Yields
    ------
    (str, RegionImage, mapping)
        PyRadiomics' name of the image, the image, and the settings that hold for it.

    Raises
    ------
    CaseError
        If the scan's voxels are not as long as wide and a filter needs that.
    """
    inside = np.ascontiguousarray(prepared.inside[prepared.box])
    for image_type, settings in merged_settings(parameters).items():
        if image_type == "LoG":
            for name, values in log_images(prepared, settings):
                yield name, RegionImage(values, inside, prepared.spacing_mm), settings
        else:
            yield from filtered_images(prepared, {image_type: {}}, settings)


def _lowest_edge(name: str, image: RegionImage, settings: Settings) -> float:
    """Return where bins of fixed width begin: lower end of the re-segmentation, else of the values.

    IBSI reference manual, section 2.7; a range of the scan means nothing for a filtered image.
    """
    limits = settings.get("resegmentRange")
    absolute = settings.get("resegmentMode", "absolute") == "absolute"
    if name == "original" and limits is not None and absolute:
        return float(min(limits))
    return float(image.values[image.inside].min())


def _named(prefix: str, values: Mapping[str, float]) -> Named:
    return ((f"{prefix}_{name}", value) for name, value in values.items())
