"""All measures of what enhances in a tumour: size, share, largest piece, statistics of the gain."""

from dataclasses import dataclass

from pipeline.config.measure import MeasureConfig
from pipeline.domain.scan import Region, Scan
from pipeline.response.enhancement import (
    MINIMUM_REFERENCE_VOXELS,
    Reference,
    find_enhancing_tumour,
    measure_reference,
)
from pipeline.response.lesion_images import LesionImages, keep_covered
from pipeline.response.measured import Measured, Missing
from pipeline.response.qeasl import measure_qeasl
from pipeline.response.size import compute_largest_axial_area_mm2, compute_volume_ml
from pipeline.response.subtraction import STATISTICS, measure_subtraction
from pipeline.response.values import read_values
from pipeline.response.viable_cluster import compute_maximum_3d_diameter_mm, find_largest_cluster
from pipeline.response.viable_diameter import fill_small_necrosis, measure_viable_diameters

VIABLE_SIZES = (
    "mrecist_diameter_mm",
    "easl_product_mm2",
    "enhancing_volume_ml",
    "enhancing_area_mm2",
    "largest_cluster_ml",
    "largest_cluster_diameter_mm",
    "necrosis_fraction",
)


@dataclass(frozen=True, slots=True)
class Enhancement:
    """What the viable part is found from, on one grid.

    Parameters
    ----------
    gain : Scan
        Arterial minus native phase.
    tumour : Region
        The lesion.
    liver : Reference
        Mean and standard deviation of the gain in reference liver.
    """

    gain: Scan
    tumour: Region
    liver: Reference


def measure_viability(images: LesionImages, config: MeasureConfig) -> dict[str, Measured]:
    """Return every measure that needs the gain from the native to the arterial phase.

    Returns
    -------
    dict
        ``VIABLE_SIZES`` of the viable part (threshold, HU minimum and islands as configured; for
        the diameters small necrosis is filled), ``STATISTICS`` of the gain, and for each k of
        ``qeasl_factors`` ``qeasl_kK_ml`` and ``qeasl_kK_percent`` (threshold alone). All missing
        without native phase, arterial phase or reference liver; the statistics need no liver.
    """
    subtraction = images.subtraction()
    if isinstance(subtraction, Missing):
        return _all_missing((*VIABLE_SIZES, *STATISTICS, *_qeasl_names(config)), subtraction)
    gain, arterial = subtraction
    statistics = measure_subtraction(gain, arterial.tumour, config.gain_bin_width)
    enhancement = _read_enhancement(gain, arterial.tumour, arterial.reference)
    if isinstance(enhancement, Missing):
        return statistics | _all_missing((*VIABLE_SIZES, *_qeasl_names(config)), enhancement)
    return statistics | _measure_sizes(enhancement, config) | _measure_qeasl(enhancement, config)


def _read_enhancement(
    gain: Scan, tumour: Region, reference: Region | None
) -> Enhancement | Missing:
    values = read_values(gain, tumour)
    if isinstance(values, Missing):
        return values
    if reference is None:
        return Missing("no reference liver")
    seen = keep_covered(reference, gain)
    if seen.voxel_count < MINIMUM_REFERENCE_VOXELS:
        return Missing(f"only {seen.voxel_count} voxels of reference liver on both phases")
    return Enhancement(gain, tumour, measure_reference(gain.voxels, seen))


def _measure_sizes(enhancement: Enhancement, config: MeasureConfig) -> dict[str, Measured]:
    tumour = enhancement.tumour
    viable = find_enhancing_tumour(enhancement.gain, tumour, enhancement.liver, config)
    solid = fill_small_necrosis(viable, tumour, config.minimum_necrosis_mm3)
    diameters = measure_viable_diameters(solid)
    cluster = find_largest_cluster(viable)
    return {
        "mrecist_diameter_mm": diameters
        if isinstance(diameters, Missing)
        else diameters.mrecist_mm,
        "easl_product_mm2": diameters if isinstance(diameters, Missing) else diameters.easl_mm2,
        "enhancing_volume_ml": compute_volume_ml(viable),
        "enhancing_area_mm2": compute_largest_axial_area_mm2(viable),
        "largest_cluster_ml": compute_volume_ml(cluster),
        "largest_cluster_diameter_mm": compute_maximum_3d_diameter_mm(cluster),
        "necrosis_fraction": 1 - viable.voxel_count / tumour.voxel_count,
    }


def _measure_qeasl(enhancement: Enhancement, config: MeasureConfig) -> dict[str, Measured]:
    measures: dict[str, Measured] = {}
    for factor in config.qeasl_factors:
        part = measure_qeasl(enhancement.gain, enhancement.tumour, enhancement.liver, factor)
        measures[f"qeasl_k{factor:g}_ml"] = part if isinstance(part, Missing) else part.volume_ml
        measures[f"qeasl_k{factor:g}_percent"] = part if isinstance(part, Missing) else part.percent
    return measures


def _qeasl_names(config: MeasureConfig) -> tuple[str, ...]:
    factors = (f"qeasl_k{factor:g}" for factor in config.qeasl_factors)
    return tuple(f"{name}_{unit}" for name in factors for unit in ("ml", "percent"))


def _all_missing(names: tuple[str, ...], reason: Missing) -> dict[str, Measured]:
    return dict.fromkeys(names, reason)
