"""From a scan and a region to what filters and features start from, as PyRadiomics does it.

Checks, normalises, resamples and re-segments like ``featureextractor`` and ``imageoperations`` of
PyRadiomics 3.0.1, but looks only at the part of the scan that counts.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Region, Scan
from pipeline.features.fast.normalisation import normalise
from pipeline.features.fast.prepared_image import Box, PreparedImage
from pipeline.features.fast.region_checks import check_drawn, check_usable
from pipeline.features.fast.resampling import resample_image, resample_region
from pipeline.features.fast.resegmentation import resegment
from pipeline.features.fast.target_grid import lay_target_grid, new_spacing_mm

Inside = npt.NDArray[np.bool_]
Spacing = tuple[float, float, float]


def prepare_image(scan: Scan, region: Region, settings: Mapping[str, Any]) -> PreparedImage:
    """Prepare one region.

    Parameters
    ----------
    scan : Scan
        Its voxels in the type of the file: whole-number types are truncated when resampled.
    region : Region
        On the grid of the scan, whose geometry is used for both.
    settings : mapping
        PyRadiomics' ``setting``; what is missing has PyRadiomics' default. One that
        :mod:`pipeline.features.fast.coverage` covers.

    Raises
    ------
    CaseError
        If the region is one that PyRadiomics refuses.
    """
    box = check_drawn(region.inside, region.name)
    values = normalise(scan.voxels, settings) if settings.get("normalize") else scan.voxels
    values, inside, spacing_mm = _place(values, region, box, scan.geometry, settings)
    step = "as drawn" if spacing_mm == scan.geometry.spacing_mm else "after resampling"
    box = check_usable(inside, region.name, settings, step)
    shape_inside = inside
    if settings.get("resegmentRange") is not None:
        inside = resegment(values, inside, box, settings, region.name)
        box = check_usable(inside, region.name, settings, "after re-segmentation")
        shape_inside = inside if settings.get("resegmentShape") else _only_in(box, shape_inside)
    return PreparedImage(values, inside, shape_inside, spacing_mm, box)


def _place(
    values: npt.NDArray[Any],
    region: Region,
    box: Box,
    geometry: Geometry,
    settings: Mapping[str, Any],
) -> tuple[npt.NDArray[Any], Inside, Spacing]:
    """Image, region and spacing on the frame that PyRadiomics filters."""
    wanted_mm = settings.get("resampledPixelSpacing")
    interpolator = settings.get("interpolator", "sitkBSpline")
    pad = settings.get("padDistance", 5)
    if wanted_mm is None or interpolator is None:
        if settings.get("preCrop"):
            check_usable(region.inside, region.name, settings, "as drawn")
            return *_crop(values, region.inside, box, pad), geometry.spacing_mm
        return values, region.inside, geometry.spacing_mm
    new_mm = new_spacing_mm(geometry, box, wanted_mm)
    if np.allclose(geometry.spacing_mm, new_mm):
        return *_crop(values, region.inside, box, pad), geometry.spacing_mm
    grid = lay_target_grid(geometry, box, new_mm, pad)
    resampled = resample_image(values, grid, interpolator)
    return resampled, resample_region(region.inside, box, grid), grid.spacing_mm


def _crop(
    values: npt.NDArray[Any], inside: Inside, box: Box, pad: int
) -> tuple[npt.NDArray[Any], Inside]:
    near = tuple(slice(max(span.start - pad, 0), span.stop + pad) for span in box)
    return values[near], inside[near]


def _only_in(box: Box, inside: Inside) -> Inside:
    """Cut a region to the bounding box of another one.

    PyRadiomics computes shape from the region before re-segmentation, but cuts it to the bounding
    box of what is left after it.
    """
    cut = np.zeros_like(inside)
    cut[box] = inside[box]
    return cut
