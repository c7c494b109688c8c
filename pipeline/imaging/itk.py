"""Between our scans and SimpleITK's images; both share the patient coordinates (LPS, mm)."""

import numpy as np
import SimpleITK as sitk

from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan


def to_itk(scan: Scan) -> sitk.Image:
    """Copy a scan into a SimpleITK image of the same pixel type."""
    return place(sitk.GetImageFromArray(scan.voxels), scan.geometry)


def region_to_itk(region: Region) -> sitk.Image:
    """Copy a region into a SimpleITK image of unsigned bytes: 1 inside, 0 outside."""
    inside = region.inside.astype(np.uint8)
    return place(sitk.GetImageFromArray(inside), region.geometry)


def from_itk(image: sitk.Image, modality: Modality) -> Scan:
    """Copy a SimpleITK image into a scan of the same voxel type."""
    return Scan(sitk.GetArrayFromImage(image), geometry_of(image), modality)


def region_from_itk(image: sitk.Image, name: str) -> Region:
    """Copy a SimpleITK image into a region of its voxels that are not zero."""
    return Region(sitk.GetArrayFromImage(image) != 0, geometry_of(image), name)


def geometry_of(image: sitk.Image) -> Geometry:
    """Return the grid of a SimpleITK image."""
    return Geometry(
        size=image.GetSize(),
        spacing_mm=image.GetSpacing(),
        origin_mm=image.GetOrigin(),
        direction=image.GetDirection(),
    )


def resampler_onto(geometry: Geometry, fill: float) -> sitk.ResampleImageFilter:
    """Return a filter that interpolates linearly on a grid, with ``fill`` where an image ends."""
    resampler = sitk.ResampleImageFilter()
    resampler.SetSize(geometry.size)
    resampler.SetOutputSpacing(geometry.spacing_mm)
    resampler.SetOutputOrigin(geometry.origin_mm)
    resampler.SetOutputDirection(geometry.direction)
    resampler.SetInterpolator(sitk.sitkLinear)
    resampler.SetDefaultPixelValue(fill)
    return resampler


def place(image: sitk.Image, geometry: Geometry) -> sitk.Image:
    """Give a SimpleITK image a grid and return it."""
    image.SetSpacing(geometry.spacing_mm)
    image.SetOrigin(geometry.origin_mm)
    image.SetDirection(geometry.direction)
    return image
