"""What is drawn is what the tables declare, within a voxel."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.ndimage import binary_erosion
from scipy.spatial.distance import pdist

from pipeline.config.demo import DemoConfig
from pipeline.config.loading import load_settings
from pipeline.domain.scan import Modality
from pipeline.synthetic.anatomy import Tissue
from pipeline.synthetic.folder import plan_images
from pipeline.synthetic.lesion import LesionState
from pipeline.synthetic.render import PatientPlan, RenderedVisit, render_patient
from pipeline.synthetic.tables import generate_tables

CONFIG = Path(__file__).parents[2] / "configs/demo.yaml"
SHOWN = LesionState(timepoint="preop", diameter_mm=60.0, viable_fraction=0.4, lipiodol_fraction=0.3)


@pytest.fixture(scope="module")
def config() -> DemoConfig:
    return load_settings(DemoConfig, CONFIG)


def plan_of(state: LesionState, modality: str = "CT", site: str = "A") -> PatientPlan:
    return PatientPlan(
        index=3,
        patient_id="DEMO_004",
        site=site,
        modality=Modality(modality),
        arterial_gain=1.0,
        states=(state,),
    )


@pytest.fixture(scope="module")
def visit(config: DemoConfig) -> RenderedVisit:
    return render_patient(plan_of(SHOWN), config)[0]


def enhancement(visit: RenderedVisit, tissue: Tissue) -> float:
    """Mean of arterial minus native in the inner voxels of a tissue."""
    inner = binary_erosion(visit.tissues == tissue)
    arterial = visit.scans["arterial"].voxels.astype(float)
    return float((arterial - visit.scans["native"].voxels)[inner].mean())


def level(visit: RenderedVisit, phase: str, tissue: Tissue) -> float:
    inner = binary_erosion(visit.tissues == tissue)
    return float(visit.scans[phase].voxels[inner].mean())


def longest_axial_diameter_mm(inside: npt.NDArray[np.bool_], spacing_mm: float) -> float:
    slices = [np.argwhere(plane & ~binary_erosion(plane)) for plane in inside if plane.sum() > 1]
    return max(float(pdist(points).max()) for points in slices) * spacing_mm


def test_viable_fraction_is_the_declared_one(config: DemoConfig) -> None:
    for patient in plan_images(generate_tables(config).truth)[:6]:
        visits = render_patient(patient.plan, config)
        for state, visit in zip(patient.plan.states, visits, strict=True):
            voxels = visit.tumour.voxel_count
            drawn = np.count_nonzero(visit.tissues == Tissue.VIABLE) / voxels
            assert drawn == pytest.approx(state.viable_fraction, abs=0.5 / voxels + 1e-12)


@pytest.mark.parametrize("diameter_mm", [30.0, 60.0, 84.0])
def test_longest_diameter_is_the_declared_one(config: DemoConfig, diameter_mm: float) -> None:
    state = LesionState(timepoint="baseline", diameter_mm=diameter_mm, viable_fraction=0.8)
    visit = render_patient(plan_of(state), config)[0]
    drawn = longest_axial_diameter_mm(visit.tumour.inside, 3.0)
    # Voxel centres lie up to half a voxel inside the outline at either end, along a diagonal.
    assert diameter_mm - 3 * np.sqrt(2) - 1 <= drawn <= 1.03 * diameter_mm


def test_tumour_lies_in_the_liver(visit: RenderedVisit) -> None:
    assert visit.tumour.voxel_count > 500
    assert not (visit.tumour.inside & ~visit.liver.inside).any()
    assert visit.liver.voxel_count > 5 * visit.tumour.voxel_count


def test_living_tissue_enhances_more_than_liver_and_dead_tissue_does_not(
    visit: RenderedVisit,
) -> None:
    liver = enhancement(visit, Tissue.LIVER)
    assert liver == pytest.approx(9, abs=1)
    assert enhancement(visit, Tissue.VIABLE) > liver + 30
    assert enhancement(visit, Tissue.NECROSIS) < liver


def test_living_tissue_washes_out(visit: RenderedVisit) -> None:
    arterial = level(visit, "arterial", Tissue.VIABLE) - level(visit, "arterial", Tissue.LIVER)
    portal = level(visit, "portal", Tissue.VIABLE) - level(visit, "portal", Tissue.LIVER)
    assert arterial > 15
    assert portal < -10


def test_lipiodol_is_dense_on_every_phase(visit: RenderedVisit) -> None:
    deposited = visit.tissues == Tissue.LIPIODOL
    for scan in visit.scans.values():
        assert np.median(scan.voxels[deposited]) > 150


def test_complete_response_on_images_leaves_no_living_voxel(config: DemoConfig) -> None:
    state = LesionState(timepoint="preop", diameter_mm=60.0, viable_fraction=0.0)
    visit = render_patient(plan_of(state), config)[0]
    difference = visit.scans["arterial"].voxels.astype(float) - visit.scans["native"].voxels
    assert abs(difference[binary_erosion(visit.tumour.inside)].mean()) < 2


def test_magnetic_resonance_shows_the_same_enhancement(config: DemoConfig) -> None:
    visit = render_patient(plan_of(SHOWN, "MR", "B"), config)[0]
    assert visit.scans["native"].modality is Modality.MR
    assert min(scan.voxels.min() for scan in visit.scans.values()) >= 0
    liver = enhancement(visit, Tissue.LIVER)
    assert enhancement(visit, Tissue.VIABLE) > 3 * liver > 3 * enhancement(visit, Tissue.NECROSIS)


def test_sites_differ_in_grid_and_noise(config: DemoConfig) -> None:
    state = LesionState(timepoint="preop", diameter_mm=40.0, viable_fraction=0.0)
    deviations = {}
    for site in ("A", "B"):
        visit = render_patient(plan_of(state, site=site), config)[0]
        air = binary_erosion(visit.tissues == Tissue.FAT, iterations=2)
        deviations[site] = visit.scans["native"].voxels[air].std()
        assert visit.tumour.geometry.spacing_mm == config.sites[site].spacing_mm
    assert deviations["A"] == pytest.approx(4, rel=0.1)
    assert deviations["B"] == pytest.approx(6, rel=0.1)


def test_rendering_depends_on_nothing_but_its_arguments(config: DemoConfig) -> None:
    first = render_patient(plan_of(SHOWN), config)[0]
    render_patient(plan_of(SHOWN, "MR"), config)
    again = render_patient(plan_of(SHOWN), config)[0]
    for phase, scan in first.scans.items():
        np.testing.assert_array_equal(scan.voxels, again.scans[phase].voxels)
