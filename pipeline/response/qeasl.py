"""Enhancing volume of a tumour in 3D (qEASL) and its share, at one threshold or many.

A tumour voxel enhances where contrast phase minus native phase exceeds mean + k standard deviations
of a reference region of about 1 cm3 in tumour-free liver (Lin et al., Radiology 2013;268:420;
ipsilateral reference: Eur Radiol 2015, doi 10.1007/s00330-015-3812-2). Published k are 0 and 2: the
result says which. The necrotic (non-enhancing) share is the rest of the tumour.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.domain.errors import GeometryError
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.response.enhancement import Reference
from pipeline.response.measured import Measured, Missing
from pipeline.response.values import read_values

CURVE_FACTORS = tuple(float(k) for k in np.arange(-2.0, 6.01, 0.25))
"""Where the curve of enhancing share against k is read."""

NECROSIS_HU = 30.2
"""Arterial-phase attenuation at or below which tumour was necrotic (Chuma 2022, 4 tumours of
derivation, Curr Oncol 2022;29:3259). Tiny series."""


@dataclass(frozen=True, slots=True)
class EnhancingPart:
    """How much of a tumour enhances.

    Parameters
    ----------
    volume_ml : float
        Enhancing volume.
    percent : float
        Of the tumour's volume.
    """

    volume_ml: float
    percent: float

    @property
    def necrosis_fraction(self) -> float:
        """Share of the tumour that does not enhance, 0 to 1."""
        return 1 - self.percent / 100


def subtract_native(enhanced: Scan, native: Scan) -> Scan:
    """Return contrast phase minus native phase, float64; NaN where either does not reach.

    Raises
    ------
    GeometryError
        If they are not on the same grid.
    """
    difference = enhanced.geometry.difference(native.geometry)
    if difference:
        msg = f"native and contrast phase are not on one grid: {difference}; resample one of them"
        raise GeometryError(msg)
    gain = enhanced.voxels.astype(np.float64) - native.voxels.astype(np.float64)
    return Scan(gain, enhanced.geometry, enhanced.modality)


def measure_qeasl(
    subtraction: Scan, tumour: Region, reference: Reference, factor: float
) -> EnhancingPart | Missing:
    """Return the tumour's voxels above ``mean + factor * sd`` of the reference.

    No island is removed and no least gain in HU is asked for, unlike ``find_viable_tumour``.

    Parameters
    ----------
    subtraction : Scan
        From ``subtract_native``.
    tumour : Region
        On the same grid.
    reference : Reference
        Mean and standard deviation of the subtraction in reference liver.
    factor : float
        k.
    """
    values = read_values(subtraction, tumour)
    if isinstance(values, Missing):
        return values
    enhancing = np.count_nonzero(values > reference.mean + factor * reference.sd)
    volume_ml = enhancing * tumour.geometry.voxel_volume_mm3 / 1000
    return EnhancingPart(volume_ml, 100 * enhancing / values.size)


def compute_enhancement_curve(
    subtraction: Scan,
    tumour: Region,
    reference: Reference,
    factors: Sequence[float] = CURVE_FACTORS,
) -> npt.NDArray[np.float64] | Missing:
    """Return the enhancing share in percent at each k, shape (len(factors),); never rising."""
    values = read_values(subtraction, tumour)
    if isinstance(values, Missing):
        return values
    thresholds = reference.mean + np.asarray(factors) * reference.sd
    below = np.searchsorted(np.sort(values), thresholds, side="right")
    return np.asarray(100 * (1 - below / values.size), dtype=np.float64)


def measure_arterial_necrosis_fraction(
    arterial: Scan, tumour: Region, at_most_hu: float = NECROSIS_HU
) -> Measured:
    """Return the share of tumour voxels at or below an attenuation on arterial-phase CT.

    The fallback where no native phase exists. Missing on other modalities, whose values are not HU.
    """
    if arterial.modality is not Modality.CT:
        return Missing(f"attenuation needs CT, the image is {arterial.modality}")
    values = read_values(arterial, tumour)
    if isinstance(values, Missing):
        return values
    return float(np.count_nonzero(values <= at_most_hu) / values.size)


def measure_gain_necrosis_fraction(subtraction: Scan, tumour: Region, below_hu: float) -> Measured:
    """Return the share of tumour voxels that gain less than some HU on CT (10 to 20 is used)."""
    if subtraction.modality is not Modality.CT:
        return Missing(f"a gain in HU needs CT, the image is {subtraction.modality}")
    values = read_values(subtraction, tumour)
    if isinstance(values, Missing):
        return values
    return float(np.count_nonzero(values < below_hu) / values.size)
