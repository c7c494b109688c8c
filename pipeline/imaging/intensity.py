"""Express voxel values in arbitrary units (MR) relative to a reference tissue."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.domain.scan import Region, Scan, drawn_lesions

STANDARD_SCALE = 100.0
"""Value of one standard deviation after standardisation, so that bin widths are handy numbers."""


@dataclass(frozen=True, slots=True)
class IntensityReference:
    """Mean and standard deviation of the voxel values of a reference, in the scan's units."""

    mean: float
    deviation: float


def measure_references(scan: Scan, regions: Mapping[str, Region]) -> dict[str, IntensityReference]:
    """Measure what a scan's values can be compared with.

    Measured on the uncropped scan: on a crop the reference would depend on the tumour's size.

    Returns
    -------
    dict of str to IntensityReference
        ``image``: all voxels. ``liver``: the liver without tumour and other lesions, where a liver
        region exists and some of it remains. ``muscle``: where there is a muscle region.
    """
    references = {"image": _reference(scan.voxels)}
    if "muscle" in regions and regions["muscle"].inside.any():
        references["muscle"] = _reference(scan.voxels[regions["muscle"].inside])
    if "liver" in regions:
        healthy = regions["liver"].inside
        for lesion in drawn_lesions(regions):
            healthy = healthy & ~lesion.inside
        if healthy.any():
            references["liver"] = _reference(scan.voxels[healthy])
    return references


def standardise(scan: Scan, reference: IntensityReference) -> Scan:
    """Return ``100 (value - mean) / deviation`` of a reference with spread, in 32-bit floats."""
    factor = STANDARD_SCALE / reference.deviation
    values = (scan.voxels.astype(np.float64) - reference.mean) * factor
    return Scan(values.astype(np.float32), scan.geometry, scan.modality)


def _reference(voxels: "np.typing.NDArray[np.generic]") -> IntensityReference:
    values = voxels.astype(np.float64)
    return IntensityReference(float(values.mean()), float(values.std()))
