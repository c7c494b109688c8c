"""The images of a visit as the response measures take them: cut out, subtracted phases aligned."""

from dataclasses import dataclass, field, replace

import numpy as np

from pipeline.config.measure import MeasureConfig, ReferenceTissue
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Region, Scan, drawn_lesions
from pipeline.imaging.alignment import Alignment
from pipeline.imaging.crop import bounding_box, crop_region, crop_scan
from pipeline.response.enhancement import MINIMUM_REFERENCE_VOXELS, reference_liver
from pipeline.response.lesion_images import LesionImages, PhaseImage
from pipeline.response.measured import Missing
from pipeline.response.viability import find_viable
from pipeline.visits import Visit

SUBTRACTED = ("native", "arterial")
"""The phases whose difference shows what takes up contrast."""

MARGIN_MM = 10.0
"""Kept around tumour and reference liver: SUVpeak looks 6.2 mm beyond the tumour."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Reference liver of a visit.

    Parameters
    ----------
    regions : mapping of str to Region or None
        By phase, on its grid; None where there is too little.
    description : str
        Which it is, and why not the sphere: ``whole liver: no place for ...``.
    """

    regions: dict[str, Region | None] = field(repr=False)
    description: str


def lesion_images(visit: Visit, config: MeasureConfig) -> LesionImages:
    """Return every phase on its own grid, and those that are subtracted on the reference grid.

    Each is cut down to tumour and reference liver (:func:`find_reference`) with a margin.
    """
    reference = find_reference(visit, config)
    phases = {phase: _cut_out(visit, phase, region) for phase, region in reference.regions.items()}
    modality = visit.phases[visit.reference].scan.modality
    laid = _lay(visit, phases[visit.reference].scan)
    return LesionImages(modality, phases, laid, reference.description, _is_interpolated(visit))


def find_reference(visit: Visit, config: MeasureConfig) -> Reference:
    """Return reference liver on every phase, and say which it is.

    The visit's sphere, brought to each phase by registration; None on a phase that does not reach
    there, because phases compare only in one place. Where there is no sphere, its voxels are so
    large that too few make up 1 cm3, or the settings ask for it: all liver that is farther than
    ``liver_margin_mm`` from the tumour and from the other lesions of the phase.
    """
    against = _refuse_sphere(visit, config)
    placement = visit.placement
    if placement is not None and not against:
        side = "lesion's side" if placement.same_side else "other side"
        regions = {phase: visit.reference_on(phase) for phase in visit.phases}
        return Reference(regions, f"sphere, {side}")
    regions = {phase: _whole_liver(visit, phase, config) for phase in visit.phases}
    kind = "none" if regions[visit.reference] is None else "whole liver"
    return Reference(regions, f"{kind}: {against}")


def find_viable_part(visit: Visit, config: MeasureConfig) -> Region | Missing:
    """Return the viable part of a lesion on the whole grid of the reference phase.

    It is what the stage measure measures, and may be empty. Missing without native phase, arterial
    phase or reference liver.
    """
    viable = find_viable(lesion_images(visit, config), config)
    if isinstance(viable, Missing):
        return viable
    return _put_back(viable, visit.phases[visit.reference].scan.geometry)


def _refuse_sphere(visit: Visit, config: MeasureConfig) -> str:
    """Say why the sphere of reference liver is not used; empty where it is."""
    if visit.placement is None:
        return visit.no_placement
    if config.reference is ReferenceTissue.WHOLE:
        return "as configured"
    count = visit.placement.region.voxel_count
    if count < MINIMUM_REFERENCE_VOXELS:
        return f"the sphere has {count} voxels, fewer than {MINIMUM_REFERENCE_VOXELS}"
    return ""


def _whole_liver(visit: Visit, phase: str, config: MeasureConfig) -> Region | None:
    regions = visit.phases[phase].regions
    if "liver" not in regions:
        return None
    drawn = drawn_lesions(regions)
    inside = np.logical_or.reduce([lesion.inside for lesion in drawn])
    lesions = Region(inside, drawn[0].geometry, "lesions")
    return reference_liver(regions["liver"], lesions, config.liver_margin_mm)


def _cut_out(visit: Visit, phase: str, reference: Region | None) -> PhaseImage:
    case = visit.phases[phase]
    tumour, muscle = case.regions["tumour"], case.references.get("muscle")
    image = PhaseImage(
        case.scan,
        tumour,
        reference,
        muscle_mean=None if muscle is None else muscle.mean,
        unregistered=visit.is_unregistered(phase),
        misplaced=Missing(visit.misplaced[phase]) if phase in visit.misplaced else None,
    )
    wanted = [region for region in (tumour, reference) if region is not None]
    if not any(region.inside.any() for region in wanted):
        return image
    box = bounding_box(wanted, case.scan.geometry, MARGIN_MM)
    scan = crop_scan(case.scan, box)
    cut = None if reference is None else crop_region(reference, box)
    return replace(image, scan=scan, tumour=crop_region(tumour, box), reference=cut)


def _lay(visit: Visit, reference: Scan) -> dict[str, Scan]:
    """Return the phases that are subtracted, on the grid of the reference phase's cut-out."""
    if not visit.phases.keys() >= set(SUBTRACTED):
        return {}
    return {
        phase: reference
        if phase == visit.reference
        else visit.scan_on_reference(phase, reference.geometry)
        for phase in SUBTRACTED
    }


def _is_interpolated(visit: Visit) -> bool:
    """Tell whether a phase that is subtracted is not on the reference phase's voxels."""
    grid = visit.phases[visit.reference].scan.geometry
    laid = [phase for phase in SUBTRACTED if phase in visit.phases]
    return any(
        visit.alignment(phase) != Alignment() or visit.phases[phase].scan.geometry.difference(grid)
        for phase in laid
    )


def _put_back(region: Region, geometry: Geometry) -> Region:
    """Return a region of a cut-out on the grid that it was cut from."""
    inside = np.zeros(geometry.shape_zyx, dtype=np.bool_)
    first = np.rint(geometry.to_voxels(np.array([region.geometry.origin_mm]))[0]).astype(int)[::-1]
    box = tuple(
        slice(start, start + size)
        for start, size in zip(first, region.geometry.shape_zyx, strict=True)
    )
    inside[box] = region.inside
    return Region(inside, geometry, region.name)
