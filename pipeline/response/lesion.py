"""All measures of one lesion at one time point on one modality."""

from collections.abc import Mapping
from math import nan

import numpy as np

from pipeline.config.measure import MeasureConfig
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.response.enhancement import (
    find_viable_tumour,
    measure_reference,
    reference_liver,
)
from pipeline.response.size import (
    compute_largest_axial_area_mm2,
    compute_longest_axial_diameter_mm,
    compute_volume_ml,
)

SIZE_MEASURES = ("volume_ml", "longest_diameter_mm")
VIABLE_MEASURES = (
    "viable_fraction",
    "viable_volume_ml",
    "viable_diameter_mm",
    "viable_area_mm2",
)


def measure_size(tumour: Region) -> dict[str, float]:
    """Return volume and longest axial diameter of the drawn lesion."""
    return {
        "volume_ml": compute_volume_ml(tumour),
        "longest_diameter_mm": compute_longest_axial_diameter_mm(tumour),
    }


def measure_viable(
    native: Scan, arterial: Scan, tumour: Region, liver: Region, config: MeasureConfig
) -> dict[str, float]:
    """Return size and share of the enhancing tumour; NaN where no liver is left as reference.

    ``viable_diameter_mm`` is the longest axial diameter of all enhancing tissue. mRECIST asks for a
    diameter that does not cross necrosis (doi 10.1055/s-0030-1247132), which a reader chooses:
    this is *like* mRECIST, not mRECIST.
    """
    reference = reference_liver(liver, tumour, config.liver_margin_mm)
    if reference is None:
        return dict.fromkeys(VIABLE_MEASURES, nan)
    viable = find_viable_tumour(native, arterial, tumour, reference, config)
    return {
        "viable_fraction": viable.voxel_count / tumour.voxel_count,
        "viable_volume_ml": compute_volume_ml(viable),
        "viable_diameter_mm": compute_longest_axial_diameter_mm(viable),
        "viable_area_mm2": compute_largest_axial_area_mm2(viable),
    }


def measure_phase(
    scan: Scan, regions: Mapping[str, Region], phase: str, config: MeasureConfig
) -> dict[str, float]:
    """Return mean tumour intensity of a phase and, with a liver mask, its ratio to the liver.

    Names carry the modality, because HU, MR signal and SUV must never share a column:
    ``ct_mean_arterial`` (HU), ``ct_tumour_liver_ratio_arterial``. The ratio is missing where the
    liver's mean is not positive.
    """
    prefix = scan.modality.lower()
    tumour = regions["tumour"]
    mean = float(scan.voxels[tumour.inside].mean(dtype=np.float64))
    measures = {f"{prefix}_mean_{phase}": mean}
    if "liver" in regions:
        reference = reference_liver(regions["liver"], tumour, config.liver_margin_mm)
        ratio = nan if reference is None else _ratio_to_liver(scan, mean, reference)
        measures[f"{prefix}_tumour_liver_ratio_{phase}"] = ratio
    return measures


def measure_lipiodol(native: Scan, tumour: Region, config: MeasureConfig) -> dict[str, float]:
    """Return the share of the tumour above the lipiodol threshold on unenhanced CT; else nothing.

    Lipiodol from TACE is dense on every phase and hides enhancement; above 150 HU on unenhanced CT
    is the guard of this project, not a published standard.
    """
    if native.modality is not Modality.CT:
        return {}
    dense = np.count_nonzero(native.voxels[tumour.inside] > config.lipiodol_hu)
    return {"lipiodol_fraction": dense / tumour.voxel_count}


def _ratio_to_liver(scan: Scan, tumour_mean: float, reference: Region) -> float:
    liver_mean = measure_reference(scan.voxels.astype(np.float64), reference).mean
    return tumour_mean / liver_mean if liver_mean > 0 else nan
