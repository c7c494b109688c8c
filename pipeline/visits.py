"""A lesion at one time point on one modality: its phases, laid on each other, and reference liver.

Used by every step that looks at several phases together, in training and in scoring.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import nan
from os.path import normpath

import numpy as np

from pipeline.cases import Preparation
from pipeline.config.registration import RegistrationMethod
from pipeline.domain.cohort import ScanRow
from pipeline.domain.errors import CaseError
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Region, Scan, Timepoint, drawn_lesions
from pipeline.imaging.alignment import Alignment, align_scan
from pipeline.imaging.copied_masks import place_copies
from pipeline.imaging.liver_reference import (
    LiverReference,
    draw_whole_sphere,
    place_liver_reference,
)
from pipeline.imaging.prepared import PreparedCase
from pipeline.imaging.registration import Registration
from pipeline.imaging.resample import resample_onto
from pipeline.response.measured import Missing

Position = tuple[float, float, float]
VolumeKeys = Mapping[str, list[tuple[str, str]]]

VISIT_COLUMNS = ("patient_id", "timepoint", "modality", "lesion_id")
"""What tells one visit's lesion from another."""

PLACED_ON = "portal"
"""The phase whose evenness tells liver from vessels best; else the reference phase is used."""


@dataclass(frozen=True, slots=True)
class VisitRows:
    """The rows of one lesion at one time point on one modality.

    Parameters
    ----------
    rows : mapping of str to ScanRow
        By phase, the reference phase first.
    guides : mapping of str to ScanRow
        By phase, the row whose volume is registered: one for all lesions of a visit where a liver
        mask makes their volumes alike, else the lesion's own.
    """

    rows: Mapping[str, ScanRow]
    guides: Mapping[str, ScanRow]

    @property
    def reference(self) -> str:
        """The phase that the others are laid on."""
        return next(iter(self.rows))

    @property
    def key(self) -> dict[str, str]:
        """Values of :data:`VISIT_COLUMNS`."""
        row = self.rows[self.reference]
        return {name: str(getattr(row, name)) for name in VISIT_COLUMNS}


@dataclass(frozen=True, slots=True)
class Visit:
    """The images of one lesion at one time point on one modality.

    Parameters
    ----------
    rows : VisitRows
        Where they come from.
    phases : mapping of str to PreparedCase
        In the order of the rows; each on its own grid, copied masks where they belong.
    registrations : mapping of str to Registration
        Of each phase but the reference: from positions of the reference phase to it.
    placement : LiverReference or None
        The sphere of reference liver, on the reference phase's grid.
    no_placement : str
        Why there is none.
    keys : mapping
        As :func:`name_volumes`, of the very files that were read; empty for a visit made by hand.
    misplaced : mapping of str to str
        Phases whose tumour mask is a copy that could not be placed, and why.
    """

    rows: VisitRows
    phases: Mapping[str, PreparedCase] = field(repr=False)
    registrations: Mapping[str, Registration] = field(repr=False)
    placement: LiverReference | None
    no_placement: str = ""
    keys: VolumeKeys = field(default_factory=dict, repr=False)
    misplaced: Mapping[str, str] = field(default_factory=dict)

    @property
    def reference(self) -> str:
        """The phase that the others are laid on."""
        return self.rows.reference

    def is_unregistered(self, phase: str) -> bool:
        """Return whether a phase's registration failed; not so where none was asked for."""
        return phase != self.reference and self.registrations[phase].failed

    def alignment(self, phase: str) -> Alignment:
        """Return where positions of the reference phase lie in a phase."""
        return Alignment() if phase == self.reference else self.registrations[phase].alignment

    def scan_on_reference(self, phase: str, part: Geometry | None = None) -> Scan:
        """Return a phase on the grid of the reference phase, NaN where it does not reach.

        Or on a part of that grid: a small one is quickly filled.
        """
        scan = self.phases[phase].scan
        geometry = part or self.phases[self.reference].scan.geometry
        alignment = self.alignment(phase)
        if alignment == Alignment():  # keeps values on equal grids bit for bit
            return resample_onto(scan, geometry, fill=nan)
        return align_scan(scan, alignment, geometry, fill=nan)

    def reference_on(self, phase: str) -> Region | None:
        """Return the reference sphere on a phase; None where it does not fit or is not placed."""
        if self.placement is None or self.is_unregistered(phase):
            return None
        centre = np.array([self.placement.centre_mm])
        ((x, y, z),) = self.alignment(phase).map_positions(centre)
        return draw_whole_sphere(self.phases[phase].scan.geometry, (float(x), float(y), float(z)))


def group_visits(rows: Iterable[ScanRow], phase_order: Sequence[str]) -> list[VisitRows]:
    """Group rows by lesion, time point and modality, in the order in which these first appear.

    Parameters
    ----------
    rows : iterable of ScanRow
        Of any patients.
    phase_order : sequence of str
        The first phase of it that a lesion has is the reference; unknown phases come last.
    """
    rank = {phase: number for number, phase in enumerate(phase_order)}
    visits: dict[tuple[str, ...], dict[str, list[ScanRow]]] = {}
    for row in rows:
        name = (row.patient_id, row.timepoint, row.modality)
        visits.setdefault(name, {}).setdefault(row.lesion_id, []).append(row)
    groups = []
    for lesions in visits.values():
        for lesion in lesions.values():
            ordered = sorted(lesion, key=lambda row: rank.get(row.phase, len(rank)))
            phases = {row.phase: row for row in ordered}
            groups.append(VisitRows(phases, _guides(ordered, lesions.values())))
    return groups


def name_volumes(rows: VisitRows, preparation: Preparation) -> VolumeKeys:
    """Return phase and key of all volumes that a visit is made of: its ``phases`` and ``guides``.

    Raises as :meth:`Preparation.load`.
    """
    return {
        "phases": [(phase, preparation.key(row)) for phase, row in rows.rows.items()],
        "guides": [(phase, preparation.key(row)) for phase, row in rows.guides.items()],
    }


def load_visit(rows: VisitRows, preparation: Preparation) -> Visit:
    """Load and register the phases of a lesion, place copied masks and reference liver.

    Raises
    ------
    ImageError, CaseError
        As :meth:`Preparation.load`, of any phase; or if a file changes meanwhile.
    """
    keys = name_volumes(rows, preparation)
    phases = {phase: preparation.load(row) for phase, row in rows.rows.items()}
    first = rows.guides[rows.reference]
    registrations = {
        phase: preparation.register(first, guide)
        for phase, guide in rows.guides.items()
        if phase != rows.reference
    }
    if name_volumes(rows, preparation) != keys:
        msg = "an image or mask changed while it was read. Run again when nothing writes to it."
        raise CaseError(msg)
    phases, misplaced = place_copies(phases, registrations)
    visit = Visit(rows, phases, registrations, None, keys=keys, misplaced=misplaced)
    placement, reason = _place(visit)
    return replace(visit, placement=placement, no_placement=reason)


def pair_times(visits: Iterable[VisitRows]) -> list[tuple[VisitRows, VisitRows]]:
    """Return each pre-resection visit's lesion after the baseline one that it is laid on.

    Of the same patient and modality: the lesion of the same name, else the first there is. What has
    no baseline is left out.
    """
    visits = list(visits)
    baselines: dict[tuple[str, ...], VisitRows] = {}
    for visit in visits:
        key = visit.key
        if key["timepoint"] == Timepoint.BASELINE:
            baselines.setdefault((key["patient_id"], key["modality"]), visit)
            baselines[key["patient_id"], key["modality"], key["lesion_id"]] = visit
    pairs = []
    for visit in visits:
        key = visit.key
        place = (key["patient_id"], key["modality"])
        baseline = baselines.get((*place, key["lesion_id"]), baselines.get(place))
        if key["timepoint"] == Timepoint.PREOP and baseline is not None:
            pairs.append((baseline, visit))
    return pairs


def register_times(baseline: VisitRows, preop: VisitRows, preparation: Preparation) -> Registration:
    """Return where positions of the baseline's reference phase lie in that of the later visit.

    Raises
    ------
    ImageError, CaseError
        As :meth:`Preparation.load`, of either scan.
    """
    fixed, moving = baseline.guides[baseline.reference], preop.guides[preop.reference]
    return preparation.register(fixed, moving)


def centre_in_baseline(
    visit: Visit, baseline: VisitRows | None, preparation: Preparation
) -> Position | Missing:
    """Return the centre of a visit's lesion in the coordinates of the baseline scan.

    Parameters
    ----------
    visit : Visit
        At any time point; a baseline lesion's centre is that of its own mask.
    baseline : VisitRows or None
        From :func:`pair_times`; ``preparation`` registers the two.

    Returns
    -------
    tuple of 3 float or Missing
        Mean of the positions of its voxels in mm, x, y, z (LPS); or why it is not known there: two
        examinations' coordinates have nothing to do with each other unless they are registered.

    Raises
    ------
    ImageError, CaseError
        As :meth:`Preparation.load`, of the baseline scan.
    """
    tumour = visit.phases[visit.reference].regions["tumour"]
    if not tumour.inside.any():
        return Missing("the tumour mask is empty")
    centre_mm = tumour.centroid_mm
    if visit.rows.key["timepoint"] == Timepoint.BASELINE:
        return centre_mm
    if baseline is None:
        return Missing("no baseline scan of this modality")
    if preparation.config.registration.method is RegistrationMethod.NONE:
        return Missing("registration is switched off")
    registration = register_times(baseline, visit.rows, preparation)
    if registration.failed:
        return Missing("not registered to the baseline scan")
    ((x, y, z),) = registration.alignment.map_back(np.array([centre_mm])).tolist()
    return (x, y, z)


def _guides(lesion: Sequence[ScanRow], lesions: Iterable[Sequence[ScanRow]]) -> dict[str, ScanRow]:
    """Return what is registered for a lesion: with a liver mask, the visit's first lesion."""
    first: dict[tuple[str, ...], ScanRow] = {}
    for row in (row for rows in lesions for row in rows):
        first.setdefault(_files(row), row)
    return {row.phase: first[_files(row)] if row.liver_mask else row for row in lesion}


def _files(row: ScanRow) -> tuple[str, ...]:
    return (row.phase, normpath(row.image), normpath(row.liver_mask))


def _place(visit: Visit) -> tuple[LiverReference | None, str]:
    """Place reference liver on the grid of the reference phase, or say why that is not possible."""
    regions = visit.phases[visit.reference].regions
    if "liver" not in regions or not regions["liver"].inside.any():
        return None, "no liver mask"
    lesions = drawn_lesions(regions)
    scan = _evenness(visit, regions["liver"])
    try:
        return place_liver_reference(scan, regions["liver"], lesions, regions.get("vessels")), ""
    except CaseError as error:
        return None, str(error)


def _evenness(visit: Visit, liver: Region) -> Scan:
    """Return the image that tells liver from vessels, as long as it covers all of the liver."""
    if PLACED_ON in visit.registrations and not visit.is_unregistered(PLACED_ON):
        scan = visit.scan_on_reference(PLACED_ON)
        if np.isfinite(scan.voxels[liver.inside]).all():
            return scan
    return visit.phases[visit.reference].scan
