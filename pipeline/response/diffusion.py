"""Apparent diffusion coefficient (ADC) of a tumour: dead tissue lets water move."""

import numpy as np

from pipeline.domain.scan import Modality, Region, Scan
from pipeline.response.measured import Measured, Missing, divide
from pipeline.response.values import Values, read_values

VIABLE_BELOW = 1.35
"""Viable tumour was below about this, 10^-3 mm2/s (sens 79, spec 86 % against imaging,
doi 10.1186/s43055-019-0120-x); a parameter, not a standard."""

PLAUSIBLE = (0.1, 4.0)
"""Mean ADC of tissue in 10^-3 mm2/s; outside, the unit is wrong (free water at 37 C has 3.0)."""

WITHOUT_FIT_PERCENT = 2.0
"""Up to this share of voxels may have no ADC, in %; they are left out. Own proposal."""

ADC_MEASURES = ("adc_mean", "adc_p10", "adc_viable_fraction", "adc_liver_ratio")


def measure_diffusion(
    adc: Scan | None,
    tumour: Region,
    liver: Region | None,
    unit_mm2_per_s: float,
    viable_below: float = VIABLE_BELOW,
) -> dict[str, Measured]:
    """Return mean, 10th percentile, viable share and ratio to liver of an ADC map.

    Parameters
    ----------
    adc : Scan or None
        ADC map; None where there is none.
    tumour : Region
        On its grid.
    liver : Region or None
        Reference liver on its grid.
    unit_mm2_per_s : float
        What a voxel value of 1 means: 1e-6 in most vendors' maps, 1e-3 in others. It is not
        guessed; a mean outside ``PLAUSIBLE`` makes everything missing.
    viable_below : float
        Voxels below this, in 10^-3 mm2/s, count as viable.

    Returns
    -------
    dict
        In 10^-3 mm2/s: ``adc_mean``, ``adc_p10``; ``adc_viable_fraction`` (0 to 1);
        ``adc_liver_ratio``. Voxels of 0, which scanners write where the fit failed, are left
        out: they are not low. More than ``WITHOUT_FIT_PERCENT`` of them make all missing.
    """
    values = _read_adc(adc, tumour, unit_mm2_per_s)
    if isinstance(values, Missing):
        return dict.fromkeys(ADC_MEASURES, values)
    absent = Missing("no reference liver")
    reference = absent if liver is None else _read_adc(adc, liver, unit_mm2_per_s)
    liver_mean = reference if isinstance(reference, Missing) else float(reference.mean())
    mean = float(values.mean())
    return {
        "adc_mean": mean,
        "adc_p10": float(np.percentile(values, 10)),
        "adc_viable_fraction": float((values < viable_below).mean()),
        "adc_liver_ratio": divide(mean, liver_mean, "ADC of liver"),
    }


def _read_adc(adc: Scan | None, region: Region, unit_mm2_per_s: float) -> Values | Missing:
    """Return ADC values in 10^-3 mm2/s."""
    if adc is None:
        return Missing("no ADC map")
    if adc.modality is not Modality.MR:
        return Missing(f"ADC is measured on MR, the image is {adc.modality}")
    values = read_values(adc, region)
    if isinstance(values, Missing):
        return values
    values = values * (unit_mm2_per_s * 1000)
    fitted = values > 0
    failed = values.size - np.count_nonzero(fitted)
    if 100 * failed > WITHOUT_FIT_PERCENT * values.size:
        return Missing(f"{failed} of {values.size} {region.name} voxels have no ADC")
    values = values[fitted]
    low, high = PLAUSIBLE
    if not low <= values.mean() <= high:
        return Missing(f"mean ADC {values.mean():.3g} x 10^-3 mm2/s is no tissue's: check the unit")
    return values
