"""Images and masks of one synthetic patient."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pipeline.config.demo import DemoConfig, Scanner
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.synthetic.anatomy import Labels, Tissue, draw_anatomy, voxel_positions_mm
from pipeline.synthetic.contrast import paint
from pipeline.synthetic.lesion import Lesion, LesionState, draw_lesion, place_lesion
from pipeline.synthetic.noise import Stream, patient_generator
from pipeline.synthetic.scanner import acquire_ct, acquire_mr, draw_bias, draw_texture
from pipeline.synthetic.tables import PHASES

_AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
_TUMOUR = (Tissue.VIABLE, Tissue.NECROSIS, Tissue.LIPIODOL)
_LIVER = (Tissue.LIVER, Tissue.VESSEL, *_TUMOUR)
_POSITIONING_SD_MM = 2.0
_MR_GAIN_LOG_SD = 0.25

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientPlan:
    """What is to be drawn of a patient.

    Parameters
    ----------
    index : int
        Number of the patient in the cohort, from 0: it selects the random stream.
    patient_id, site : str
        As in the tables.
    modality : Modality
        ``CT`` or ``MR``, at both time points.
    arterial_gain : float
        Factor on the enhancement of living tumour.
    states : tuple of LesionState
        The lesion at each time point.
    """

    index: int
    patient_id: str
    site: str
    modality: Modality
    arterial_gain: float
    states: tuple[LesionState, ...]


@dataclass(frozen=True, slots=True)
class RenderedVisit:
    """Images and masks of one time point, all on one grid.

    Parameters
    ----------
    timepoint : str
        ``baseline`` or ``preop``.
    scans : mapping of str to Scan
        By phase; voxels are int16.
    tumour, liver : Region
        The liver includes the tumour, as liver masks do.
    tissues : numpy.ndarray of uint8, shape (z, y, x)
        The truth: values of :class:`~pipeline.synthetic.anatomy.Tissue`.
    """

    timepoint: str
    scans: Mapping[str, Scan]
    tumour: Region
    liver: Region
    tissues: Labels = field(repr=False)


def render_patient(plan: PatientPlan, config: DemoConfig) -> tuple[RenderedVisit, ...]:
    """Draw all scans of one patient; the result depends on nothing but the arguments."""
    generator = patient_generator(config.seed, plan.index, Stream.IMAGES)
    largest = max(state.diameter_mm for state in plan.states)
    lesion = draw_lesion(generator, largest)
    return tuple(_render_visit(plan, state, lesion, config, generator) for state in plan.states)


def _render_visit(
    plan: PatientPlan,
    state: LesionState,
    lesion: Lesion,
    config: DemoConfig,
    generator: np.random.Generator,
) -> RenderedVisit:
    scanner = config.sites[plan.site]
    geometry = _draw_geometry(scanner, config.matrix, generator)
    shift_mm = _POSITIONING_SD_MM * generator.standard_normal(3)
    positions = voxel_positions_mm(geometry, shift_mm)
    tissues = place_lesion(draw_anatomy(positions), positions, lesion, state)
    images = _acquire(plan, tissues, scanner, generator)
    return RenderedVisit(
        timepoint=state.timepoint,
        scans={phase: Scan(image, geometry, plan.modality) for phase, image in images.items()},
        tumour=Region(np.isin(tissues, _TUMOUR), geometry, "tumour"),
        liver=Region(np.isin(tissues, _LIVER), geometry, "liver"),
        tissues=tissues,
    )


def _acquire(
    plan: PatientPlan, tissues: Labels, scanner: Scanner, generator: np.random.Generator
) -> dict[str, npt.NDArray[np.int16]]:
    texture = draw_texture(tissues.shape, generator)
    ideal = {
        phase: paint(tissues, phase, plan.modality, plan.arterial_gain, texture) for phase in PHASES
    }
    if plan.modality is Modality.CT:
        return {phase: acquire_ct(image, scanner, generator) for phase, image in ideal.items()}
    gain = np.exp(_MR_GAIN_LOG_SD * generator.standard_normal())
    bias = gain * draw_bias(tissues.shape, generator)
    return {phase: acquire_mr(image, scanner, bias, generator) for phase, image in ideal.items()}


def _draw_geometry(scanner: Scanner, matrix: int, generator: np.random.Generator) -> Geometry:
    """Place the grid somewhere in the scanner, axes along the patient's (LPS)."""
    size = (matrix, matrix, scanner.slices)
    corner = -np.asarray(size) * np.asarray(scanner.spacing_mm) / 2
    origin = np.round(corner + generator.uniform(-30, 30, 3), 1)
    return Geometry(
        size=size,
        spacing_mm=scanner.spacing_mm,
        origin_mm=(float(origin[0]), float(origin[1]), float(origin[2])),
        direction=_AXIAL,
    )
