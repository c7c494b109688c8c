"""Phases of a lesion laid on each other, and lesions of two examinations in one frame."""

from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copyfile

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk
from registration_phantom import GRID, LIVER_CENTRE_MM, SPACING_MM, Phantom, make_phantom

from pipeline.cases import Preparation
from pipeline.config.prepare import PrepareConfig
from pipeline.config.registration import RegistrationConfig, RegistrationMethod
from pipeline.domain.cohort import ScanRow
from pipeline.domain.errors import CaseError
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan, Timepoint
from pipeline.imaging.alignment import Alignment, RigidMotion
from pipeline.imaging.intensity import IntensityReference
from pipeline.imaging.itk import region_to_itk, to_itk
from pipeline.imaging.liver_reference import LiverReference, draw_sphere
from pipeline.imaging.prepared import PreparedCase
from pipeline.imaging.registration import Registration
from pipeline.imaging.registration_verdict import Quality
from pipeline.response.measured import Missing
from pipeline.store.results import ResultStore
from pipeline.visits import (
    Visit,
    VisitRows,
    centre_in_baseline,
    group_visits,
    load_visit,
    pair_times,
)

ORDER = ("arterial", "portal", "native")
SHIFT_MM = np.array([5.0, -2.5, 8.0])
OFFSET_MM = np.array([300.0, -120.0, 900.0])
LESION_MM = LIVER_CENTRE_MM + np.array([10.0, 5.0, -4.0])


def _row(**named: str) -> ScanRow:
    row = ScanRow(
        patient_id="P1",
        timepoint=Timepoint.BASELINE,
        modality=Modality.CT,
        phase="arterial",
        image="arterial.nii.gz",
        mask="mask.nii.gz",
    )
    return replace(row, **named)  # type: ignore[arg-type]  # mypy cannot match names to fields


def test_phases_come_in_the_given_order_and_unknown_ones_last() -> None:
    rows = [_row(phase=phase) for phase in ("late", "native", "arterial")]
    (visit,) = group_visits(rows, ORDER)
    assert list(visit.rows) == ["arterial", "native", "late"]
    assert visit.reference == "arterial"
    assert visit.key["lesion_id"] == "1"


def test_lesions_times_and_modalities_are_visits_of_their_own() -> None:
    rows = [
        _row(lesion_id="2"),
        _row(lesion_id="1"),
        _row(timepoint=Timepoint.PREOP),
        _row(modality=Modality.MR),
        _row(lesion_id="2", phase="native"),
    ]
    visits = group_visits(rows, ORDER)
    assert [visit.key["lesion_id"] for visit in visits] == ["2", "1", "1", "1"]
    assert list(visits[0].rows) == ["arterial", "native"]


def test_lesions_share_a_registration_only_where_a_liver_mask_makes_their_volumes_alike() -> None:
    drawn = [_row(lesion_id=name, liver_mask="liver.nii.gz") for name in ("2", "1")]
    first, second = group_visits(drawn, ORDER)
    assert first.guides["arterial"] == second.guides["arterial"] == drawn[0]
    spelt = [
        drawn[0],
        replace(drawn[1], image=f"./{drawn[1].image}", liver_mask="x/../liver.nii.gz"),
    ]
    assert [visit.guides["arterial"] for visit in group_visits(spelt, ORDER)] == [drawn[0]] * 2
    alone = [_row(lesion_id="2"), _row(lesion_id="1")]
    assert [visit.guides["arterial"] for visit in group_visits(alone, ORDER)] == alone
    mixed = [_row(lesion_id="2"), _row(lesion_id="1", liver_mask="liver.nii.gz")]
    assert [visit.guides["arterial"] for visit in group_visits(mixed, ORDER)] == mixed
    other = [drawn[0], replace(drawn[1], image="other.nii.gz")]
    assert [visit.guides["arterial"] for visit in group_visits(other, ORDER)] == other


def test_a_later_lesion_is_paired_with_its_namesake_else_with_the_first() -> None:
    rows = [_row(lesion_id="2"), _row(lesion_id="1"), _row(modality=Modality.MR)]
    later = [_row(timepoint=Timepoint.PREOP, lesion_id=name) for name in ("1", "3")]
    other = _row(timepoint=Timepoint.PREOP, patient_id="P2")
    pairs = pair_times(group_visits([*rows, *later, other], ORDER))
    found = [(baseline.key["lesion_id"], preop.key["lesion_id"]) for baseline, preop in pairs]
    assert found == [("1", "1"), ("2", "3")]
    assert {baseline.key["modality"] for baseline, _ in pairs} == {"CT"}


def _case(voxels: npt.NDArray[np.float32], geometry: Geometry) -> PreparedCase:
    tumour = Region(np.ones(geometry.shape_zyx, dtype=np.bool_), geometry, "tumour")
    scan = Scan(voxels, geometry, Modality.CT)
    return PreparedCase(scan, {"tumour": tumour}, {"image": IntensityReference(0.0, 1.0)})


def _visit(shift_mm: tuple[float, float, float], portal: PreparedCase) -> Visit:
    """Return two phases on equal grids, the second known to be shifted."""
    rows = {phase: _row(phase=phase) for phase in ("arterial", "portal")}
    arterial = _case(np.zeros(GRID.shape_zyx, dtype=np.float32), GRID)
    motion = Alignment(RigidMotion(translation_mm=shift_mm))
    found = Registration(motion, RegistrationMethod.RIGID, Quality())
    sphere = draw_sphere(GRID, (0.0, 0.0, 0.0))
    placed = LiverReference(sphere, (0.0, 0.0, 0.0), True, 0.0, 1.0, 20.0)
    phases = {"arterial": arterial, "portal": portal}
    return Visit(VisitRows(rows, rows), phases, {"portal": found}, placed)


def test_a_phase_is_shown_where_it_lies_and_nothing_beyond_it() -> None:
    """A shift by 2, -1 and 3 voxels moves values without interpolation."""
    voxels = np.random.default_rng(0).normal(size=GRID.shape_zyx).astype(np.float32)
    sx, sy, sz = SPACING_MM
    visit = _visit((2 * sx, -sy, 3 * sz), _case(voxels, GRID))
    shown = visit.scan_on_reference("portal")
    assert shown.geometry == GRID
    assert np.allclose(shown.voxels[:-3, 1:, :-2], voxels[3:, :-1, 2:], atol=1e-5)
    assert np.isnan(shown.voxels[-3:]).all()
    assert visit.scan_on_reference("arterial") is visit.phases["arterial"].scan


def test_the_reference_sphere_follows_the_liver_into_each_phase() -> None:
    portal = _case(np.zeros(GRID.shape_zyx, dtype=np.float32), GRID)
    sphere = _visit((25.0, -10.0, 8.0), portal).reference_on("portal")
    assert sphere is not None
    assert np.allclose(sphere.centroid_mm, (25.0, -10.0, 8.0), atol=np.array(SPACING_MM) / 2)
    assert _visit((25.0, 0.0, 300.0), portal).reference_on("portal") is None


def _write(folder: Path, name: str, image: sitk.Image) -> str:
    sitk.WriteImage(image, str(folder / f"{name}.nii.gz"))
    return f"{name}.nii.gz"


def _ball(centre_mm: npt.NDArray[np.float64]) -> Region:
    z, y, x = np.indices(GRID.shape_zyx)
    positions = np.stack([x, y, z], axis=-1) @ GRID.axes_mm.T + GRID.origin_mm
    return Region(np.linalg.norm(positions - centre_mm, axis=-1) <= 12, GRID, "tumour")


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return make_phantom(lambda positions_mm: np.asarray(positions_mm + SHIFT_MM))


@pytest.fixture(scope="module")
def folder(phantom: Phantom, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write both scans, the moved one also as of another examination with the table elsewhere."""
    path = tmp_path_factory.mktemp("cohort")
    x, y, z = (OFFSET_MM + GRID.origin_mm).tolist()
    away = replace(GRID, origin_mm=(x, y, z))
    images = {
        "arterial": phantom.pair.fixed,
        "portal": phantom.pair.moving,
        "preop": replace(phantom.pair.moving, geometry=away),
    }
    livers = (phantom.pair.fixed_liver, phantom.pair.moving_liver, phantom.pair.moving_liver)
    for (name, scan), liver in zip(images.items(), livers, strict=True):
        assert liver is not None
        moved = np.zeros(3) if name == "arterial" else SHIFT_MM
        tumour = replace(_ball(LESION_MM + moved), geometry=scan.geometry)
        _write(path, name, to_itk(replace(scan, voxels=np.rint(scan.voxels).astype(np.int16))))
        _write(path, f"{name}_mask", region_to_itk(tumour))
        _write(path, f"{name}_liver", region_to_itk(replace(liver, geometry=scan.geometry)))
    return path


def _files(name: str, **named: str) -> ScanRow:
    named = {"phase": name} | named
    files = {"mask": f"{name}_mask.nii.gz", "liver_mask": f"{name}_liver.nii.gz"}
    return _row(image=f"{name}.nii.gz", **files, **named)


def _preparation(
    folder: Path, method: RegistrationMethod = RegistrationMethod.RIGID
) -> Preparation:
    config = PrepareConfig(registration=RegistrationConfig(method=method), phase_order=ORDER)
    return Preparation(folder, config, ResultStore(folder / "store"))


def test_a_visit_is_registered_and_its_reference_placed_clear_of_the_lesion(folder: Path) -> None:
    (rows,) = group_visits([_files("portal"), _files("arterial")], ORDER)
    visit = load_visit(rows, _preparation(folder))
    centre = np.array([LESION_MM])
    found = visit.alignment("portal").map_positions(centre) - centre
    assert np.linalg.norm((found - SHIFT_MM) / SPACING_MM) < 0.5
    assert visit.no_placement == ""
    assert visit.placement is not None
    assert np.linalg.norm(np.subtract(visit.placement.centre_mm, LESION_MM)) > 12 + 10
    unregistered = _unregistered(visit)
    tumour = visit.phases["arterial"].regions["tumour"].inside
    other = unregistered.scan_on_reference("portal").voxels[tumour]
    shown = visit.scan_on_reference("portal").voxels[tumour]
    ours = visit.phases["arterial"].scan.voxels[tumour]
    assert np.corrcoef(ours, shown)[0, 1] > np.corrcoef(ours, other)[0, 1] + 0.2


def _unregistered(visit: Visit) -> Visit:
    nothing = Registration(Alignment(), RegistrationMethod.NONE, Quality())
    return replace(visit, registrations={"portal": nothing})


def test_a_lesion_is_found_in_the_coordinates_of_the_baseline(folder: Path) -> None:
    rows = [_files("arterial"), _files("preop", phase="arterial", timepoint=Timepoint.PREOP)]
    baseline, preop = group_visits(rows, ORDER)
    preparation = _preparation(folder)
    plain = centre_in_baseline(load_visit(baseline, preparation), None, preparation)
    assert not isinstance(plain, Missing)
    assert np.allclose(plain, LESION_MM, atol=0.5)
    visit = load_visit(preop, preparation)
    there = visit.phases["arterial"].regions["tumour"].centroid_mm
    assert np.allclose(there, LESION_MM + SHIFT_MM + OFFSET_MM, atol=0.5)
    found = centre_in_baseline(visit, baseline, preparation)
    assert not isinstance(found, Missing)
    assert np.linalg.norm((np.array(found) - plain) / SPACING_MM) < 0.5


def test_a_centre_that_is_not_known_is_missing_with_the_reason(folder: Path) -> None:
    rows = [_files("arterial"), _files("preop", phase="arterial", timepoint=Timepoint.PREOP)]
    baseline, preop = group_visits(rows, ORDER)
    preparation = _preparation(folder)
    visit = load_visit(preop, preparation)
    assert centre_in_baseline(visit, None, preparation) == Missing(
        "no baseline scan of this modality"
    )
    off = _preparation(folder, RegistrationMethod.NONE)
    assert centre_in_baseline(visit, baseline, off) == Missing("registration is switched off")
    strict = replace(
        preparation,
        config=PrepareConfig(registration=RegistrationConfig(smallest_gain_nats=10)),
    )
    assert centre_in_baseline(visit, baseline, strict) == Missing(
        "not registered to the baseline scan"
    )


def test_a_visit_names_the_volumes_it_was_made_of(folder: Path) -> None:
    (rows,) = group_visits([_files("portal"), _files("arterial")], ORDER)
    preparation = _preparation(folder, RegistrationMethod.NONE)
    arterial, portal = preparation.key(_files("arterial")), preparation.key(_files("portal"))
    volumes = [("arterial", arterial), ("portal", portal)]
    assert load_visit(rows, preparation).keys == {"phases": volumes, "guides": volumes}


@dataclass(frozen=True, slots=True)
class _Disturbed(Preparation):
    """Someone writes to an image while the visit is loaded."""

    def load(self, row: ScanRow) -> PreparedCase:
        case = Preparation.load(self, row)
        image = sitk.ReadImage(str(self.images / row.image))
        sitk.WriteImage(image + 1, str(self.images / row.image))
        return case


def test_a_visit_of_two_states_of_its_files_is_refused(folder: Path, tmp_path: Path) -> None:
    for name in ("portal.nii.gz", "portal_mask.nii.gz", "portal_liver.nii.gz"):
        copyfile(folder / name, tmp_path / name)
    (rows,) = group_visits([_files("portal")], ORDER)
    whole = _preparation(folder, RegistrationMethod.NONE)
    disturbed = _Disturbed(tmp_path, whole.config, ResultStore(tmp_path / "store"))
    with pytest.raises(CaseError, match="changed while it was read"):
        load_visit(rows, disturbed)
