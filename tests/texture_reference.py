"""PyRadiomics' own texture classes, as the reference of tests."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk
from radiomics.glcm import RadiomicsGLCM
from radiomics.glrlm import RadiomicsGLRLM

from pipeline.features.fast.cooccurrence_runs import count_cooccurrences_and_runs
from pipeline.features.fast.discretisation import discretise
from pipeline.features.fast.glcm import compute_glcm
from pipeline.features.fast.glrlm import compute_glrlm
from pipeline.features.fast.grey_levels import RegionImage
from pipeline.features.fast.texture_settings import TextureSettings

SMALLEST_MCC = 1e-6
"""A smaller MCC is the root of a rounding error, which may be negative, in PyRadiomics."""


def region(values: Any, inside: Any = None, spacing_mm: Any = (1.0, 1.0, 1.0)) -> RegionImage:
    """Make an image of arrays (z, y, x); the whole of it is the region unless said."""
    values = np.ascontiguousarray(values)
    inside = np.ones(values.shape, np.bool_) if inside is None else np.ascontiguousarray(inside)
    return RegionImage(values, inside, spacing_mm)


@dataclass(frozen=True)
class Compared:
    """The features of ours and of PyRadiomics."""

    ours: dict[str, float]
    reference: dict[str, float]


def compare_glcm(image: RegionImage, settings: TextureSettings) -> Compared:
    """Compute the GLCM features.

    Without the measures of dependence where neighbours are independent: the reference's are
    rounding errors then, or roots of them.
    """
    levels = discretise(image, settings)
    ours = compute_glcm(count_cooccurrences_and_runs(levels, settings, True, False), levels)
    glcm = reference_class(RadiomicsGLCM, image, settings)
    reference = _execute(glcm)
    if not _is_dependent(glcm.P_glcm):
        for name in ("MCC", "Correlation", "Imc1", "Imc2"):
            del ours[name], reference[name]
    return Compared(ours, reference)


def compare_glrlm(image: RegionImage, settings: TextureSettings) -> Compared:
    levels = discretise(image, settings)
    ours = compute_glrlm(count_cooccurrences_and_runs(levels, settings, False, True), levels)
    return Compared(ours, _execute(reference_class(RadiomicsGLRLM, image, settings)))


def reference_class(kind: Any, image: RegionImage, settings: TextureSettings) -> Any:
    """Make a texture class of PyRadiomics."""
    values = sitk.GetImageFromArray(image.values)
    mask = sitk.GetImageFromArray(image.inside.astype(np.uint8))
    for volume in (values, mask):
        volume.SetSpacing(image.spacing_mm)
    return kind(
        values,
        mask,
        binWidth=settings.bin_width,
        binCount=settings.bin_count,
        distances=list(settings.distances),
        force2D=settings.force_2d,
        force2Ddimension=settings.force_2d_axis,
        weightingNorm=settings.weighting_norm,
        symmetricalGLCM=settings.symmetrical_glcm,
        gldm_a=int(settings.gldm_a),
        voxelArrayShift=settings.voxel_array_shift,
    )


def _execute(features: Any) -> dict[str, float]:
    features.enableAllFeatures()
    with np.errstate(all="ignore"):
        return {name: float(value) for name, value in features.execute().items()}


def _is_dependent(glcm: npt.NDArray[np.float64]) -> bool:
    """Tell whether each angle has one pair of levels only, or an MCC that is not zero."""
    for joint in np.moveaxis(glcm[0], -1, 0):
        x, y = joint.sum(axis=1), joint.sum(axis=0)
        scaled = joint[x > 0][:, y > 0] / np.sqrt(np.outer(x[x > 0], y[y > 0]))
        if scaled.size > 1 and [*np.linalg.svd(scaled, compute_uv=False), 0.0][1] < SMALLEST_MCC:
            return False
    return True
