"""Express voxel values in arbitrary units (MR) relative to a reference tissue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.domain.errors import CaseError
from pipeline.domain.scan import Modality, Region, Scan

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
        and tumour-free liver remains. ``muscle``: where there is a muscle region.
    """
    references = {"image": _reference(scan.voxels)}
    if "muscle" in regions and regions["muscle"].inside.any():
        references["muscle"] = _reference(scan.voxels[regions["muscle"].inside])
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


def normalise(
    scan: Scan, references: Mapping[str, IntensityReference], order: Sequence[str]
) -> tuple[Scan, str]:
    """Express an MR scan relative to the first reference tissue that it has.

    Parameters
    ----------
    scan : Scan
        Returned as it is unless MR: HU and SUV are the same in every patient.
    references : mapping of str to IntensityReference
        From :func:`measure_references`.
    order : sequence of str
        Tissues that may be used, the best first.

    Returns
    -------
    scan : Scan
        As :func:`standardise` returns it.
    used : str
        The tissue; empty where nothing was done.

    Raises
    ------
    CaseError
        If an MR scan has none of the tissues, or the tissue has one value everywhere.
    """
    if scan.modality is not Modality.MR:
        return scan, ""
    usable = [name for name in order if name in references and references[name].deviation > 0]
    if not usable:
        msg = (
            f"no reference to normalise this MR scan by: expected one of {', '.join(order)} with"
            f" some spread, got {', '.join(references) or 'none'}. Give a mask of one of them."
        )
        raise CaseError(msg)
    return standardise(scan, references[usable[0]]), usable[0]


def _reference(voxels: "np.typing.NDArray[np.generic]") -> IntensityReference:
    values = voxels.astype(np.float64)
    return IntensityReference(float(values.mean()), float(values.std()))
