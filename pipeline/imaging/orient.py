"""Bring the axes of a scan into one order, so that x, y, z mean the same in every scan.

Axes are only swapped and reversed: every voxel keeps its value and its position in the patient.
Nothing is interpolated, so oblique scans stay oblique.
"""

import SimpleITK as sitk

from pipeline.domain.scan import Region, Scan
from pipeline.imaging.itk import from_itk, region_from_itk, region_to_itk, to_itk

CANONICAL_ORIENTATION = "LPS"
"""x towards the patient's left, y towards the back, z towards the head, as near as axes allow."""


def orient_scan(scan: Scan) -> Scan:
    """Return the scan with its axes in canonical order."""
    return from_itk(sitk.DICOMOrient(to_itk(scan), CANONICAL_ORIENTATION), scan.modality)


def orient_region(region: Region) -> Region:
    """Return the region with its axes in canonical order."""
    oriented = sitk.DICOMOrient(region_to_itk(region), CANONICAL_ORIENTATION)
    return region_from_itk(oriented, region.name)
