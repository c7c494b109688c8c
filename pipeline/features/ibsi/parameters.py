"""What of a parameter file the standard knows, and what its filters need."""

from collections.abc import Mapping
from typing import Any

import pywt

from pipeline.config.extraction import ExtractionParameters
from pipeline.domain.errors import ConfigError
from pipeline.domain.geometry import Geometry
from pipeline.features.ibsi.log_filter import reach_voxels
from pipeline.features.native_settings import fill_settings, image_settings

Settings = Mapping[str, Any]

IMAGE_TYPES = ("Original", "LoG", "Wavelet")
"""The image itself and those of PyRadiomics' filters that are in IBSI-2."""

REQUIRED: Settings = {
    "normalize": False,
    "resegmentShape": False,
    "voxelArrayShift": 0,
    "symmetricalGLCM": True,
    "gldm_a": 0,
    "start_level": 0,
    "level": 1,  # PyRadiomics does not dilate the wavelet of the next levels
}
"""Settings that have one value only in the standard, or that we have only one way of."""


def merged_settings(parameters: ExtractionParameters) -> dict[str, dict[str, Any]]:
    """Return the settings of each image type: its own before the general ones."""
    general = fill_settings(parameters)
    return {name: {**general, **own} for name, own in image_settings(parameters).items()}


def check_standardised(parameters: ExtractionParameters) -> None:
    """Refuse what the standard does not define, before any image is read.

    Raises
    ------
    ConfigError
        Naming the image type, feature class or setting.
    """
    problem = _find_unknown(parameters)
    if problem:
        msg = (
            f"{parameters.source or 'the extraction parameters'}: {problem}, with preset ibsi."
            " Leave it out, or set pipeline.preset: none."
        )
        raise ConfigError(msg)


def _find_unknown(parameters: ExtractionParameters) -> str:
    if "shape2D" in parameters.feature_classes:
        return "feature class shape2D is not in the standard"
    for name, settings in merged_settings(parameters).items():
        if name not in IMAGE_TYPES:
            known = ", ".join(IMAGE_TYPES)
            return f"image type {name} is not in the standard; expected one of {known}"
        for key, value in REQUIRED.items():
            if settings.get(key, value) != value:
                return f"setting {key}: expected {value}, got {settings[key]}"
    return ""


def margin_voxels(geometry: Geometry, parameters: ExtractionParameters) -> int:
    """Return how many voxels around the region the filters see.

    Parameters
    ----------
    geometry : Geometry
        Of the scan, before interpolation.
    parameters : ExtractionParameters
        In which :func:`check_standardised` finds nothing.
    """
    margin = 0
    for image_type, settings in merged_settings(parameters).items():
        wanted = settings.get("resampledPixelSpacing") or (0, 0, 0)
        shortest_mm = min(new or old for new, old in zip(wanted, geometry.spacing_mm, strict=True))
        if image_type == "LoG":
            margin = max(margin, reach_voxels(max(settings["sigma"]), shortest_mm))
        if image_type == "Wavelet":
            margin = max(margin, pywt.Wavelet(settings.get("wavelet", "coif1")).dec_len)
    return margin
