"""Express voxel values in arbitrary units (MR) relative to a reference tissue."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.domain.scan import Region, Scan

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
        ``image``: all voxels. ``liver``: the liver without the tumour, where a liver region exists
        and tumour-free liver remains.
    """
    references = {"image": _reference(scan.voxels)}
    if "liver" in regions:
        healthy = regions["liver"].inside
        if "tumour" in regions:
            healthy = healthy & ~regions["tumour"].inside
        if healthy.any():
            references["liver"] = _reference(scan.voxels[healthy])
    return references


def standardise(scan: Scan, reference: IntensityReference) -> Scan:
    """Return ``100 (value - mean) / deviation`` of the reference, in 32-bit floats.

    A reference without spread leaves the values unscaled.
    """
    spread = reference.deviation or 1.0
    values = (scan.voxels.astype(np.float64) - reference.mean) * (STANDARD_SCALE / spread)
    return Scan(values.astype(np.float32), scan.geometry, scan.modality)


def _reference(voxels: "np.typing.NDArray[np.generic]") -> IntensityReference:
    values = voxels.astype(np.float64)
    return IntensityReference(float(values.mean()), float(values.std()))
