"""Features of a region are those of its mask, drawn by hand, by the single-case command."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import SimpleITK as sitk

from pipeline import extract as extract_command
from pipeline.cases import Preparation
from pipeline.config.assemble import LesionRule
from pipeline.config.extraction import load_extraction_parameters
from pipeline.config.loading import load_settings
from pipeline.config.measure import MeasureConfig
from pipeline.config.prepare import PrepareConfig
from pipeline.config.registration import RegistrationConfig, RegistrationMethod
from pipeline.domain.cohort import ScanRow
from pipeline.domain.lesions import link_lesions
from pipeline.domain.regions import RegionName
from pipeline.domain.scan import Modality, Timepoint
from pipeline.ingest.cohort import read_cohort
from pipeline.region_cases import RegionCase, RegionLoader, list_region_cases
from pipeline.stages import extract as extract_stage
from pipeline.store.results import STORE_VARIABLE, ResultStore

MEASURE_FILE = Path(__file__).parents[2] / "configs" / "measure.yaml"
MEASURE = load_settings(MeasureConfig, MEASURE_FILE)
PREPARE = PrepareConfig(registration=RegistrationConfig(method=RegistrationMethod.NONE))
SHAPE_ZYX, SPACING_MM = (26, 60, 80), np.array([2.0, 2.0, 4.0])
PARAMETERS = """\
featureClass: {shape: [VoxelVolume], firstorder: , glcm: [Contrast]}
setting: {binWidth: 25}
"""
Mask = npt.NDArray[np.bool_]


def _positions_mm() -> npt.NDArray[np.float64]:
    z, y, x = np.indices(SHAPE_ZYX)
    return np.asarray(np.stack([x, y, z], axis=-1) * SPACING_MM)


POSITIONS_MM = _positions_mm()


def _ball(centre_mm: tuple[float, float, float], radius_mm: float) -> Mask:
    return np.asarray(np.linalg.norm(POSITIONS_MM - np.array(centre_mm), axis=-1) <= radius_mm)


LIVER = np.pad(np.ones(np.array(SHAPE_ZYX) - (4, 6, 6), dtype=bool), ((2, 2), (3, 3), (3, 3)))
FIRST, SECOND = _ball((50, 60, 50), 14), _ball((50, 90, 50), 9)
VIABLE = FIRST & (POSITIONS_MM[..., 0] < 50)
OILY = FIRST & (POSITIONS_MM[..., 0] >= 56)


def _voxels(phase: str) -> npt.NDArray[np.int16]:
    voxels = np.random.default_rng(1).normal(60, 12, SHAPE_ZYX)
    voxels[~LIVER] = -80
    voxels[FIRST | SECOND] -= 15
    if phase == "arterial":
        voxels[VIABLE] += 60
    voxels[OILY] += 400
    return np.rint(voxels).astype(np.int16)


def _write(path: Path, voxels: npt.NDArray[np.generic]) -> str:
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing([float(mm) for mm in SPACING_MM])
    sitk.WriteImage(image, str(path))
    return path.name


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ResultStore:
    monkeypatch.setenv(STORE_VARIABLE, str(tmp_path / "store"))
    return ResultStore(tmp_path / "store")


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    """P1 has two lesions on three phases; P2 one, without liver mask and native phase."""
    folder = tmp_path / "cohort"
    folder.mkdir()
    masks = {"liver": LIVER, "m1": FIRST, "m2": SECOND}
    files = {
        name: _write(folder / f"{name}.nii.gz", mask.astype(np.uint8))
        for name, mask in masks.items()
    }
    rows = ["patient_id,timepoint,modality,phase,image,mask,lesion_id,liver_mask"]
    for phase in ("native", "arterial", "portal"):
        image = _write(folder / f"{phase}.nii.gz", _voxels(phase))
        for lesion in ("1", "2"):
            tail = f"{image},{files[f'm{lesion}']},{lesion},{files['liver']}"
            rows.append(f"P1,preop,CT,{phase},{tail}")
    image = _write(folder / "p2.nii.gz", _voxels("arterial")[:, ::-1])
    rows.append(f"P2,preop,CT,arterial,{image},{files['m2']},1,")
    (folder / "scans.csv").write_text("\n".join(rows) + "\n")
    (folder / "patients.csv").write_text("patient_id,necrosis_percent\nP1,100\nP2,0\n")
    return folder


def _parameters(folder: Path, *regions: str) -> Path:
    file = folder / "extraction_ct.yaml"
    file.write_text(f"{PARAMETERS}pipeline: {{regions: [{', '.join(regions)}]}}\n")
    return file


def _run(
    folder: Path, store: ResultStore, file: Path, rule: LesionRule | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    cohort, _ = read_cohort(folder)
    parameters = {Modality.CT: load_extraction_parameters(file)}
    settings = extract_stage.ExtractSettings(PREPARE, parameters, MEASURE, rule)
    table = extract_stage.run(cohort, settings, store, jobs=1)
    return table.rows, table.failures


def _extract_mask(folder: Path, image: str, mask: Mask) -> pd.Series:
    """Return the features that the single-case command gives for a mask file."""
    _write(folder / "region.nii.gz", mask.astype(np.uint8))
    config, out = folder / "plain.yaml", folder / "one.csv"
    config.write_text(PARAMETERS)
    files = ["--image", str(folder / image), "--mask", str(folder / "region.nii.gz")]
    assert extract_command.main([*files, "--config", str(config), "--out", str(out)]) == 0
    return pd.read_csv(out).iloc[0]


def test_every_region_has_the_features_of_its_own_mask(
    cohort: Path, tmp_path: Path, store: ResultStore
) -> None:
    file = _parameters(tmp_path, *RegionName)
    rows, failures = _run(cohort, store, file)
    found = rows[(rows["patient_id"] == "P1") & (rows["lesion_id"] == "1")]
    drawn = {
        "tumour": FIRST,
        "liver": LIVER,
        "viable": VIABLE,
        "necrotic": FIRST & ~VIABLE,
        "lipiodol": OILY,
        **_derived(cohort, store, file, "ring_5mm", "ring_10mm", "liver_reference"),
    }
    assert sorted(found["region"].unique()) == sorted(RegionName)
    assert len(found) == 3 * len(RegionName)
    for row in found[found["phase"] != "native"].to_dict("records"):
        expected = _extract_mask(cohort, f"{row['phase']}.nii.gz", drawn[row["region"]])
        for name, value in expected.items():
            assert row[str(name)] == pytest.approx(value, rel=1e-9), (row["region"], name)
    assert set(failures["code"]) == {"region-absent"}


def _derived(folder: Path, store: ResultStore, file: Path, *names: str) -> Mapping[str, Mask]:
    """Return regions on the grid of the files: the prepared one is a part of it."""
    cohort, _ = read_cohort(folder)
    loader = RegionLoader(Preparation(folder, PREPARE, store), MEASURE)
    masks = {}
    for case in list_region_cases(cohort.scans, {Modality.CT: load_extraction_parameters(file)}):
        if case.region in names and case.key["lesion_id"] == "1" and case.row.phase == "portal":
            name, prepared, region = loader.load(case)
            assert name == loader.name(case)
            start = np.rint(np.array(prepared.scan.geometry.origin_mm) / SPACING_MM).astype(int)
            corner = [(s, s + n) for s, n in zip(start[::-1], region.inside.shape, strict=True)]
            masks[str(case.region)] = np.pad(
                region.inside,
                [(a, full - b) for (a, b), full in zip(corner, SHAPE_ZYX, strict=True)],
            )
    ball = _ball((50, 60, 50), 24) & LIVER & ~FIRST & ~SECOND
    assert masks["ring_10mm"].sum() == pytest.approx(ball.sum(), rel=0.1)
    assert not (masks["ring_10mm"] & ~ball & ~_ball((50, 60, 50), 26)).any()
    return masks


@pytest.mark.usefixtures("store")
def test_absent_regions_are_listed_with_their_reason_and_stop_no_strict_run(
    cohort: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _parameters(tmp_path, "tumour", "ring_10mm", "lipiodol")
    arguments = _stage_arguments(cohort, tmp_path)
    assert extract_stage.main([*arguments, "--measure-config", str(MEASURE_FILE)]) == 0
    failures = pd.read_csv(tmp_path / "out_failures.csv", dtype=str)
    failures = failures[failures["patient_id"] == "P2"]
    assert failures[["region", "code", "reason"]].to_numpy().tolist() == [
        ["ring_10mm", "region-absent", "no ring_10mm region: no liver mask"],
        ["lipiodol", "region-absent", "no lipiodol region: no native phase"],
    ]
    note = "note: no lipiodol region: no native phase: 1 of 21 cases, not counted as failed."
    assert note in caplog.text
    assert "cases failed" not in caplog.text
    (cohort / "p2.nii.gz").write_bytes(b"")
    assert extract_stage.main([*arguments, "--measure-config", str(MEASURE_FILE)]) == 3
    assert "3 of 21 cases failed" in caplog.text


@pytest.mark.usefixtures("store")
def test_regions_of_a_visit_need_the_settings_of_measure(
    cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = _stage_arguments(cohort, tmp_path)
    _parameters(tmp_path, "tumour", "ring_5mm")
    assert extract_stage.main(arguments) == 0
    _parameters(tmp_path, "tumour", "viable")
    assert extract_stage.main(arguments) == 1
    assert "expected --measure-config (configs/measure.yaml), got none" in capsys.readouterr().err


def _stage_arguments(cohort: Path, folder: Path) -> list[str]:
    config, prepare = folder / "cohort.yaml", folder / "prepare.yaml"
    outcome = "outcome: {column: necrosis_percent, positive: '>= 100'}"
    config.write_text(f"root: {cohort}\npolicy: strict\n{outcome}\n")
    prepare.write_text("registration: {method: none}\n")
    return [
        *("--cohort", str(cohort), "--cohort-config", str(config), "--jobs", "1"),
        *("--config-dir", str(folder), "--prepare-config", str(prepare)),
        *("--out", str(folder / "out.parquet")),
    ]


def test_under_the_rule_union_the_lesions_together_are_one_more_lesion(
    cohort: Path, tmp_path: Path, store: ResultStore
) -> None:
    file = _parameters(tmp_path, "tumour")
    rows, _ = _run(cohort, store, file, LesionRule.UNION)
    plain, _ = _run(cohort, store, file, LesionRule.LARGEST)
    both = rows[(rows["lesion_id"] == "all") & (rows["phase"] == "portal")].iloc[0]
    expected = _extract_mask(cohort, "portal.nii.gz", FIRST | SECOND)
    for name, value in expected.items():
        assert both[str(name)] == pytest.approx(value, rel=1e-9), name
    pd.testing.assert_frame_equal(plain, rows[rows["lesion_id"] != "all"].reset_index(drop=True))


def test_the_key_of_a_region_tells_all_that_decides_it(
    cohort: Path, tmp_path: Path, store: ResultStore
) -> None:
    cases = {region: _case(cohort, tmp_path, region) for region in RegionName}

    def names(prepare: PrepareConfig, measure: MeasureConfig) -> dict[RegionName, str]:
        loader = RegionLoader(Preparation(cohort, prepare, store), measure)
        return {region: loader.name(case) for region, case in cases.items()}

    before = names(PREPARE, MEASURE)
    assert names(PREPARE, MEASURE) == before
    # Tumour and liver are told apart by the name of the region, which the features' key adds.
    assert len(set(before.values())) == len(RegionName) - 1
    rigid = RegistrationConfig(method=RegistrationMethod.RIGID)
    laid = names(PREPARE.model_copy(update={"registration": rigid}), MEASURE)
    judged = names(PREPARE, MEASURE.model_copy(update={"enhancing_minimum_hu": 30.0}))
    _write(cohort / "native.nii.gz", _voxels("native") + np.int16(1))
    for after in (laid, judged, names(PREPARE, MEASURE)):
        changed = {region for region in RegionName if after[region] != before[region]}
        assert changed == {region for region in RegionName if region.needs_visit}


def _case(folder: Path, scratch: Path, region: RegionName) -> RegionCase:
    """Return the case of the first lesion on the portal phase."""
    cohort, _ = read_cohort(folder)
    parameters = {Modality.CT: load_extraction_parameters(_parameters(scratch, region))}
    cases = list_region_cases(cohort.scans, parameters, PREPARE.phase_order)
    (case,) = (
        one
        for one in cases
        if one.row.phase == "portal" and one.key["lesion_id"] == "1"
        if one.row.patient_id == "P1"
    )
    return case


def test_regions_of_a_visit_go_to_one_process_and_others_each_alone(tmp_path: Path) -> None:
    row = ScanRow(
        patient_id="P1",
        timepoint=Timepoint.PREOP,
        modality=Modality.CT,
        phase="arterial",
        image="a",
        mask="m",
    )
    scans = link_lesions([row, replace(row, phase="portal", image="b")])
    file = _parameters(tmp_path, "tumour", "viable", "lipiodol")
    cases = list_region_cases(scans, {Modality.CT: load_extraction_parameters(file)})
    groups = [case.together for case in cases]
    assert groups[1] == groups[2] == groups[4] == groups[5]
    assert len({groups[0], groups[1], groups[3]}) == 3


@pytest.mark.usefixtures("store")
def test_what_one_image_cannot_give_is_refused(
    cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    single = ["--image", str(cohort / "portal.nii.gz"), "--mask", str(cohort / "m1.nii.gz")]
    whole = ["--cohort", str(cohort)]
    for where, region in ((single, "ring_10mm"), (whole, "viable")):
        config = str(_parameters(tmp_path, "tumour", region))
        out = str(tmp_path / "refused")
        assert extract_command.main([*where, "--config", config, "--out", out]) == 1
        said = capsys.readouterr().err
        assert f"key pipeline.regions: {region} cannot be found here" in said
        assert not (tmp_path / "refused").exists()


def test_the_cohort_command_finds_the_rings_of_the_stage(
    cohort: Path, tmp_path: Path, store: ResultStore
) -> None:
    file = _parameters(tmp_path, "tumour", "ring_10mm")
    rows, _ = _run(cohort, store, file)
    arguments = ["--cohort", str(cohort), "--config", str(file), "--jobs", "1", "--out"]
    for out in (tmp_path / "first", tmp_path / "again"):
        assert extract_command.main([*arguments, str(out)]) == 0
        mine = pd.read_csv(out / "features.csv", dtype={"lesion_id": str})
        pd.testing.assert_frame_equal(mine, rows, rtol=1e-9)
        failures = pd.read_csv(out / "failures.csv", dtype=str)
        assert failures[["patient_id", "region", "code"]].to_numpy().tolist() == [
            ["P2", "ring_10mm", "region-absent"]
        ]
