"""Every response measure of one lesion at one time point on one modality."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from math import inf

from pipeline.config.measure import MeasureConfig
from pipeline.domain.scan import Modality, Region
from pipeline.domain.time_series import series_seconds
from pipeline.response.diffusion import measure_diffusion
from pipeline.response.lesion_images import LesionImages, PhaseImage
from pipeline.response.lipiodol import (
    LipiodolSettings,
    find_lipiodol,
    measure_lipiodol_deposition,
)
from pipeline.response.measured import Measured, Missing, divide
from pipeline.response.phase_ratios import PhaseMeans, measure_phase_ratios
from pipeline.response.qeasl import measure_arterial_necrosis_fraction
from pipeline.response.size import compute_longest_axial_diameter_mm, compute_volume_ml
from pipeline.response.time_series import measure_time_series
from pipeline.response.uptake import MetabolicThreshold, measure_uptake
from pipeline.response.viability import measure_viability


def measure_response(images: LesionImages, config: MeasureConfig) -> dict[str, Measured]:
    """Return all measures that a modality can have, each a number or the reason why not.

    Size is that of the reference phase. Lipiodol and attenuation are measured on CT, diffusion and
    T2 on MR, uptake on PET: the names of the others do not appear, nor those of a dynamic series
    where there is none.
    """
    measures = _measure_size(images.reference.tumour)
    match images.modality:
        case Modality.CT:
            measures |= _measure_contrast(images, config) | _measure_attenuation(images, config)
        case Modality.MR:
            measures |= _measure_contrast(images, config) | _measure_diffusion(images, config)
            measures["tumour_muscle_ratio_t2"] = _compare_with_muscle(images, "t2")
        case Modality.PT:
            measures |= _measure_uptake(images, config)
    return measures


def prefix_modality(measures: Mapping[str, Measured], modality: Modality) -> dict[str, Measured]:
    """Return the measures under names that begin with ``ct_``, ``mr_`` or ``pt_``.

    For tables: HU, MR signal and SUV must never share a column.
    """
    return {f"{modality.lower()}_{name}": value for name, value in measures.items()}


def _measure_size(tumour: Region) -> dict[str, Measured]:
    if not tumour.inside.any():
        return dict.fromkeys(("recist_diameter_mm", "volume_ml"), Missing("the tumour is empty"))
    return {
        "recist_diameter_mm": compute_longest_axial_diameter_mm(tumour),
        "volume_ml": compute_volume_ml(tumour),
    }


def _measure_contrast(images: LesionImages, config: MeasureConfig) -> dict[str, Measured]:
    tumour, liver = images.tumour_means(), images.reference_means()
    tumour = replace(tumour, means=_keep_comparable(tumour))
    dense = _find_lipiodol(images, config)
    ratios = measure_phase_ratios(tumour, liver, images.modality, dense, config.least_gain_hu)
    series = measure_time_series(images, config.contrast_arrival_s)
    return ratios | measure_viability(images, config) | series


def _keep_comparable(tumour: PhaseMeans) -> dict[str, Measured]:
    """Leave out ADC maps, measured in their own unit, and images of a series, one of many."""
    return {
        phase: mean
        for phase, mean in tumour.means.items()
        if phase != "adc" and series_seconds(phase) is None
    }


def _measure_attenuation(images: LesionImages, config: MeasureConfig) -> dict[str, Measured]:
    """Measure what HU tell without a subtraction: lipiodol, and necrosis by dark voxels."""
    settings = LipiodolSettings(
        threshold_hu=config.lipiodol_hu,
        bands_hu=tuple(pairwise((*config.lipiodol_bands_hu, inf))),
        complete_percent=config.lipiodol_complete_percent,
    )
    image = _phase_or_first(images, "native")
    lipiodol = measure_lipiodol_deposition(images.scan("native"), image.tumour, settings)
    return _keep_placed(image, lipiodol) | {
        "arterial_necrosis_fraction": _measure_dark_share(images, config)
    }


def _measure_dark_share(images: LesionImages, config: MeasureConfig) -> Measured:
    arterial = images.phases.get("arterial")
    if arterial is None:
        return Missing("no arterial phase")
    against = arterial.misplaced or _find_lipiodol(images, config)
    return against or measure_arterial_necrosis_fraction(arterial.scan, arterial.tumour)


def _find_lipiodol(images: LesionImages, config: MeasureConfig) -> Missing | None:
    """Return why attenuation of the tumour on contrast phases says nothing, if so."""
    native = images.phases.get("native")
    if native is None or native.misplaced or images.modality is not Modality.CT:
        return None
    tolerated = config.lipiodol_tolerated_percent
    return find_lipiodol(native.scan, native.tumour, config.lipiodol_hu, tolerated)


def _compare_with_muscle(images: LesionImages, phase: str) -> Measured:
    tumour, muscle = images.tumour_means().on(phase), images.muscle_means().on(phase)
    return divide(tumour, muscle, f"muscle in the {phase} phase")


def _measure_diffusion(images: LesionImages, config: MeasureConfig) -> dict[str, Measured]:
    image = _phase_or_first(images, "adc")
    diffusion = measure_diffusion(
        images.scan("adc"),
        image.tumour,
        image.reference,
        config.adc_unit_mm2_per_s,
        config.adc_viable_below,
    )
    return _keep_placed(image, diffusion)


def _measure_uptake(images: LesionImages, config: MeasureConfig) -> dict[str, Measured]:
    image = _phase_or_first(images, "suv")
    threshold = MetabolicThreshold(share_of_maximum=config.suv_threshold_share)
    return measure_uptake(images.scan("suv"), image.tumour, image.reference, threshold)


def _keep_placed(image: PhaseImage, measures: dict[str, Measured]) -> dict[str, Measured]:
    """Return the measures of a phase, or why its tumour mask says nothing about it."""
    return dict.fromkeys(measures, image.misplaced) if image.misplaced else measures


def _phase_or_first(images: LesionImages, phase: str) -> PhaseImage:
    """Return a phase, or the first one where there is none: its image is then not used."""
    return images.phases.get(phase) or images.reference
