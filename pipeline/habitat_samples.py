"""The voxels of a visit's lesion from which habitats are found, by way of the store."""

from functools import cache

from pipeline.cases import Preparation
from pipeline.config.measure import MeasureConfig
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.imaging.crop import bounding_box, crop_region, crop_scan
from pipeline.imaging.habitat_table import from_bytes, to_bytes, to_cells, without_voxels
from pipeline.imaging.habitat_voxels import HabitatVoxels, sample_voxels
from pipeline.imaging.intensity import IntensityReference
from pipeline.response.lipiodol import find_lipiodol
from pipeline.response.measured import Missing
from pipeline.response.values import read_values
from pipeline.store.keys import derived_key, identify_software
from pipeline.store.results import Kind
from pipeline.visit_images import find_reference
from pipeline.visits import Visit

HABITAT_VOXELS = Kind("habitats", ".bin")
"""Voxels for habitats in the per-case store, as :func:`pipeline.imaging.habitat_table.to_bytes`."""

PHASES = ("native", "arterial", "portal")
"""What habitats are found from, as in published habitat models of HCC."""

_CODE = (
    *("pipeline/habitat_samples.py", "pipeline/visit_images.py", "pipeline/visits.py"),
    *("pipeline/domain/geometry.py", "pipeline/domain/scan.py"),
    *("pipeline/imaging", "pipeline/response"),
)


def habitat_cells(
    visit: Visit, preparation: Preparation, config: MeasureConfig
) -> dict[str, object]:
    """Return the voxels of a visit's lesion as cells of a table.

    Parameters
    ----------
    visit : Visit
        The lesion on all its phases, as :func:`pipeline.visits.load_visit` loads it.
    preparation : Preparation
        Whose store keeps the voxels.
    config : MeasureConfig
        Reference liver and lipiodol.

    Returns
    -------
    dict
        :data:`pipeline.imaging.habitat_table.CELLS`.
    """
    key = _name(visit, preparation, config)
    stored = preparation.store.load(HABITAT_VOXELS, key)
    if stored is not None:
        return from_bytes(stored)
    sample = sample_visit(visit, config)
    cells = without_voxels(sample.reason) if isinstance(sample, Missing) else to_cells(sample)
    preparation.store.save(HABITAT_VOXELS, key, to_bytes(cells), {})
    return cells


def sample_visit(visit: Visit, config: MeasureConfig) -> HabitatVoxels | Missing:
    """Return the lesion's voxels on the grid of the reference phase, or why there are none.

    Missing where a phase of :data:`PHASES` is absent, was not registered or does not cover the
    lesion; without reference liver; and on CT with lipiodol in more than
    ``lipiodol_tolerated_percent`` of it, because oil is as dense as enhancing tissue.
    """
    objection = _object_to(visit, config)
    if objection is not None:
        return objection
    scans, tumour = _cut_out(visit)
    regions = find_reference(visit, config).regions
    livers: dict[str, IntensityReference] = {}
    for phase, scan in scans.items():
        covered = read_values(scan, tumour)
        liver = _measure_liver(visit.phases[phase].scan, regions[phase])
        for found in (covered, liver):
            if isinstance(found, Missing):
                return Missing(f"{phase} phase: {found.reason}")
        if isinstance(liver, IntensityReference):
            livers[phase] = liver
    return sample_voxels(scans, livers, tumour)


def _cut_out(visit: Visit) -> tuple[dict[str, Scan], Region]:
    """Return the phases and the tumour on the part of the reference grid that holds the tumour."""
    reference = visit.phases[visit.reference]
    tumour = reference.regions["tumour"]
    box = bounding_box([tumour], tumour.geometry, 0.0)
    own = crop_scan(reference.scan, box)
    scans = {
        phase: own if phase == visit.reference else visit.scan_on_reference(phase, own.geometry)
        for phase in PHASES
    }
    return scans, crop_region(tumour, box)


def _object_to(visit: Visit, config: MeasureConfig) -> Missing | None:
    for phase in PHASES:
        if phase not in visit.phases:
            return Missing(f"no {phase} phase")
        if phase != visit.reference and visit.registrations[phase].failed:
            return Missing(f"the {phase} phase is not registered")
    if not visit.phases[visit.reference].regions["tumour"].inside.any():
        return Missing("the tumour region is empty")
    native = visit.phases["native"]
    if native.scan.modality is not Modality.CT:
        return None
    limits = (config.lipiodol_hu, config.lipiodol_tolerated_percent)
    return find_lipiodol(native.scan, native.regions["tumour"], *limits)


def _measure_liver(scan: Scan, region: Region | None) -> IntensityReference | Missing:
    if region is None:
        return Missing("no reference liver")
    values = read_values(scan, region)
    if isinstance(values, Missing):
        return values
    if not values.std() > 0:
        return Missing("reference liver has no spread")
    return IntensityReference(float(values.mean()), float(values.std()))


def _name(visit: Visit, preparation: Preparation, config: MeasureConfig) -> str:
    """Return the key of what is decided by the visit's volumes, how they are laid, and limits."""
    settings = {
        **visit.keys,
        "registration": preparation.config.registration.model_dump(mode="json"),
        "measure": config.model_dump(mode="json"),
    }
    return derived_key(dict(visit.keys["phases"])[visit.reference], settings, _identify_code())


@cache
def _identify_code() -> str:
    return f"habitats {identify_software(_CODE, ['numpy', 'scipy', 'SimpleITK'])}"
