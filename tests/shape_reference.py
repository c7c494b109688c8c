"""PyRadiomics' own shape classes, as the reference of tests."""

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk
from radiomics.base import RadiomicsFeaturesBase
from radiomics.shape import RadiomicsShape
from radiomics.shape2D import RadiomicsShape2D

DEPRECATED = ("Compactness1", "Compactness2", "SphericalDisproportion")
Mask = npt.NDArray[np.bool_]
Spacing = tuple[float, float, float]


def reference_shape(box: Mask, spacing_mm: Spacing) -> dict[str, float]:
    """Return all features of a region that fills its array to the border."""
    image, mask = images(box, spacing_mm)
    return _all_features(RadiomicsShape(image, mask, label=1), DEPRECATED)


def reference_shape2d(box: Mask, spacing_mm: Spacing, axis: int) -> dict[str, float]:
    image, mask = images(box, spacing_mm)
    features = RadiomicsShape2D(image, mask, label=1, force2D=True, force2Ddimension=axis)
    return _all_features(features, DEPRECATED[-1:])


def images(inside: Mask, spacing_mm: Spacing) -> tuple[sitk.Image, sitk.Image]:
    """Return an image (0 everywhere) and a mask."""
    pair = [sitk.GetImageFromArray(array) for array in (inside * np.int16(0), inside * np.uint8(1))]
    for image in pair:
        image.SetSpacing(spacing_mm)
    return pair[0], pair[1]


def cut_to_box(inside: Mask) -> Mask:
    """Drop empty margins, as PyRadiomics' extractor does before it computes shape."""
    voxels = np.argwhere(inside)
    box: Mask = inside[tuple(map(slice, voxels.min(axis=0), voxels.max(axis=0) + 1))]
    return box


def _all_features(features: RadiomicsFeaturesBase, deprecated: tuple[str, ...]) -> dict[str, float]:
    features.enableAllFeatures()
    for name in deprecated:
        features.enableFeatureByName(name)
    with np.errstate(invalid="ignore"):
        return {name: float(value) for name, value in features.execute().items()}
