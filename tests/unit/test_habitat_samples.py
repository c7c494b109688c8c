"""Voxels of a visit for habitats: registered, in deviations from liver, or a reason."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.config.loading import load_settings
from pipeline.config.measure import MeasureConfig
from pipeline.config.registration import RegistrationMethod
from pipeline.domain.cohort import ScanRow
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan, Timepoint
from pipeline.habitat_samples import PHASES, sample_visit
from pipeline.imaging.alignment import Alignment, RigidMotion
from pipeline.imaging.prepared import PreparedCase
from pipeline.imaging.registration import Registration
from pipeline.imaging.registration_verdict import Quality
from pipeline.response.measured import Missing
from pipeline.visits import Visit, VisitRows

CONFIG = load_settings(MeasureConfig, Path(__file__).parents[2] / "configs" / "measure.yaml")
GRID = Geometry((40, 36, 30), (2.0, 2.0, 2.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
BLOCK = (slice(6, 10), slice(5, 11), slice(7, 12))
"""The tumour on the arterial phase, z, y, x."""
NATIVE_X = 3
"""Voxels along x by which the body lies farther on the native phase."""
HU = {"native": 55.0, "arterial": 70.0, "portal": 110.0}


def _voxels(phase: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Liver of the phase's HU with a deviation of 5; the tumour rises by 1 HU a voxel."""
    z, y, x = np.indices(GRID.shape_zyx)
    voxels = HU[phase] + np.where((x + y + z) % 2 == 0, 5.0, -5.0)
    size = voxels[BLOCK].size
    voxels[BLOCK] = (HU[phase] / 2 + np.arange(size)).reshape(voxels[BLOCK].shape)
    return np.asarray(voxels, dtype=np.float32)


def _visit(modality: Modality = Modality.CT, oil: int = 0) -> Visit:
    row = ScanRow(
        patient_id="P1",
        timepoint=Timepoint.PREOP,
        modality=modality,
        phase="arterial",
        image="i",
        mask="m",
    )
    order = ("arterial", "native", "portal")
    rows = {phase: replace(row, phase=phase) for phase in order}
    cases = {}
    for phase in order:
        voxels, tumour = _voxels(phase), np.zeros(GRID.shape_zyx, dtype=bool)
        tumour[BLOCK] = True
        voxels[tumour] = np.where(np.arange(120) < oil, 400, voxels[tumour])
        shift = NATIVE_X if phase == "native" else 0
        masks = {"tumour": np.roll(tumour, shift, axis=2), "liver": np.ones_like(tumour)}
        scan = Scan(np.roll(voxels, shift, axis=2), GRID, modality)
        regions = {name: Region(mask, GRID, name) for name, mask in masks.items()}
        cases[phase] = PreparedCase(scan, regions, {})
    shifted = Alignment(RigidMotion(translation_mm=(NATIVE_X * 2.0, 0.0, 0.0)))
    registrations = {
        "native": Registration(shifted, RegistrationMethod.RIGID, Quality()),
        "portal": Registration(Alignment(), RegistrationMethod.RIGID, Quality()),
    }
    return Visit(VisitRows(rows, rows), cases, registrations, None, "no place")


def test_values_are_registered_and_in_deviations_from_liver() -> None:
    """The reference liver is a chequerboard of +-5 HU: mean as set, deviation 5."""
    found = sample_visit(_visit(), CONFIG)
    assert not isinstance(found, Missing)
    assert found.phases == PHASES
    assert found.values.shape == (4 * 6 * 5, 3)
    for column, phase in enumerate(PHASES):
        expected = (HU[phase] / 2 + np.arange(120) - HU[phase]) / 5
        assert found.values[:, column] == pytest.approx(expected, abs=0.02)


def test_oil_on_ct_leaves_no_habitats_but_a_reason() -> None:
    """5 % of the tumour may hold oil: 6 of 120 voxels do, 7 are too many."""
    assert not isinstance(sample_visit(_visit(oil=6), CONFIG), Missing)
    found = sample_visit(_visit(oil=7), CONFIG)
    assert isinstance(found, Missing)
    assert found.reason == "lipiodol: 6 % of the tumour is above 150 HU unenhanced"
    assert not isinstance(sample_visit(_visit(Modality.MR, oil=7), CONFIG), Missing)


def test_what_is_wanting_is_said() -> None:
    visit = _visit()
    without = {phase: case for phase, case in visit.phases.items() if phase != "portal"}
    assert sample_visit(replace(visit, phases=without), CONFIG) == Missing("no portal phase")
    failed = Registration(Alignment(), RegistrationMethod.NONE, Quality(), failure="too far")
    registrations = {**visit.registrations, "native": failed}
    found = sample_visit(replace(visit, registrations=registrations), CONFIG)
    assert found == Missing("the native phase is not registered")
    cases = {
        phase: replace(case, regions={"tumour": case.regions["tumour"]})
        for phase, case in visit.phases.items()
    }
    found = sample_visit(replace(visit, phases=cases), CONFIG)
    assert found == Missing("native phase: no reference liver")


def test_a_phase_that_does_not_cover_the_lesion_is_no_part_of_it() -> None:
    visit = _visit()
    far = Alignment(RigidMotion(translation_mm=(-16.0, 0.0, 0.0)))
    moved = Registration(far, RegistrationMethod.RIGID, Quality())
    found = sample_visit(
        replace(visit, registrations={**visit.registrations, "portal": moved}), CONFIG
    )
    # 8 voxels to the left: the first of the 5 columns, x 7, lies outside; 4 x 6 voxels.
    assert found == Missing("portal phase: the image does not cover 24 of 120 tumour voxels")
