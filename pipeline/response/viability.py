"""All measures of what enhances in a tumour: size, share, largest piece, statistics of the gain."""

from dataclasses import dataclass

from pipeline.config.measure import MeasureConfig
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.imaging.crop import bounding_box, crop_region, crop_scan
from pipeline.response.enhancement import (
    MINIMUM_REFERENCE_VOXELS,
    Reference,
    find_enhancing_tumour,
    measure_reference,
    silence_oil,
)
from pipeline.response.lesion_images import LesionImages, keep_covered
from pipeline.response.measured import Measured, Missing
from pipeline.response.qeasl import measure_gain_necrosis_fraction, measure_qeasl
from pipeline.response.size import compute_largest_axial_area_mm2, compute_volume_ml
from pipeline.response.subtraction import STATISTICS, measure_subtraction
from pipeline.response.values import read_values
from pipeline.response.viable_cluster import compute_maximum_3d_diameter_mm, find_largest_cluster
from pipeline.response.viable_diameter import (
    ViableDiameters,
    fill_small_necrosis,
    measure_viable_diameters,
)

VIABLE_SIZES = (
    "mrecist_diameter_mm",
    "easl_product_mm2",
    "enhancing_volume_ml",
    "enhancing_area_mm2",
    "largest_cluster_ml",
    "largest_cluster_diameter_mm",
    "necrosis_fraction",
)


GAIN_NECROSIS = "gain_necrosis_fraction"
"""Share of the tumour that gains less than some HU, whatever liver does."""


@dataclass(frozen=True, slots=True)
class Enhancement:
    """What the viable part is found from, on one grid.

    Parameters
    ----------
    gain : Scan
        Arterial minus native phase, on CT of no oil (:func:`silence_oil`).
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
        ``VIABLE_SIZES`` of the viable part (threshold, HU minimum and islands as configured, no oil
        nor its edge; for the diameters small necrosis is filled), ``STATISTICS`` of the gain, on CT
        ``gain_necrosis_fraction``, and for each k of ``qeasl_factors`` ``qeasl_kK_ml`` and
        ``qeasl_kK_percent`` (threshold alone). All missing without native phase, arterial phase or
        reference liver; what tells of the gain alone needs no liver.
    """
    return _measure_gain(images, config) | _measure_viable(images, config)


def find_viable(images: LesionImages, config: MeasureConfig) -> Region | Missing:
    """Return the viable part of a lesion, on the grid of :meth:`LesionImages.subtraction`.

    It may be empty. Missing without native phase, arterial phase or reference liver.
    """
    enhancement = read_enhancement(images, config.lipiodol_hu)
    if isinstance(enhancement, Missing):
        return enhancement
    return find_enhancing_tumour(enhancement.gain, enhancement.tumour, enhancement.liver, config)


def find_viable_diameters(
    viable: Region, tumour: Region, config: MeasureConfig
) -> ViableDiameters | Missing:
    """Return the diameters of mRECIST and EASL with their ends; small necrosis does not stop them.

    Parameters
    ----------
    viable, tumour : Region
        On one grid: :func:`find_viable` and the lesion.
    config : MeasureConfig
        What is small.
    """
    return measure_viable_diameters(
        fill_small_necrosis(viable, tumour, config.minimum_necrosis_mm3)
    )


def read_enhancement(images: LesionImages, oil_hu: float) -> Enhancement | Missing:
    """Return the gain of tumour and reference liver, or why it is not known.

    Native voxels of CT that have ``oil_hu`` or more, and their neighbours, gain nothing.
    """
    subtraction = images.subtraction()
    if isinstance(subtraction, Missing):
        return subtraction
    gain, image = subtraction
    values = read_values(gain, image.tumour)
    if isinstance(values, Missing):
        return values
    if image.reference is None:
        return Missing("no reference liver")
    seen = keep_covered(image.reference, gain)
    if seen.voxel_count < MINIMUM_REFERENCE_VOXELS:
        return Missing(f"only {seen.voxel_count} voxels of reference liver on both phases")
    liver = measure_reference(gain.voxels, seen)
    return Enhancement(_without_oil(images, gain, image.tumour, oil_hu), image.tumour, liver)


def _without_oil(images: LesionImages, gain: Scan, tumour: Region, oil_hu: float) -> Scan:
    native = images.native_below_gain()
    if native is None:
        return gain
    return silence_oil(gain, native, tumour, oil_hu, images.interpolated)


def _measure_gain(images: LesionImages, config: MeasureConfig) -> dict[str, Measured]:
    """Measure the gain alone, for which no liver is needed."""
    on_ct = images.modality is Modality.CT
    subtraction = images.subtraction()
    if isinstance(subtraction, Missing):
        return _all_missing((*STATISTICS, *((GAIN_NECROSIS,) if on_ct else ())), subtraction)
    gain, image = subtraction
    measures = measure_subtraction(gain, image.tumour, config.gain_bin_width)
    if on_ct:
        below_hu = config.enhancing_minimum_hu
        dry = _without_oil(images, gain, image.tumour, config.lipiodol_hu)
        measures[GAIN_NECROSIS] = measure_gain_necrosis_fraction(dry, image.tumour, below_hu)
    return measures


def _measure_viable(images: LesionImages, config: MeasureConfig) -> dict[str, Measured]:
    enhancement = read_enhancement(images, config.lipiodol_hu)
    if isinstance(enhancement, Missing):
        return _all_missing((*VIABLE_SIZES, *_qeasl_names(config)), enhancement)
    close = _cut_to_tumour(enhancement)
    return _measure_sizes(close, config) | _measure_qeasl(close, config)


def _cut_to_tumour(enhancement: Enhancement) -> Enhancement:
    """Leave the liver, once it is measured: parts are searched for in the whole array."""
    tumour = enhancement.tumour
    box = bounding_box([tumour], tumour.geometry, 0.0)
    return Enhancement(
        crop_scan(enhancement.gain, box), crop_region(tumour, box), enhancement.liver
    )


def _measure_sizes(enhancement: Enhancement, config: MeasureConfig) -> dict[str, Measured]:
    tumour = enhancement.tumour
    viable = find_enhancing_tumour(enhancement.gain, tumour, enhancement.liver, config)
    diameters = find_viable_diameters(viable, tumour, config)
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
