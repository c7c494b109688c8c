"""Regions of a visit, drawn by hand on a phantom and found again on every phase."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.spatial import cKDTree

from pipeline.config.loading import load_settings
from pipeline.config.measure import MeasureConfig
from pipeline.config.registration import RegistrationMethod
from pipeline.domain.cohort import ScanRow
from pipeline.domain.errors import CaseError, RegionAbsentError
from pipeline.domain.geometry import Geometry
from pipeline.domain.regions import RegionName
from pipeline.domain.scan import Modality, Region, Scan, Timepoint
from pipeline.imaging.alignment import Alignment, Displacement, RigidMotion
from pipeline.imaging.liver_reference import place_liver_reference
from pipeline.imaging.prepared import PreparedCase
from pipeline.imaging.registration import Registration
from pipeline.imaging.registration_verdict import Quality
from pipeline.regions import find_on_image, find_region
from pipeline.visits import Visit, VisitRows

CONFIG = load_settings(MeasureConfig, Path(__file__).parents[2] / "configs" / "measure.yaml")
SPACING_MM = (2.0, 2.0, 4.0)
GRID = Geometry((70, 60, 25), SPACING_MM, (-69.0, -59.0, -48.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
NATIVE_SHIFT, PORTAL_SHIFT = (2, -1, 1), (-3, 4, -1)
"""Voxels x, y, z by which the body lies elsewhere than on the arterial phase."""
CENTRE_MM, RADIUS_MM = np.array([-20.0, 0.0, 0.0]), 15.0
Mask = npt.NDArray[np.bool_]
Shift = tuple[int, int, int]


def _positions_mm() -> npt.NDArray[np.float64]:
    z, y, x = np.indices(GRID.shape_zyx)
    return np.asarray(np.stack([x, y, z], axis=-1) * SPACING_MM + GRID.origin_mm)


POSITIONS_MM = _positions_mm()


def _ball(centre_mm: npt.NDArray[np.float64], radius_mm: float) -> Mask:
    return np.asarray(np.linalg.norm(POSITIONS_MM - centre_mm, axis=-1) <= radius_mm)


TUMOUR = _ball(CENTRE_MM, RADIUS_MM)
LIVER = np.asarray(np.linalg.norm(POSITIONS_MM / (60, 50, 40), axis=-1) <= 1)
VIABLE = TUMOUR & (POSITIONS_MM[..., 0] < CENTRE_MM[0])
NECROTIC = TUMOUR & ~VIABLE
OILY = _ball(CENTRE_MM + np.array([8.0, 0.0, 0.0]), 5.0) & NECROTIC
NEIGHBOUR = _ball(CENTRE_MM + np.array([0.0, 24.0, 0.0]), 8.0)
VESSELS = LIVER & (np.abs(POSITIONS_MM[..., 1] + 22) < 3)
LIVER_HU = {"arterial": 80, "native": 60, "portal": 110}
VIABLE_HU = {"arterial": 140, "native": 50, "portal": 100}


def _moved(array: npt.NDArray[Any], shift: Shift) -> npt.NDArray[Any]:
    return np.roll(array, shift[::-1], axis=(0, 1, 2))


def _voxels(phase: str) -> npt.NDArray[np.int16]:
    """Return HU with a noise that is the same on all phases: it cancels in their difference."""
    voxels = np.random.default_rng(0).normal(0, 5, GRID.shape_zyx)
    voxels[LIVER] += LIVER_HU[phase]
    voxels[NEIGHBOUR] = 20
    voxels[TUMOUR] = 50
    voxels[VIABLE] = VIABLE_HU[phase]
    voxels[OILY] = 400
    return np.rint(voxels).astype(np.int16)


def _case(phase: str, shift: Shift, modality: Modality = Modality.CT) -> PreparedCase:
    masks = {"tumour": TUMOUR, "liver": LIVER, "other_lesions": NEIGHBOUR, "vessels": VESSELS}
    return PreparedCase(
        scan=Scan(_moved(_voxels(phase), shift), GRID, modality),
        regions={name: Region(_moved(mask, shift), GRID, name) for name, mask in masks.items()},
        references={},
    )


def _registration(shift: Shift) -> Registration:
    x, y, z = (float(steps * mm) for steps, mm in zip(shift, SPACING_MM, strict=True))
    alignment = Alignment(RigidMotion(translation_mm=(x, y, z)))
    return Registration(alignment, RegistrationMethod.RIGID, Quality())


def _visit(modality: Modality = Modality.CT, **shifts: Shift) -> Visit:
    row = ScanRow(
        patient_id="P1",
        timepoint=Timepoint.PREOP,
        modality=modality,
        phase="arterial",
        image="i",
        mask="m",
    )
    every = {"arterial": (0, 0, 0), **shifts}
    rows = {phase: replace(row, phase=phase) for phase in every}
    cases = {phase: _case(phase, shift, modality) for phase, shift in every.items()}
    arterial = cases["arterial"]
    lesions = [arterial.regions[name] for name in ("tumour", "other_lesions")]
    sphere = place_liver_reference(
        arterial.scan, arterial.regions["liver"], lesions, arterial.regions["vessels"]
    )
    registrations = {phase: _registration(shift) for phase, shift in shifts.items()}
    return Visit(VisitRows(rows, rows), cases, registrations, sphere)


VISIT = _visit(native=NATIVE_SHIFT, portal=PORTAL_SHIFT)
SHIFTS = {"arterial": (0, 0, 0), "native": NATIVE_SHIFT, "portal": PORTAL_SHIFT}


def _without(visit: Visit, phase: str, region: str) -> Visit:
    """Return the visit without one of the masks of a phase."""
    case = visit.phases[phase]
    regions = {name: item for name, item in case.regions.items() if name != region}
    return replace(visit, phases={**visit.phases, phase: replace(case, regions=regions)})


@pytest.mark.parametrize("phase", list(SHIFTS))
@pytest.mark.parametrize(
    ("name", "drawn"),
    [
        (RegionName.TUMOUR, TUMOUR),
        (RegionName.LIVER, LIVER),
        (RegionName.VIABLE, VIABLE),
        (RegionName.NECROTIC, NECROTIC),
        (RegionName.LIPIODOL, OILY),
    ],
)
def test_parts_are_found_where_they_were_drawn_on_phases_that_lie_elsewhere(
    name: RegionName, drawn: Mask, phase: str
) -> None:
    region = find_region(name, VISIT, phase, CONFIG)
    np.testing.assert_array_equal(region.inside, _moved(drawn, SHIFTS[phase]))
    assert region.name == name


def test_viable_and_necrotic_part_are_the_tumour() -> None:
    viable, necrotic = (
        find_region(name, VISIT, "arterial", CONFIG).inside
        for name in (RegionName.VIABLE, RegionName.NECROTIC)
    )
    assert not (viable & necrotic).any()
    np.testing.assert_array_equal(viable | necrotic, TUMOUR)


def test_a_voxel_that_the_reference_phase_does_not_call_tumour_is_neither_part() -> None:
    larger = _ball(CENTRE_MM + np.array(PORTAL_SHIFT) * SPACING_MM, RADIUS_MM + 6)
    case = VISIT.phases["portal"]
    regions = {**case.regions, "tumour": Region(larger, GRID, "tumour")}
    visit = replace(VISIT, phases={**VISIT.phases, "portal": replace(case, regions=regions)})
    for name, drawn in ((RegionName.VIABLE, VIABLE), (RegionName.NECROTIC, NECROTIC)):
        region = find_region(name, visit, "portal", CONFIG)
        np.testing.assert_array_equal(region.inside, _moved(drawn, PORTAL_SHIFT))


def test_a_part_is_clipped_to_the_tumour_of_the_phase() -> None:
    smaller = _ball(CENTRE_MM + np.array(PORTAL_SHIFT) * SPACING_MM, RADIUS_MM - 5)
    case = VISIT.phases["portal"]
    regions = {**case.regions, "tumour": Region(smaller, GRID, "tumour")}
    visit = replace(VISIT, phases={**VISIT.phases, "portal": replace(case, regions=regions)})
    region = find_region(RegionName.VIABLE, visit, "portal", CONFIG)
    np.testing.assert_array_equal(region.inside, _moved(VIABLE, PORTAL_SHIFT) & smaller)


def test_a_displacement_carries_a_part_as_a_shift_does() -> None:
    """A field that is the same everywhere is a shift; the grid of the field covers both tumours."""
    vectors = np.broadcast_to(np.multiply(PORTAL_SHIFT, SPACING_MM), (*GRID.shape_zyx, 3))
    bent = Alignment(displacement=Displacement(vectors.astype(np.float32), GRID))
    registration = Registration(bent, RegistrationMethod.DEFORMABLE, Quality())
    visit = replace(VISIT, registrations={**VISIT.registrations, "portal": registration})
    region = find_region(RegionName.VIABLE, visit, "portal", CONFIG)
    np.testing.assert_array_equal(region.inside, _moved(VIABLE, PORTAL_SHIFT))


def test_a_part_keeps_its_volume_on_a_turned_and_finer_grid() -> None:
    """Between grids, the error is within a voxel of either: half a diagonal of both together."""
    fine = Geometry(
        (160, 160, 80), (0.9, 0.9, 1.4), (-95.0, -70.0, -52.0), (1, 0, 0, 0, 1, 0, 0, 0, 1)
    )
    angle = np.deg2rad(10)
    rotation = (np.cos(angle), -np.sin(angle), 0, np.sin(angle), np.cos(angle), 0, 0, 0, 1.0)
    z, y, x = np.indices(fine.shape_zyx)
    positions_mm = np.stack([x, y, z], axis=-1) * fine.spacing_mm + np.array(fine.origin_mm)
    turned_mm = np.reshape(rotation, (3, 3)) @ CENTRE_MM
    inside = np.linalg.norm(positions_mm - turned_mm, axis=-1) <= RADIUS_MM
    case = PreparedCase(
        Scan(np.zeros(fine.shape_zyx, np.int16), fine, Modality.CT),
        {"tumour": Region(inside, fine, "tumour")},
        {},
    )
    motion = Alignment(RigidMotion(rotation=tuple(float(value) for value in rotation)))
    rows = {**VISIT.rows.rows, "delayed": VISIT.rows.rows["arterial"]}
    visit = replace(
        VISIT,
        rows=VisitRows(rows, rows),
        phases={**VISIT.phases, "delayed": case},
        registrations={
            **VISIT.registrations,
            "delayed": Registration(motion, RegistrationMethod.RIGID, Quality()),
        },
    )
    region = find_region(RegionName.VIABLE, visit, "delayed", CONFIG)
    # The half ball in front of the plane through the centre, square to the turned x axis.
    across_mm = (positions_mm[region.inside] - turned_mm) @ np.reshape(rotation, (3, 3))[:, 0]
    h = (np.linalg.norm(SPACING_MM) + np.linalg.norm(fine.spacing_mm)) / 2
    assert across_mm.max() <= h
    half_ball = 2 / 3 * np.pi
    assert half_ball * (RADIUS_MM - 2 * h) ** 3 < region.volume_mm3
    assert region.volume_mm3 < half_ball * (RADIUS_MM + h) ** 3


@pytest.mark.parametrize("name", [RegionName.RING_5MM, RegionName.RING_10MM])
@pytest.mark.parametrize("phase", ["arterial", "portal"])
def test_a_ring_is_liver_near_the_tumour_without_lesions_and_vessels(
    name: RegionName, phase: str
) -> None:
    width_mm = 5.0 if name is RegionName.RING_5MM else 10.0
    distance_mm, _ = cKDTree(POSITIONS_MM[TUMOUR]).query(POSITIONS_MM.reshape(-1, 3))
    near = np.reshape(distance_mm, GRID.shape_zyx) <= width_mm
    expected = near & LIVER & ~TUMOUR & ~NEIGHBOUR & ~VESSELS
    assert (near & NEIGHBOUR & LIVER).any()
    region = find_region(name, VISIT, phase, CONFIG)
    np.testing.assert_array_equal(region.inside, _moved(expected, SHIFTS[phase]))
    assert region.name == name


def test_a_ring_in_a_liver_all_around_has_the_volume_of_a_shell() -> None:
    """Bounds as derived in ``test_imaging_rings``; h is half a voxel's diagonal."""
    regions = {
        "tumour": Region(TUMOUR, GRID, "tumour"),
        "liver": Region(np.ones(GRID.shape_zyx, dtype=bool), GRID, "liver"),
    }
    ring = find_on_image(RegionName.RING_10MM, regions)
    h = float(np.linalg.norm(SPACING_MM)) / 2
    sphere = 4 / 3 * np.pi
    upper = sphere * ((RADIUS_MM + 10 + h) ** 3 - (RADIUS_MM - h) ** 3)
    lower = sphere * ((RADIUS_MM + 10 - 3 * h) ** 3 - (RADIUS_MM + h) ** 3)
    assert lower < ring.volume_mm3 < upper


@pytest.mark.parametrize("phase", list(SHIFTS))
def test_reference_liver_is_one_sphere_on_all_phases(phase: str) -> None:
    region = find_region(RegionName.LIVER_REFERENCE, VISIT, phase, CONFIG)
    arterial = find_region(RegionName.LIVER_REFERENCE, VISIT, "arterial", CONFIG)
    np.testing.assert_array_equal(region.inside, _moved(arterial.inside, SHIFTS[phase]))
    assert region.volume_mm3 == pytest.approx(1000, rel=0.2)
    moved_liver = _moved(LIVER & ~TUMOUR & ~NEIGHBOUR & ~VESSELS, SHIFTS[phase])
    assert not (region.inside & ~moved_liver).any()


def test_what_does_not_enhance_has_no_viable_part_and_is_necrotic_throughout() -> None:
    strict = CONFIG.model_copy(update={"enhancing_minimum_hu": 200.0})
    with pytest.raises(RegionAbsentError, match="no viable region: the tumour has none on the art"):
        find_region(RegionName.VIABLE, VISIT, "portal", strict)
    necrotic = find_region(RegionName.NECROTIC, VISIT, "portal", strict)
    np.testing.assert_array_equal(necrotic.inside, _moved(TUMOUR, PORTAL_SHIFT))


@pytest.mark.parametrize(
    ("name", "visit", "reason"),
    [
        (RegionName.VIABLE, _visit(portal=PORTAL_SHIFT), "no viable region: no native phase"),
        (RegionName.NECROTIC, _visit(portal=PORTAL_SHIFT), "no necrotic region: no native phase"),
        (RegionName.LIPIODOL, _visit(portal=PORTAL_SHIFT), "no lipiodol region: no native phase"),
        (
            RegionName.LIPIODOL,
            _visit(Modality.MR, native=NATIVE_SHIFT, portal=PORTAL_SHIFT),
            "no lipiodol region: lipiodol is measured on CT, the image is MR",
        ),
        (RegionName.LIVER, _without(VISIT, "portal", "liver"), "no liver region: no liver mask"),
        (RegionName.RING_5MM, _without(VISIT, "portal", "liver"), "no ring_5mm region: no liver"),
        (
            RegionName.LIVER_REFERENCE,
            replace(VISIT, placement=None, no_placement="no place"),
            "no liver_reference region: no place",
        ),
    ],
)
def test_a_region_that_a_lesion_does_not_have_says_why(
    name: RegionName, visit: Visit, reason: str
) -> None:
    with pytest.raises(RegionAbsentError, match=reason):
        find_region(name, visit, "portal", CONFIG)


def test_lipiodol_below_the_threshold_is_none() -> None:
    high = CONFIG.model_copy(update={"lipiodol_hu": 400.5})
    with pytest.raises(
        RegionAbsentError, match="no lipiodol region: the tumour has none on the nat"
    ):
        find_region(RegionName.LIPIODOL, VISIT, "portal", high)


def test_an_empty_tumour_is_a_failure_not_an_absent_region() -> None:
    empty = {**VISIT.phases["portal"].regions}
    empty["tumour"] = replace(empty["tumour"], inside=np.zeros_like(TUMOUR))
    with pytest.raises(CaseError, match="all regions are empty") as caught:
        find_on_image(RegionName.RING_5MM, empty)
    assert not isinstance(caught.value, RegionAbsentError)
