"""The coarse, windowed images that registration compares instead of the scans themselves."""

import numpy as np
import SimpleITK as sitk

from pipeline.domain.scan import Modality, Scan
from pipeline.imaging.itk import to_itk

CT_WINDOW_HU = (-200.0, 300.0)
"""Fat to enhancing vessels; metal and the table's plastic must not fill the histogram."""

SIGNAL_PERCENTILES = (0.5, 99.5)
"""The same for MR and PET, whose units are no tissue's."""

NORMALISATION_MM = 6.0
"""Width (sigma) of the surroundings that a value is compared with."""

LARGEST_NORMALISED = 1.0
"""Values beyond are cut: a vessel that enhances in one phase only must not outweigh texture."""

_FLOOR_SHARE = 0.01
"""Smallest local deviation, as a share of the window: flat areas must not become noise."""


def to_window(scan: Scan) -> sitk.Image:
    """Return the scan in 32-bit floats, its values cut to those that tell tissues apart."""
    image = sitk.Cast(to_itk(scan), sitk.sitkFloat32)
    low, high = _window(scan)
    return sitk.Clamp(image, sitk.sitkFloat32, low, high)


def shrink_to(image: sitk.Image, spacing_mm: float) -> sitk.Image:
    """Return the image averaged in whole blocks to voxels of about that size along each axis."""
    factors = [
        min(size, max(1, round(spacing_mm / spacing)))
        for size, spacing in zip(image.GetSize(), image.GetSpacing(), strict=True)
    ]
    return sitk.BinShrink(image, factors)


def normalise_locally(image: sitk.Image) -> sitk.Image:
    """Return each value relative to mean and deviation of its surroundings, cut to a few of them.

    Takes out what contrast agent changes evenly in an organ, and the field of an MR coil, so that
    phases can be compared by differences. Where contrast reverses between phases it stays reversed.
    """
    mean = sitk.SmoothingRecursiveGaussian(image, NORMALISATION_MM)
    centred = image - mean
    variance = sitk.SmoothingRecursiveGaussian(sitk.Square(centred), NORMALISATION_MM)
    values = sitk.GetArrayViewFromImage(image)
    floor = _FLOOR_SHARE * float(values.max() - values.min())
    deviation = sitk.Sqrt(sitk.Maximum(variance, 0.0) + floor**2)
    return sitk.Clamp(
        centred / deviation, sitk.sitkFloat32, -LARGEST_NORMALISED, LARGEST_NORMALISED
    )


def _window(scan: Scan) -> tuple[float, float]:
    if scan.modality is Modality.CT:
        return CT_WINDOW_HU
    low, high = np.percentile(scan.voxels, SIGNAL_PERCENTILES)
    return float(low), float(high)
