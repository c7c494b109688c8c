"""Every response measure of one lesion at one time point on one modality."""

from collections.abc import Mapping

from pipeline.config.measure import MeasureConfig
from pipeline.domain.scan import Modality
from pipeline.response.diffusion import measure_diffusion
from pipeline.response.lesion_images import LesionImages, PhaseImage
from pipeline.response.lipiodol import (
    LipiodolSettings,
    find_lipiodol,
    measure_lipiodol_deposition,
)
from pipeline.response.measured import Measured
from pipeline.response.phase_ratios import measure_phase_ratios
from pipeline.response.size import compute_longest_axial_diameter_mm, compute_volume_ml
from pipeline.response.uptake import MetabolicThreshold, measure_uptake
from pipeline.response.viability import measure_viability


def measure_response(images: LesionImages, config: MeasureConfig) -> dict[str, Measured]:
    """Return all measures that a modality can have, each a number or the reason why not.

    Size is that of the first phase. Lipiodol is measured on CT, diffusion on
    MR, uptake on PET: the names of the others do not appear.
    """
    first = next(iter(images.phases.values()))
    measures: dict[str, Measured] = {
        "recist_diameter_mm": compute_longest_axial_diameter_mm(first.tumour),
        "volume_ml": compute_volume_ml(first.tumour),
    }
    match images.modality:
        case Modality.CT:
            measures |= _measure_contrast(images, config) | _measure_lipiodol(images, config)
        case Modality.MR:
            measures |= _measure_contrast(images, config) | _measure_diffusion(images, config)
        case Modality.PT:
            measures |= _measure_uptake(images, config)
    return measures


def prefix_modality(measures: Mapping[str, Measured], modality: Modality) -> dict[str, Measured]:
    """Return the measures under names that begin with ``ct_``, ``mr_`` or ``pt_``.

    For tables: HU, MR signal and SUV must never share a column.
    """
    return {f"{modality.lower()}_{name}": value for name, value in measures.items()}


def _measure_contrast(images: LesionImages, config: MeasureConfig) -> dict[str, Measured]:
    native = images.phases.get("native")
    dense = None
    if native is not None and images.modality is Modality.CT:
        tolerated = config.lipiodol_tolerated_percent
        dense = find_lipiodol(native.scan, native.tumour, config.lipiodol_hu, tolerated)
    ratios = measure_phase_ratios(
        images.tumour_means(), images.reference_means(), images.modality, dense
    )
    return ratios | measure_viability(images, config)


def _measure_lipiodol(images: LesionImages, config: MeasureConfig) -> dict[str, Measured]:
    settings = LipiodolSettings(
        threshold_hu=config.lipiodol_hu, complete_percent=config.lipiodol_complete_percent
    )
    image = _phase_or_first(images, "native")
    return measure_lipiodol_deposition(images.scan("native"), image.tumour, settings)


def _measure_diffusion(images: LesionImages, config: MeasureConfig) -> dict[str, Measured]:
    image = _phase_or_first(images, "adc")
    return measure_diffusion(
        images.scan("adc"),
        image.tumour,
        image.reference,
        config.adc_unit_mm2_per_s,
        config.adc_viable_below,
    )


def _measure_uptake(images: LesionImages, config: MeasureConfig) -> dict[str, Measured]:
    image = _phase_or_first(images, "suv")
    threshold = MetabolicThreshold(share_of_maximum=config.suv_threshold_share)
    return measure_uptake(images.scan("suv"), image.tumour, image.reference, threshold)


def _phase_or_first(images: LesionImages, phase: str) -> PhaseImage:
    """Return a phase, or the first one where there is none: its image is then not used."""
    return images.phases.get(phase) or next(iter(images.phases.values()))
