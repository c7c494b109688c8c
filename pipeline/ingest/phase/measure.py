"""Measure how strongly liver and vessels are enhanced on a CT."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.config.checks import Quantity
from pipeline.domain.scan import Modality, Region, Scan

SMALLEST_REGION_VOXELS = 100
"""Regions with fewer voxels are not measured: with a noise of 30 HU (thin slices) the median of
100 voxels is known to about 4 HU."""

_DIFFERENCES: tuple[tuple[Quantity, Quantity, Quantity], ...] = (
    ("aorta_minus_portal_vein", "aorta", "portal_vein"),
    ("aorta_minus_liver", "aorta", "liver"),
)
_VESSELS_AND_ORGANS: tuple[Quantity, ...] = ("aorta", "portal_vein", "liver")


@dataclass(frozen=True, slots=True)
class Measured:
    """A median attenuation or a difference of two.

    Parameters
    ----------
    hu : float
        In Hounsfield units.
    voxels : int
        Voxels of the region; of the smaller one for a difference.
    """

    hu: float
    voxels: int


def measure(scan: Scan, regions: Mapping[str, Region]) -> dict[Quantity, Measured]:
    """Return the median attenuation of the regions that tell the phase, and their differences.

    Parameters
    ----------
    scan : Scan
        A CT; other modalities have no absolute scale and give nothing.
    regions : mapping of str to Region
        By name: ``liver``, ``aorta``, ``portal_vein`` and ``tumour`` are looked at, on the grid of
        the scan. The liver is measured without the tumour, which may hold iodised oil.

    Returns
    -------
    dict
        Only what could be measured on enough voxels. Medians withstand vessels, calcifications
        and partial volume at the edges.
    """
    if scan.modality is not Modality.CT:
        return {}
    found: dict[Quantity, Measured] = {}
    for name in _VESSELS_AND_ORGANS:
        region = regions.get(name)
        if region is None:
            continue
        inside = region.inside
        if name == "liver" and "tumour" in regions:
            inside = inside & ~regions["tumour"].inside
        values = scan.voxels[inside]
        if values.size >= SMALLEST_REGION_VOXELS:
            found[name] = Measured(float(np.median(values)), int(values.size))
    for name, first, second in _DIFFERENCES:
        if first in found and second in found:
            gap = found[first].hu - found[second].hu
            found[name] = Measured(gap, min(found[first].voxels, found[second].voxels))
    return found


def describe(measured: Mapping[Quantity, Measured]) -> str:
    """Say what was measured: region, median and count of voxels."""
    return ", ".join(
        f"{name.replace('_', ' ')} {measured[name].hu:.0f} HU ({measured[name].voxels} voxels)"
        for name in _VESSELS_AND_ORGANS
        if name in measured
    )
