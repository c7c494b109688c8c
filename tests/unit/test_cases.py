"""From rows to volumes in memory and registrations in the store."""

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from registration_phantom import GRID, make_phantom

from pipeline import cases, habitat_samples, region_cases
from pipeline.cases import REGISTRATIONS, Preparation, read_case
from pipeline.config.prepare import PrepareConfig
from pipeline.config.registration import RegistrationConfig, RegistrationMethod
from pipeline.domain.cohort import Drawing, ScanRow
from pipeline.domain.scan import Modality, Timepoint
from pipeline.features import engine
from pipeline.features.stability import perturbed
from pipeline.imaging.itk import to_itk
from pipeline.imaging.prepared import prepare_case
from pipeline.imaging.stored_registration import from_bytes, to_bytes
from pipeline.store.results import ResultStore

ROOT = Path(__file__).parents[2]
BOXES = {
    "mask": (slice(10, 14), slice(20, 30), slice(20, 30)),
    "second": (slice(10, 14), slice(40, 45), slice(20, 30)),
    "third": (slice(16, 18), slice(40, 45), slice(40, 50)),
    "liver": (slice(6, 30), slice(15, 50), slice(15, 55)),
    "vessels": (slice(6, 30), slice(32, 34), slice(15, 55)),
    "muscle": (slice(2, 4), slice(60, 64), slice(30, 40)),
}
ROW = ScanRow(
    patient_id="P1",
    timepoint=Timepoint.BASELINE,
    modality=Modality.CT,
    phase="arterial",
    image="fixed.nii.gz",
    mask="mask.nii.gz",
)
FULL = replace(
    ROW,
    liver_mask="liver.nii.gz",
    vessel_mask="vessels.nii.gz",
    muscle_mask="muscle.nii.gz",
    others=(Drawing("second.nii.gz"), Drawing("third.nii.gz", "1")),
)
MOVED = replace(ROW, phase="portal", image="moving.nii.gz")
EMPTY = replace(ROW, phase="native", image="even.nii.gz")


def _write(path: Path, image: sitk.Image) -> None:
    sitk.WriteImage(image, str(path))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    pair = make_phantom(lambda at: np.asarray(at + np.array([5.0, 0.0, 8.0]))).pair
    for name, scan in (("fixed", pair.fixed), ("moving", pair.moving)):
        whole = replace(scan, voxels=np.rint(scan.voxels).astype(np.int16))
        _write(folder / f"{name}.nii.gz", to_itk(whole))
    even = replace(pair.fixed, voxels=np.full(GRID.shape_zyx, 40, dtype=np.int16))
    _write(folder / "even.nii.gz", to_itk(even))
    for name, box in BOXES.items():
        inside = np.zeros(GRID.shape_zyx, dtype=np.uint8)
        inside[box] = 1
        mask = sitk.GetImageFromArray(inside)
        mask.CopyInformation(to_itk(even))
        _write(folder / f"{name}.nii.gz", mask)
    return folder


def _preparation(files: Path, store: Path, **registration: object) -> Preparation:
    config = PrepareConfig(registration=RegistrationConfig.model_validate(registration))
    return Preparation(files, config, ResultStore(store))


def _voxels(*names: str) -> int:
    sizes = [[part.stop - part.start for part in BOXES[name]] for name in names]
    return int(sum(np.prod(size) for size in sizes))


def test_a_row_is_read_with_other_lesions_vessels_and_muscle(files: Path) -> None:
    _, regions = read_case(FULL, files)
    assert {name: region.voxel_count for name, region in regions.items()} == {
        "tumour": _voxels("mask"),
        "other_lesions": _voxels("second", "third"),
        "liver": _voxels("liver"),
        "vessels": _voxels("vessels"),
        "muscle": _voxels("muscle"),
    }
    assert all(region.name == name for name, region in regions.items())


def test_a_united_row_has_one_tumour_of_all_lesions(files: Path) -> None:
    _, regions = read_case(replace(FULL, united=True), files)
    assert regions["tumour"].voxel_count == _voxels("mask", "second", "third")
    assert "other_lesions" not in regions


def test_prepared_volumes_keep_all_regions_but_muscle_which_is_measured(files: Path) -> None:
    scan, regions = read_case(FULL, files)
    case = prepare_case(scan, regions, PrepareConfig(margin_mm=0))
    assert set(case.regions) == {"tumour", "other_lesions", "liver", "vessels"}
    assert case.regions["vessels"].voxel_count == _voxels("vessels")
    muscle = scan.voxels[regions["muscle"].inside]
    assert case.references["muscle"].mean == pytest.approx(muscle.mean())
    sick = regions["tumour"].inside | regions["other_lesions"].inside
    healthy = scan.voxels[regions["liver"].inside & ~sick]
    assert case.references["liver"].mean == pytest.approx(healthy.mean())


def _entries(store: Path) -> list[str]:
    return sorted(path.name for path in store.rglob("*.bin") if REGISTRATIONS.folder in path.parts)


def test_a_registration_is_found_once_and_then_taken_from_the_store(
    files: Path, tmp_path: Path
) -> None:
    preparation = _preparation(files, tmp_path)
    found = preparation.register(ROW, MOVED)
    assert found.method is RegistrationMethod.RIGID
    (entry,) = _entries(tmp_path)
    # Put another result in its place: who computes does not see it.
    key = next(
        path.stem for path in preparation.store.manifests() if REGISTRATIONS.folder in path.parts
    )
    marked = replace(found, failure="marked")
    preparation.store.save(REGISTRATIONS, key, to_bytes(marked), {})
    assert preparation.register(ROW, MOVED).failure == "marked"
    assert preparation.register(MOVED, ROW).failure == ""
    assert len(_entries(tmp_path)) > len([entry])


def test_another_setting_or_examination_is_another_registration(
    files: Path, tmp_path: Path
) -> None:
    _preparation(files, tmp_path).register(ROW, MOVED)
    before = len(_entries(tmp_path))
    _preparation(files, tmp_path, seed=7).register(ROW, MOVED)
    later = replace(MOVED, timepoint=Timepoint.PREOP)
    _preparation(files, tmp_path).register(ROW, later)
    assert len(_entries(tmp_path)) == before + 2


def test_a_failed_registration_is_kept_with_its_reason(files: Path, tmp_path: Path) -> None:
    found = _preparation(files, tmp_path).register(ROW, EMPTY)
    assert found.failed
    assert "the moving scan has one value everywhere" in found.failure
    (manifest,) = (
        path for path in ResultStore(tmp_path).manifests() if REGISTRATIONS.folder in path.parts
    )
    kept = ResultStore(tmp_path).load(REGISTRATIONS, manifest.stem)
    assert kept is not None
    assert from_bytes(kept).failure == found.failure


def test_nothing_is_registered_or_kept_unless_asked_for(files: Path, tmp_path: Path) -> None:
    found = _preparation(files, tmp_path, method="none").register(ROW, MOVED)
    assert (found.method, found.failure) == (RegistrationMethod.NONE, "")
    assert _entries(tmp_path) == []


def test_only_what_changes_volumes_prepares_them_again(files: Path, tmp_path: Path) -> None:
    key = _preparation(files, tmp_path).key(ROW)
    assert _preparation(files, tmp_path, method="deformable", seed=3).key(ROW) == key
    for changed in (PrepareConfig(margin_mm=5), PrepareConfig(bias_field=False)):
        other = Preparation(files, changed, ResultStore(tmp_path))
        assert other.key(ROW) != key
    ordered = PrepareConfig(phase_order=("portal", "arterial"))
    assert Preparation(files, ordered, ResultStore(tmp_path)).key(ROW) == key


def _imported(module: str) -> set[str]:
    """Return the files of a module of this software and all that it imports, but for settings."""
    found: set[str] = set()
    todo = [module]
    while todo:
        name = todo.pop()
        file = f"{name.replace('.', '/')}.py"
        if file not in found and not name.startswith(("pipeline.config", "pipeline.store")):
            found.add(file)
            tree = ast.walk(ast.parse((ROOT / file).read_text()))
            named = [node.module for node in tree if isinstance(node, ast.ImportFrom)]
            todo += [name for name in named if name and name.startswith("pipeline.")]
    return found - {"pipeline/domain/errors.py", "pipeline/domain/problem.py"}  # messages only


@pytest.mark.parametrize(
    ("module", "code"),
    [
        ("pipeline.imaging.prepared", cases._PREPARING_CODE),
        ("pipeline.imaging.registration", cases._REGISTERING_CODE),
        ("pipeline.imaging.perturbation.chain", perturbed._CODE),
        ("pipeline.imaging.habitat_voxels", habitat_samples._CODE),
        ("pipeline.imaging.rings", region_cases._CODE),
        ("pipeline.imaging.intensity", (*engine._CODE["fast"], "pipeline/domain/scan.py")),
    ],
)
def test_all_code_that_decides_a_result_is_in_its_key(module: str, code: tuple[str, ...]) -> None:
    assert all((ROOT / part).exists() for part in code)
    domain = {"pipeline/domain/geometry.py"} if "intensity" in module else set()
    assert {file for file in _imported(module) - domain if not file.startswith(code)} == set()


def test_software_that_prepares_otherwise_shares_no_volume(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    preparation = _preparation(files, tmp_path)
    key = preparation.key(ROW)
    monkeypatch.setattr(cases, "_LIBRARIES", ("numpy", "another"))
    cases._preparing_software.cache_clear()
    try:
        assert preparation.key(ROW) != key
        assert len({preparation.key(ROW), preparation.take(ROW)[0]}) == 1
    finally:
        monkeypatch.undo()
        cases._preparing_software.cache_clear()
    assert preparation.take(ROW)[0] == key
