import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from pipeline import cases
from pipeline.domain.cohort import ScanRow
from pipeline.domain.scan import Region, Scan
from pipeline.extract import main
from pipeline.ingest import source_memory
from pipeline.stages import extract as extract_stage
from pipeline.stages import prepare as prepare_stage
from pipeline.store.results import STORE_VARIABLE

ROOT = Path(__file__).parents[2]
PARAMETERS = "imageType: {Original: {}}\nfeatureClass: {firstorder: [Mean, Range], shape: }\n"
KEYS = ["patient_id", "timepoint", "modality", "phase", "lesion_id", "region"]


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep every test's results apart."""
    folder = tmp_path / "store"
    monkeypatch.setenv(STORE_VARIABLE, str(folder))
    return folder


def _write(path: Path, voxels: "np.typing.NDArray[np.generic]") -> None:
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing((2.0, 2.0, 3.0))
    sitk.WriteImage(image, str(path))


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    """Four patients, one scan each; a mask with two labels; each patient one HU brighter."""
    folder = tmp_path / "cohort"
    folder.mkdir()
    mask = np.zeros((10, 12, 14), dtype=np.uint8)
    mask[2:6, 3:8, 4:9] = 1
    mask[7:9, 3:8, 4:9] = 2
    noise = np.random.default_rng(0).integers(0, 100, mask.shape).astype(np.int16)
    rows = []
    for number in range(4):
        _write(folder / f"{number}_image.nrrd", noise + np.int16(number))
        _write(folder / f"{number}_mask.nrrd", mask)
        files = f"{number}_image.nrrd,{number}_mask.nrrd"
        rows.append(f"P{number},preop,CT,portal,{files},1")
    header = "patient_id,timepoint,modality,phase,image,mask,mask_label"
    (folder / "scans.csv").write_text("\n".join([header, *rows]) + "\n")
    lines = ["patient_id,necrosis_percent", *(f"P{number},100" for number in range(4))]
    (folder / "patients.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def parameters(tmp_path: Path) -> str:
    """Few features, fast."""
    file = tmp_path / "parameters.yaml"
    file.write_text(PARAMETERS)
    return str(file)


def _stored(store: Path, kind: str = "features") -> dict[str, int]:
    return {path.stem: path.stat().st_mtime_ns for path in store.glob(f"{kind}/*/*.json")}


def test_one_case_gives_a_header_and_one_row(cohort: Path, parameters: str, store: Path) -> None:
    out = cohort / "features.csv"
    files = ["--image", str(cohort / "1_image.nrrd"), "--mask", str(cohort / "1_mask.nrrd")]
    assert main([*files, "--config", parameters, "--out", str(out)]) == 0
    with out.open(newline="") as stream:
        (header, row) = csv.reader(stream)
    voxels = sitk.GetArrayFromImage(sitk.ReadImage(str(cohort / "1_image.nrrd")))[2:6, 3:8, 4:9]
    values = dict(zip(header, map(float, row), strict=True))
    assert len(values) == 16
    assert values["original_firstorder_Mean"] == voxels.mean()
    assert values["original_shape_VoxelVolume"] == 100 * 12
    assert not store.exists()


def test_the_label_chooses_the_region(cohort: Path, parameters: str) -> None:
    out = cohort / "features.csv"
    files = ["--image", str(cohort / "1_image.nrrd"), "--mask", str(cohort / "1_mask.nrrd")]
    assert main([*files, "--label", "2", "--config", parameters, "--out", str(out)]) == 0
    assert pd.read_csv(out)["original_shape_VoxelVolume"].tolist() == [50 * 12]
    Path(parameters).write_text(PARAMETERS + "setting: {label: 2}\n")
    assert main([*files, "--config", parameters, "--out", str(out)]) == 0
    assert pd.read_csv(out)["original_shape_VoxelVolume"].tolist() == [50 * 12]


def test_a_default_label_among_others_is_said(
    cohort: Path, parameters: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--config", parameters, "--out", str(cohort / "features.csv")]
    files = ["--image", str(cohort / "1_image.nrrd"), "--mask", str(cohort / "1_mask.nrrd")]
    assert main([*files, *out]) == 0
    assert "label 1 taken" in (said := capsys.readouterr().err)
    assert "1_mask.nrrd also holds 2. --label chooses." in said
    assert main([*files, "--label", "1", *out]) == 0
    assert "taken" not in capsys.readouterr().err


def test_messages_of_one_case_say_which_option_the_column_is(
    cohort: Path, parameters: str, capsys: pytest.CaptureFixture[str]
) -> None:
    mask = np.zeros((10, 12, 14), dtype=np.uint8)
    mask[2:6, 3:8, 4:9] = 7
    _write(cohort / "seven.nrrd", mask)
    out = ["--config", parameters, "--out", str(cohort / "features.csv")]
    files = ["--image", str(cohort / "1_image.nrrd"), "--mask", str(cohort / "seven.nrrd")]
    option = "(Of one case, mask_label is the option --label.)"
    for label, problem in (
        ([], "Write 7 as mask_label in scans.csv, or correct the mask."),
        (["--label", "0"], "no region of mask_label 0, which is the background"),
        (["--label", "GTV"], "has voxel values, and mask_label is a name"),
    ):
        assert main([*files, *label, *out]) == 1
        said = capsys.readouterr().err
        assert problem in said
        assert option in said


def test_a_users_mistake_is_a_message_and_exit_code_1(
    cohort: Path, parameters: str, capsys: pytest.CaptureFixture[str]
) -> None:
    files = ["--image", str(cohort / "absent.nrrd"), "--mask", str(cohort / "1_mask.nrrd")]
    out = cohort / "features.csv"
    assert main([*files, "--config", parameters, "--out", str(out)]) == 1
    assert "absent.nrrd" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(
    "arguments",
    [["--cohort", "a", "--image", "b"], ["--image", "a"], ["--cohort", "a", "--jobs=0"]],
)
def test_wrong_usage_is_exit_code_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([*arguments, "--config", "p", "--out", "o"])


def test_a_cohort_gives_the_same_bytes_whatever_the_number_of_workers(
    cohort: Path, parameters: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for jobs in ("1", "2"):
        monkeypatch.setenv(STORE_VARIABLE, str(tmp_path / f"store{jobs}"))
        arguments = ["--cohort", str(cohort), "--config", parameters, "--jobs", jobs]
        assert main([*arguments, "--out", str(tmp_path / jobs)]) == 0
    for name in ("features.csv", "features.parquet", "failures.csv"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()
    table = pd.read_csv(tmp_path / "1" / "features.csv", dtype={"lesion_id": str})
    assert list(table.columns[:6]) == KEYS
    assert table["patient_id"].tolist() == ["P0", "P1", "P2", "P3"]
    assert table["region"].tolist() == ["tumour"] * 4
    steps = table["original_firstorder_Mean"].diff().dropna()
    assert np.allclose(steps, 1.0)
    pd.testing.assert_frame_equal(table, pd.read_parquet(tmp_path / "1" / "features.parquet"))


def test_bad_cases_are_listed_and_the_others_complete(
    cohort: Path, parameters: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (cohort / "1_image.nrrd").write_bytes(b"NRRD0005\nrubbish")
    empty = np.zeros((10, 12, 14), dtype=np.uint8)
    _write(cohort / "2_mask.nrrd", empty[:9])
    with (cohort / "scans.csv").open("a") as stream:
        stream.write("P3,yesterday,CT,arterial,3_image.nrrd,3_mask.nrrd,1\n")
    arguments = ["--cohort", str(cohort), "--config", parameters, "--jobs", "2"]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 3
    assert pd.read_csv(tmp_path / "out" / "features.csv")["patient_id"].tolist() == ["P0", "P3"]
    failures = pd.read_csv(tmp_path / "out" / "failures.csv").set_index("patient_id")
    assert sorted(failures.index) == ["P1", "P2", "P3"]
    assert str(failures.loc["P1", "reason"]).startswith("1_image.nrrd: is damaged or incomplete")
    assert not failures["reason"].str.contains(str(cohort), regex=False).any()
    assert "yesterday" in str(failures.loc["P3", "reason"])
    assert failures["code"].notna().all()
    assert "3 of 5 cases failed" in caplog.text


def test_a_second_run_computes_nothing_and_a_mended_case_only_itself(
    cohort: Path, parameters: str, tmp_path: Path, store: Path
) -> None:
    intact = (cohort / "1_image.nrrd").read_bytes()
    (cohort / "1_image.nrrd").write_bytes(intact[:200])
    arguments = ["--cohort", str(cohort), "--config", parameters, "--jobs", "1", "--out"]
    assert main([*arguments, str(tmp_path / "first")]) == 3
    before = _stored(store)
    assert len(before) == 3
    (cohort / "1_image.nrrd").write_bytes(intact)
    assert main([*arguments, str(tmp_path / "second")]) == 0
    after = _stored(store)
    assert len(after) == 4
    assert before.items() <= after.items()
    assert main([*arguments, str(tmp_path / "third")]) == 0
    assert _stored(store) == after
    assert (tmp_path / "third" / "features.csv").read_bytes() == (
        tmp_path / "second" / "features.csv"
    ).read_bytes()


def test_help_starts_fast_because_it_imports_nothing_heavy() -> None:
    heavy = {"numpy", "pandas", "SimpleITK", "radiomics"}
    code = f"import sys, pipeline.extract; print(sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def _stage_arguments(cohort: Path, folder: Path, policy: str) -> list[str]:
    config = folder / "cohort.yaml"
    outcome = "outcome: {column: necrosis_percent, positive: '>= 100'}"
    config.write_text(f"root: {cohort}\npolicy: {policy}\n{outcome}\n")
    (folder / "extraction_ct.yaml").write_text(PARAMETERS)
    (folder / "prepare.yaml").write_text("margin_mm: 3\n")
    return ["--cohort", str(cohort), "--cohort-config", str(config), "--jobs", "1"]


def test_stages_prepare_and_extract_share_the_store(
    cohort: Path, tmp_path: Path, store: Path
) -> None:
    shared = _stage_arguments(cohort, tmp_path, "strict")
    prepare = str(tmp_path / "prepare.yaml")
    index, table = tmp_path / "prepared.parquet", tmp_path / "radiomics.parquet"
    outs = ["--out", str(index), "--registrations-out", str(tmp_path / "registrations.parquet")]
    assert prepare_stage.main([*shared, "--config", prepare, *outs]) == 0
    prepared = _stored(store, "prepared")
    extract = [*shared, "--config-dir", str(tmp_path), "--prepare-config", prepare]
    assert extract_stage.main([*extract, "--out", str(table)]) == 0
    assert prepared == _stored(store, "prepared")
    rows = pd.read_parquet(index)
    assert rows["key"].isin(list(prepared)).all()
    assert rows["tumour_voxels"].tolist() == [100] * 4
    assert rows["size_x"].tolist() == [5 + 2 * 2] * 4
    features = pd.read_parquet(table)
    assert list(features.columns[:6]) == KEYS
    assert np.allclose(features["original_firstorder_Mean"].diff().dropna(), 1.0)
    assert (tmp_path / "radiomics_failures.csv").read_text().startswith("patient_id,timepoint")


@pytest.mark.parametrize(("policy", "code"), [("strict", 3), ("exclude", 0)])
def test_a_failed_case_stops_a_strict_run_and_is_listed_in_both(
    cohort: Path, tmp_path: Path, policy: str, code: int
) -> None:
    (cohort / "1_image.nrrd").write_bytes(b"")
    shared = _stage_arguments(cohort, tmp_path, policy)
    index = tmp_path / "prepared.parquet"
    prepare = ["--config", str(tmp_path / "prepare.yaml"), "--out", str(index)]
    others = ["--registrations-out", str(tmp_path / "registrations.parquet")]
    assert prepare_stage.main([*shared, *prepare, *others]) == code
    assert pd.read_parquet(index)["patient_id"].tolist() == ["P0", "P2", "P3"]
    failures = pd.read_csv(tmp_path / "prepared_failures.csv")
    assert failures["patient_id"].tolist() == ["P1"]
    assert failures["reason"].tolist()[0].startswith("1_image.nrrd: ")


def test_an_interrupted_run_resumes_with_what_is_missing(
    cohort: Path, parameters: str, tmp_path: Path, store: Path
) -> None:
    """A run that dies after two cases leaves two results; the next computes the other two."""
    code = (
        "import os, sys\n"
        "from pipeline import extract\n"
        "from pipeline.features.fast import engine\n"
        "plain, seen = engine.FastEngine.extract, []\n"
        "def dying(*arguments):\n"
        "    seen.append(1)\n"
        "    return os._exit(9) if len(seen) == 3 else plain(*arguments)\n"
        "engine.FastEngine.extract = dying\n"
        "extract.main(sys.argv[1:])\n"
    )
    arguments = ["--cohort", str(cohort), "--config", parameters, "--jobs", "1"]
    out = ["--out", str(tmp_path / "out")]
    died = subprocess.run([sys.executable, "-c", code, *arguments, *out], cwd=ROOT, check=False)
    assert died.returncode == 9
    assert not (tmp_path / "out").exists()
    before = _stored(store)
    assert len(before) == 2
    assert main([*arguments, *out]) == 0
    assert before.items() <= _stored(store).items()
    assert len(_stored(store)) == 4
    assert (tmp_path / "out" / "features.csv").is_file()


def test_files_that_change_while_they_are_read_are_not_remembered(
    cohort: Path, parameters: str, tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_memory, "_SETTLED_AFTER_NS", 0)
    read_case = cases.read_case

    def read_while_changing(row: ScanRow, images: Path) -> tuple[Scan, dict[str, Region]]:
        found = read_case(row, images)
        if row.patient_id == "P2":
            (images / row.image).touch()
        return found

    monkeypatch.setattr(cases, "read_case", read_while_changing)
    arguments = ["--cohort", str(cohort), "--config", parameters, "--jobs", "1", "--out"]
    assert main([*arguments, str(tmp_path / "out")]) == 0
    assert len(_stored(store)) == 4
    assert len(_stored(store, "sources")) == 3


def test_too_little_memory_is_said_and_limits_the_processes(
    cohort: Path,
    parameters: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("pipeline.executor.machine.available_memory_bytes", lambda: 100_000_000)
    arguments = ["--cohort", str(cohort), "--config", parameters]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().err
    assert "extract: 4 cases, 1 process of about 0.4 GB" in said
    assert "extract: only 0.1 GB of memory are free, so processes may be killed." in said
