"""From a scan and a region to what filters and features start from, by the IBSI reference manual.

Image processing scheme of doi:10.1148/radiol.2020191145 (arXiv:1612.07003, section 2). Unlike
PyRadiomics: the new grid has the image's centre, the region is interpolated too, interpolated
Hounsfield units are rounded, and re-segmentation, by range, outliers or both, leaves the shape
alone.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.features.fast.prepared_image import Box, PreparedImage
from pipeline.features.fast.region_checks import bounding_box, check_usable
from pipeline.features.fast.resampling import METHODS
from pipeline.features.fast.resegmentation import resegment
from pipeline.features.fast.target_grid import TargetGrid, find_lines
from pipeline.features.ibsi.grid import Vector, centred_grid, part_around

Inside = npt.NDArray[np.bool_]

HALF = 0.5 - 1e-9
"""From this part of a voxel on it is in the region; a half counts, however it was rounded."""


def prepare_image(
    scan: Scan,
    region: Region,
    settings: Mapping[str, Any],
    outlier_sigma: float | None = None,
    margin_voxels: int = 0,
) -> PreparedImage:
    """Prepare one region.

    Parameters
    ----------
    scan : Scan
        Interpolated values of a CT are rounded to whole Hounsfield units.
    region : Region
        The morphological mask, on the grid of the scan.
    settings : mapping
        PyRadiomics' ``setting``, of which ``resampledPixelSpacing`` (0 keeps an axis),
        ``interpolator``, ``resegmentRange``, ``resegmentMode`` and the smallest region allowed are
        looked at.
    outlier_sigma : float, optional
        Voxels further from the mean of the morphological mask than this many standard deviations
        are left out of the intensity mask.
    margin_voxels : int
        What filters need around the region; beyond the end of the image it is mirrored there.

    Returns
    -------
    PreparedImage
        ``inside`` is the intensity mask, ``shape_inside`` the morphological one.

    Raises
    ------
    CaseError
        If too little of the region is left after a step.
    """
    box = check_usable(region.inside, region.name, settings, "as drawn")
    values, inside, spacing_mm = _place(scan, region, box, settings, margin_voxels)
    box = check_usable(inside, region.name, settings, "after interpolation")
    intensity = _resegment(values, inside, box, settings, outlier_sigma, region.name)
    check_usable(intensity, region.name, settings, "after re-segmentation")
    pads = [
        (max(margin_voxels - span.start, 0), max(margin_voxels + span.stop - size, 0))
        for span, size in zip(box, inside.shape, strict=True)
    ]
    values = np.pad(values, pads, mode="symmetric")
    inside, intensity = np.pad(inside, pads), np.pad(intensity, pads)
    box = bounding_box(intensity) or box
    return PreparedImage(values, intensity, inside, spacing_mm, box)


def _place(
    scan: Scan, region: Region, box: Box, settings: Mapping[str, Any], margin_voxels: int
) -> tuple[npt.NDArray[Any], Inside, Vector]:
    """Image, region and spacing around the region, interpolated where a spacing is asked for."""
    old, wanted_mm = scan.geometry, settings.get("resampledPixelSpacing")
    if wanted_mm is None:
        near = tuple(slice(max(s.start - margin_voxels, 0), s.stop + margin_voxels) for s in box)
        return scan.voxels[near], region.inside[near], old.spacing_mm
    x, y, z = (new or step for new, step in zip(wanted_mm, old.spacing_mm, strict=True))
    spacing_mm = (float(x), float(y), float(z))
    part = part_around(centred_grid(old, spacing_mm), old, box, margin_voxels)
    grid = TargetGrid(part.shape_zyx, spacing_mm, find_lines(old, part))
    interpolate = METHODS[settings.get("interpolator", "sitkBSpline")]
    values = interpolate(_without_rounding(scan.voxels), grid)
    if scan.modality is Modality.CT:
        values = np.rint(values)
    return values, METHODS["sitkLinear"](region.inside, grid) >= HALF, spacing_mm


def _without_rounding(voxels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """In a type that interpolation does not truncate; small whole numbers need only half of it."""
    return voxels.astype(np.float32 if voxels.dtype.itemsize < 4 else np.float64, copy=False)


def _resegment(
    values: npt.NDArray[Any],
    inside: Inside,
    box: Box,
    settings: Mapping[str, Any],
    outlier_sigma: float | None,
    name: str,
) -> Inside:
    """Make the intensity mask: both filters look at the whole morphological mask."""
    kept = inside
    if settings.get("resegmentRange") is not None:
        kept = resegment(values, inside, box, settings, name)
    if outlier_sigma is not None:
        outliers = {
            "resegmentRange": [-outlier_sigma, outlier_sigma],
            "resegmentMode": "sigma",
        }
        kept = kept & resegment(values, inside, box, outliers, name)
    return kept
