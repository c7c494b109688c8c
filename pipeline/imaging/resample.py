"""Bring a scan onto the grid of another, by position in the patient."""

import SimpleITK as sitk

from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Scan
from pipeline.imaging.itk import from_itk, resampler_onto, to_itk


def resample_onto(scan: Scan, geometry: Geometry, fill: float) -> Scan:
    """Interpolate a scan linearly at the voxel positions of another grid.

    Nothing is registered: positions are taken as the scanner wrote them, so breathing between
    phases stays. A scan that already has the grid is returned as it is.

    Parameters
    ----------
    scan : Scan
        What is interpolated.
    geometry : Geometry
        The grid wanted.
    fill : float
        Value where the grid reaches beyond the scan.

    Returns
    -------
    Scan
        Voxels in 32-bit floats, so that interpolated values are not rounded.
    """
    if not geometry.difference(scan.geometry):
        return scan
    resampler = resampler_onto(geometry, fill)
    resampler.SetOutputPixelType(sitk.sitkFloat32)
    return from_itk(resampler.Execute(to_itk(scan)), scan.modality)
