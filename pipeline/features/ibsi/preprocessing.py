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

from pipeline.config.extraction import ExtractionParameters
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.features.fast.prepared_image import Box, PreparedImage
from pipeline.features.fast.region_checks import check_usable
from pipeline.features.fast.resampling import METHODS
from pipeline.features.fast.resegmentation import resegment
from pipeline.features.fast.target_grid import TargetGrid, find_lines
from pipeline.features.ibsi.grid import Vector, centred_grid, part_around
from pipeline.features.ibsi.parameters import margin_voxels
from pipeline.features.native_settings import fill_settings

Inside = npt.NDArray[np.bool_]

HALF = 0.5 - 1e-9
"""From this part of a voxel on it is in the region; a half counts, however it was rounded."""


def prepare_by_standard(
    scan: Scan, region: Region, parameters: ExtractionParameters
) -> PreparedImage:
    """Prepare one region.

    Parameters
    ----------
    scan : Scan
        Values of a CT are rounded to whole Hounsfield units, unless they are standardised.
    region : Region
        The morphological mask, on the grid of the scan.
    parameters : ExtractionParameters
        Of PyRadiomics' ``setting``: ``resampledPixelSpacing`` (0 keeps an axis), ``interpolator``,
        ``resegmentRange``, ``resegmentMode`` and the smallest region allowed. Voxels more than
        ``pipeline.outlier_sigma`` standard deviations from the mean of the morphological mask are
        left out of the intensity mask.

    Returns
    -------
    PreparedImage
        ``inside`` is the intensity mask, ``shape_inside`` the morphological one. There is what
        filters need around the region; beyond the end of the scan it is mirrored.

    Raises
    ------
    CaseError
        If too little of the region is left after a step.
    """
    settings = fill_settings(parameters)
    margin = margin_voxels(scan.geometry, parameters)
    box = check_usable(region.inside, region.name, settings, "as drawn")
    values, inside, spacing_mm = _place(scan, region, box, settings, margin)
    if scan.modality is Modality.CT and parameters.pipeline.standardise == "none":
        values = np.rint(values)
    box = check_usable(inside, region.name, settings, "after interpolation")
    outlier_sigma = parameters.pipeline.outlier_sigma
    intensity = _resegment(values, inside, box, settings, outlier_sigma, region.name)
    pads = [
        (max(margin - span.start, 0), max(margin + span.stop - size, 0))
        for span, size in zip(box, inside.shape, strict=True)
    ]
    values = np.pad(values, pads, mode="symmetric")
    inside, intensity = np.pad(inside, pads), np.pad(intensity, pads)
    box = check_usable(intensity, region.name, settings, "after re-segmentation")
    return PreparedImage(values, intensity, inside, spacing_mm, box)


def _place(
    scan: Scan, region: Region, box: Box, settings: Mapping[str, Any], margin: int
) -> tuple[npt.NDArray[Any], Inside, Vector]:
    """Image, region and spacing around the region, interpolated where a spacing is asked for."""
    old, wanted_mm = scan.geometry, settings.get("resampledPixelSpacing")
    interpolator = settings.get("interpolator", "sitkBSpline")
    if wanted_mm is None or interpolator is None:
        near = tuple(slice(max(s.start - margin, 0), s.stop + margin) for s in box)
        return scan.voxels[near], region.inside[near], old.spacing_mm
    x, y, z = (new or step for new, step in zip(wanted_mm, old.spacing_mm, strict=True))
    spacing_mm = (float(x), float(y), float(z))
    part = part_around(centred_grid(old, spacing_mm), old, box, margin)
    grid = TargetGrid(part.shape_zyx, spacing_mm, find_lines(old, part))
    values = METHODS[interpolator](_without_rounding(scan.voxels), grid)
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
