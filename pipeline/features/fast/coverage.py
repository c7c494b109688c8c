"""What the fast engine can compute; known from the parameters, before any image is read."""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from pipeline.config.extraction import ExtractionParameters
from pipeline.features.native_settings import NativeSettings, fill_settings, image_settings
from pipeline.features.pyradiomics_features import FEATURES

IMAGE_TYPES = (
    "Original",
    "LoG",
    "Wavelet",
    "Square",
    "SquareRoot",
    "Logarithm",
    "Exponential",
    "Gradient",
)
"""Image types that are covered."""

CLASSES = ("shape", "shape2D", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")
"""Feature classes that are covered."""

INTERPOLATORS = ("sitkBSpline", "sitkLinear", "sitkNearestNeighbor", 1, 2)
"""Interpolators that are covered, by name or SimpleITK's number."""


def find_uncovered(parameters: ExtractionParameters) -> str:
    """Say what in a parameter file the fast engine does not compute; empty where it does all.

    Not covered are LBP images, deprecated features by name, windowed-sinc and Gaussian
    interpolation, ``correctMask`` and voxel-wise extraction, and whatever PyRadiomics' schema
    would refuse.
    """
    return next(_uncovered(parameters), "")


def _uncovered(parameters: ExtractionParameters) -> Iterator[str]:
    settings, images = fill_settings(parameters), image_settings(parameters)
    yield from (f"image type {name}" for name in images if name not in IMAGE_TYPES)
    yield from _uncovered_features(parameters)
    yield from _uncovered_settings(settings)
    for name, own in images.items():
        yield from (f"{reason} of {name}" for reason in _uncovered_settings(own))
    if "LoG" in images and not {**settings, **images["LoG"]}.get("sigma"):
        yield "image type LoG without sigma"


def _uncovered_features(parameters: ExtractionParameters) -> Iterator[str]:
    for name, features in parameters.feature_classes.items():
        if name not in CLASSES:
            yield f"feature class {name}"
        else:
            known = FEATURES[name]
            yield from (f"feature {name}_{one}" for one in features if known.get(one, True))


def _uncovered_settings(settings: dict[str, Any]) -> Iterator[str]:
    try:
        NativeSettings.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        key = first["loc"][0]
        yield f"setting {key}: {settings.get(str(key))!r} ({first['msg'].lower()})"
        return
    if settings.get("correctMask"):
        yield "setting correctMask"
    if settings.get("interpolator") not in (*INTERPOLATORS, None):
        yield f"interpolator {settings['interpolator']}"
    if not _is_discrete_wavelet(settings.get("wavelet", "coif1")):
        yield f"wavelet {settings['wavelet']}"


def _is_discrete_wavelet(name: str) -> bool:
    if name == "coif1":
        return True
    import pywt

    return name in pywt.wavelist(kind="discrete")
