"""The stability stage on small scans: what is stable, what is kept, what failed."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import SimpleITK as sitk
import yaml

from pipeline.cases import Preparation
from pipeline.config.extraction import ExtractionParameters, load_extraction_parameters
from pipeline.config.prepare import PrepareConfig
from pipeline.config.stability import PerturbationSettings, StabilityConfig
from pipeline.domain.cohort import ScanRow
from pipeline.domain.scan import Modality, Timepoint
from pipeline.features.extraction import FEATURES, plan_extraction
from pipeline.features.stability import perturbed
from pipeline.imaging.perturbation.chain import perturb
from pipeline.stages.stability import StabilityInputs, main, run
from pipeline.store.results import ResultStore

CONFIGS = Path(__file__).parents[2] / "configs"
SHAPE_ZYX, SPACING_MM = (20, 36, 36), (2.0, 2.0, 4.0)
CONFIG = StabilityConfig(cases=4, perturbations=3)


def write(path: Path, voxels: npt.NDArray[np.int16]) -> str:
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(SPACING_MM)
    sitk.WriteImage(image, str(path))
    return path.name


def ellipsoid(radius_mm: float, shift_mm: float = 0.0) -> npt.NDArray[np.int16]:
    z, y, x = np.indices(SHAPE_ZYX)
    centre = np.stack([x - 17.5 + shift_mm / 2, y - 17.5, z - 9.5], axis=-1) * SPACING_MM
    inside: npt.NDArray[np.int16] = (np.linalg.norm(centre, axis=-1) <= radius_mm).astype(np.int16)
    return inside


@pytest.fixture
def rows(tmp_path: Path) -> list[ScanRow]:
    """Five patients whose tumours differ in size and brightness, and a sixth with one voxel."""
    found = []
    for number in range(6):
        inside = ellipsoid(10 + 2 * number) if number < 5 else np.zeros(SHAPE_ZYX, dtype=np.int16)
        inside[10, 18, 18] = 1
        noise = np.random.default_rng(number).normal(scale=6, size=SHAPE_ZYX)
        voxels = np.rint(60 + (30 + 8 * number) * inside + noise).astype(np.int16)
        row = ScanRow(
            patient_id=f"P{number}",
            timepoint=Timepoint.PREOP,
            modality=Modality.CT,
            phase="portal",
            image=write(tmp_path / f"image{number}.nii.gz", voxels),
            mask=write(tmp_path / f"mask{number}.nii.gz", inside),
        )
        found.append(row)
    return found


def parameters(tmp_path: Path) -> ExtractionParameters:
    content = yaml.safe_load((CONFIGS / "extraction_ct.yaml").read_text())
    content["featureClass"] = {"shape": ["MeshVolume", "Sphericity"], "firstorder": ["Mean"]}
    path = tmp_path / "extraction_ct.yaml"
    path.write_text(yaml.safe_dump(content))
    return load_extraction_parameters(path)


def inputs(tmp_path: Path, config: StabilityConfig = CONFIG) -> StabilityInputs:
    store = ResultStore(tmp_path / "store")
    preparation = Preparation(tmp_path, PrepareConfig(margin_mm=20), store)
    return StabilityInputs(preparation, {Modality.CT: parameters(tmp_path)}, config)


def test_size_and_brightness_are_stable_across_such_tumours(
    rows: list[ScanRow], tmp_path: Path
) -> None:
    config = StabilityConfig(cases=5, perturbations=4)
    table = run(rows[:5], inputs(tmp_path, config), jobs=1).rows.set_index("feature")
    icc = table["icc"].to_dict()
    assert icc["original_firstorder_Mean"] > 0.9
    assert icc["original_shape_MeshVolume"] > 0.9
    assert icc["original_shape_Sphericity"] < 0.8  # all are balls
    assert table["n_cases"].tolist() == [5, 5, 5]
    assert table["failed"].tolist() == [0, 0, 0]


def test_the_numbers_are_those_of_the_perturbed_scans(rows: list[ScanRow], tmp_path: Path) -> None:
    """Done again step by step for one case, from the files."""
    given = inputs(tmp_path)
    run(rows[:2], given, jobs=1)
    preparation = given.preparation
    prepared = preparation.load(rows[1])
    extraction = plan_extraction(given.parameters[Modality.CT])
    case = perturbed.PerturbedCase(
        rows[1].case_id, preparation.key(rows[1]), lambda: pytest.fail("not in the store"), 20.0
    )
    outcomes = perturbed.extract_perturbed(case, extraction, CONFIG, preparation.store)
    seen = set()
    for outcome in outcomes:
        assert outcome.result is not None
        seen.add(outcome.result["original_shape_MeshVolume"])
        # No liver, so preparation has cut to the tumour and the margin already.
        assert 0.6 < outcome.result["original_shape_MeshVolume"] / (4 / 3 * np.pi * 12**3) < 1.5
    assert len(seen) == 3
    entropy = (CONFIG.seed, perturbed.digest(rows[1].case_id), 2)
    scan, region = perturb(
        prepared.scan,
        prepared.regions["tumour"],
        PerturbationSettings(),
        np.random.SeedSequence(entropy),
    )
    expected = extraction.compute(scan, region, prepared.references)
    assert outcomes[2].result == expected


def test_processes_and_patients_left_out_do_not_change_a_case(
    rows: list[ScanRow], tmp_path: Path
) -> None:
    one = run(rows[:4], inputs(tmp_path), jobs=1)
    (tmp_path / "again").mkdir()
    fresh = inputs(tmp_path)
    elsewhere = replace(fresh.preparation, store=ResultStore(tmp_path / "again/store"))
    two = run(rows[:4], replace(fresh, preparation=elsewhere), jobs=2)
    pd.testing.assert_frame_equal(one.rows, two.rows, check_exact=True)


def test_what_is_in_the_store_is_not_computed_again(
    rows: list[ScanRow], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = inputs(tmp_path)
    calls: list[int] = []

    def counted(*arguments: object) -> object:
        calls.append(1)
        return perturb(*arguments)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(perturbed, "perturb", counted)
    first = run(rows[:2], given, jobs=1)
    assert len(calls) == 6
    manifests = list((tmp_path / "store" / FEATURES.folder).glob("*/*.json"))
    assert len(manifests) == 6
    manifests[0].unlink()  # as if the run had been stopped before this one
    again = run(rows[:2], given, jobs=1)
    assert len(calls) == 7
    pd.testing.assert_frame_equal(first.rows, again.rows, check_exact=True)
    more = replace(given, config=CONFIG.model_copy(update={"perturbations": 4}))
    run(rows[:2], more, jobs=1)
    assert len(calls) == 9  # one more of each
    wider = CONFIG.perturbation.model_copy(update={"volume_percent": 20.0})
    run(rows[:2], replace(given, config=CONFIG.model_copy(update={"perturbation": wider})), jobs=1)
    assert len(calls) == 15


def test_lost_regions_and_unreadable_scans_are_listed_and_counted(
    rows: list[ScanRow], tmp_path: Path
) -> None:
    absent = replace(rows[0], image="absent.nii.gz")
    table = run([absent, rows[1], rows[2], rows[5]], inputs(tmp_path), jobs=1)
    reasons = table.failures.groupby("patient_id")["reason"].agg(list)
    assert [reason[:16] for reason in reasons["P5"]] == [f"perturbation {n}: " for n in range(3)]
    assert all("left nothing of the tumour region" in reason for reason in reasons["P5"])
    assert len(reasons["P0"]) == 3
    assert all("absent.nii.gz" in reason for reason in reasons["P0"])
    assert not table.failures["reason"].str.contains(str(tmp_path), regex=False).any()
    assert table.rows["failed"].tolist() == [6, 6, 6]
    assert table.rows["n_cases"].tolist() == [2, 2, 2]


def test_two_readers(rows: list[ScanRow], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pairs = []
    for number, row in enumerate(rows[:4]):
        drawn = ellipsoid(10.5 + 2 * number, shift_mm=1.0)
        second = replace(row, mask=write(tmp_path / f"second{number}.nii.gz", drawn))
        pairs.append((row, second))
    lost = (rows[4], replace(rows[4], mask="absent.nii.gz"))
    again = [replace(row, lesion_id="2") for row in pairs[0]]  # another lesion of a patient
    given = replace(inputs(tmp_path), pairs=[*pairs, lost, (again[0], again[1])])
    table = run(rows[:3], given, jobs=1)
    assert "1 of 6 second masks left out" in caplog.text
    assert table.rows["n_left_out_same_patient"].tolist() == [1, 1, 1]
    (volume,) = table.rows[table.rows["feature"] == "original_shape_MeshVolume"].to_dict("records")
    assert 0.9 < volume["icc_2_1"] < volume["icc_3_1"] < 1  # the second reader draws wider
    assert volume["n_read"] == 4
    (failure,) = table.failures.to_dict("records")
    assert failure["patient_id"] == "P4"
    assert failure["reason"].startswith("mask 2 of 2: ")
    assert str(tmp_path) not in failure["reason"]


def write_project(rows: list[ScanRow], folder: Path) -> list[str]:
    cohort = folder / "cohort"
    cohort.mkdir()
    names = ["patient_id", "timepoint", "modality", "phase", "image", "mask"]
    table = pd.DataFrame([{name: getattr(row, name) for name in names} for row in rows])
    table.to_csv(cohort / "scans.csv", index=False)
    pd.DataFrame({"patient_id": [row.patient_id for row in rows]}).to_csv(
        cohort / "patients.csv", index=False
    )
    parameters(folder)
    (folder / "stability.yaml").write_text(yaml.safe_dump({"cases": 2, "perturbations": 2}))
    (folder / "prepare.yaml").write_text((CONFIGS / "prepare.yaml").read_text())
    settings = {"root": str(folder), "outcome": {"column": "complete", "positive": "== 1"}}
    (folder / "cohort.yaml").write_text(yaml.safe_dump(settings))
    return [
        "--config", str(folder / "stability.yaml"),
        "--prepare-config", str(folder / "prepare.yaml"), "--config-dir", str(folder),
        "--cohort", str(cohort), "--cohort-config", str(folder / "cohort.yaml"),
        "--out", str(folder / "out/stability.parquet"), "--jobs", "1",
    ]  # fmt: skip


def test_the_command_writes_table_and_failures(
    rows: list[ScanRow],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("NECROSIS_STORE", str(tmp_path / "store"))
    command = write_project([*rows[:2]], tmp_path)
    assert main(command) == 0
    table = pd.read_parquet(tmp_path / "out/stability.parquet")
    assert table["feature"].tolist() == [
        "original_shape_MeshVolume", "original_shape_Sphericity", "original_firstorder_Mean",
    ]  # fmt: skip
    assert len(pd.read_csv(tmp_path / "out/stability_failures.csv")) == 0
    second = tmp_path / "second.csv"
    second.write_text("patient_id,timepoint,modality,phase,mask\nP7,preop,CT,portal,mask1.nii.gz\n")
    assert main([*command, "--second-masks", str(second)]) == 1
    assert "P7/preop/CT/portal/1" in capsys.readouterr().err


def test_a_phase_with_nothing_left_stops_a_strict_run(
    rows: list[ScanRow], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NECROSIS_STORE", str(tmp_path / "store"))
    assert main(write_project([rows[5]], tmp_path)) == 3
    table = pd.read_parquet(tmp_path / "out/stability.parquet")
    assert set(table["reason"]) == {"no case has a value"}


def test_the_shipped_settings_are_the_defaults() -> None:
    shipped = yaml.safe_load((CONFIGS / "stability.yaml").read_text())
    assert StabilityConfig.model_validate(shipped) == StabilityConfig()
    assert json.loads(StabilityConfig().model_dump_json()).keys() == shipped.keys()
