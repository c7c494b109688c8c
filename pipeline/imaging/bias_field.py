"""The slow brightness of MR that comes from the coil: N4.

Tustison et al. 2010 (doi 10.1109/TMI.2010.2046908), by SimpleITK. Estimated on a shrunk image,
because the field is smooth: factor 4 took 15 s for 256 x 256 x 60 voxels, factor 2 over a minute.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import floor, log2

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk
from scipy import ndimage

from pipeline.domain.errors import CaseError
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.imaging.crop import bounding_box
from pipeline.imaging.itk import to_itk
from pipeline.imaging.threads import one_itk_thread

SHRINK_FACTOR = 4
FEWEST_VOXELS = 8
"""Along an axis after shrinking; a short axis is shrunk less."""

FINEST_MM = 50.0
"""Distance of the field's control points at the finest level, at least: what varies faster than a
coil does is anatomy. A proposal of this project."""

REACH_MM, REACH_WIDTHS = 25.0, 4.0
"""Standard deviation of the weights with which surroundings tell the field in a lesion, and how
many of them the weights reach; proposals of this project."""

MOST_LEVELS, ITERATIONS = 4, 50
"""Levels, each with control points twice as close as the one before, and iterations at each."""


@dataclass(frozen=True, slots=True)
class BiasField:
    """A factor on the signal, voxel by voxel.

    Parameters
    ----------
    factors : numpy.ndarray of float32, shape (z, y, x)
        Divide by them; their mean in the foreground is 1.
    smallest, largest : float
        In the foreground.
    """

    factors: npt.NDArray[np.float32] = field(repr=False)
    smallest: float
    largest: float


def estimate_bias_field(scan: Scan, lesions: Sequence[Region] = ()) -> BiasField:
    """Estimate the bias field of an MR scan; the same bits each time.

    Estimated in the foreground (Otsu's threshold, positive values only) without the lesions: a
    large lesion that enhances would be taken for brightness of the coil and be levelled out. Inside
    them the field is that of their surroundings.

    Parameters
    ----------
    scan : Scan
        MR.
    lesions : sequence of Region
        On its grid.

    Raises
    ------
    CaseError
        If the scan is not MR, or has no foreground: all values equal, or none positive.
    """
    if scan.modality is not Modality.MR:
        msg = f"a bias field is corrected on MR only, got {scan.modality}. Leave it out for others."
        raise CaseError(msg)
    image = sitk.Cast(to_itk(scan), sitk.sitkFloat32)
    with one_itk_thread():
        foreground = _foreground(image, lesions)
        log_field = _log_field(image, foreground)
    inside = sitk.GetArrayViewFromImage(foreground) != 0
    logs = sitk.GetArrayFromImage(log_field).astype(np.float64)
    for lesion in (lesion for lesion in lesions if lesion.inside.any()):
        logs[lesion.inside] = _from_surroundings(logs, inside, lesion)
    factors = np.exp(logs)
    factors /= factors[inside].mean()
    extremes = factors[inside].min(), factors[inside].max()
    return BiasField(factors.astype(np.float32), float(extremes[0]), float(extremes[1]))


def correct(scan: Scan, factors: npt.NDArray[np.float32]) -> Scan:
    """Return the scan divided by the factors of a bias field, in 32-bit floats."""
    values = scan.voxels.astype(np.float64) / factors
    return Scan(values.astype(np.float32), scan.geometry, scan.modality)


def _foreground(image: sitk.Image, lesions: Sequence[Region]) -> sitk.Image:
    """Return the body without the lesions, which may be brighter than all of it."""
    elsewhere = np.ones(image.GetSize()[::-1], dtype=np.uint8)
    for lesion in lesions:
        elsewhere[lesion.inside] = 0
    values = sitk.GetArrayViewFromImage(image)[elsewhere != 0]
    if values.size == 0 or np.ptp(values) == 0 or values.max() <= 0:
        found = f"{values.min():g} to {values.max():g}" if values.size else "lesions everywhere"
        msg = (
            "no foreground to estimate a bias field in: expected different positive values, got"
            f" {found}. Look at the image, or set bias_field: false in prepare.yaml."
        )
        raise CaseError(msg)
    mask = sitk.GetImageFromArray(elsewhere)
    mask.CopyInformation(image)
    otsu = sitk.OtsuThresholdImageFilter()
    otsu.SetInsideValue(0)
    otsu.SetOutsideValue(1)
    otsu.SetMaskValue(1)
    otsu.MaskOutputOff()
    return sitk.And(sitk.And(otsu.Execute(image, mask), image > 0), mask)


def _from_surroundings(
    logs: npt.NDArray[np.float64], inside: npt.NDArray[np.bool_], lesion: Region
) -> npt.NDArray[np.float64]:
    """Return the field in a lesion as the mean of its surroundings, the nearer the weightier.

    N4's splines know nothing there and fall to zero, which the field around need not be near.
    """
    box = bounding_box([lesion], lesion.geometry, REACH_WIDTHS * REACH_MM).slices_zyx
    widths = REACH_MM / np.asarray(lesion.geometry.spacing_mm[::-1])
    known, at = inside[box].astype(np.float64), lesion.inside[box]
    weights = ndimage.gaussian_filter(known, widths, truncate=REACH_WIDTHS)[at]
    sums = ndimage.gaussian_filter(known * logs[box], widths, truncate=REACH_WIDTHS)[at]
    reached = weights > 0
    values = np.full(weights.shape, logs[inside].mean())
    values[reached] = sums[reached] / weights[reached]
    return values


def _log_field(image: sitk.Image, foreground: sitk.Image) -> sitk.Image:
    factors = [max(1, min(SHRINK_FACTOR, size // FEWEST_VOXELS)) for size in image.GetSize()]
    method = sitk.N4BiasFieldCorrectionImageFilter()
    method.SetMaximumNumberOfIterations([ITERATIONS] * _levels(image))
    method.Execute(sitk.Shrink(image, factors), sitk.Shrink(foreground, factors))
    return method.GetLogBiasFieldAsImage(image)


def _levels(image: sitk.Image) -> int:
    """Return how often the control points, first as far apart as the image is long, may halve."""
    sizes = zip(image.GetSize(), image.GetSpacing(), strict=True)
    shortest_mm = min(size * spacing for size, spacing in sizes)
    return min(MOST_LEVELS, 1 + max(0, floor(log2(shortest_mm / FINEST_MM))))
