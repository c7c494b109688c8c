"""The stage writes a complete, labelled, reproducible cohort folder."""

from hashlib import sha256
from pathlib import Path

import pandas as pd
import pytest
import SimpleITK as sitk

from pipeline.stages.synthesize import main

CONFIG = Path(__file__).parents[2] / "configs/demo.yaml"


def make(folder: Path, patients: int = 3, jobs: int = 1) -> int:
    return main(
        [
            *("--config", str(CONFIG), "--out", str(folder)),
            *("--patients", str(patients), "--jobs", str(jobs)),
        ]
    )


def hashes(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("synthetic") / "demo"
    assert make(path) == 0
    return path


def test_every_file_of_the_scan_table_exists(folder: Path) -> None:
    scans = pd.read_csv(folder / "scans.csv")
    named = {*scans["image"], *scans["mask"], *scans["liver_mask"]}
    written = {str(path.relative_to(folder)) for path in folder.glob("images/*/*")}
    assert written == named


def test_two_runs_give_the_same_bytes_whatever_the_processes(folder: Path, tmp_path: Path) -> None:
    assert make(tmp_path / "again", jobs=2) == 0
    assert hashes(tmp_path / "again") == hashes(folder)


def test_images_say_that_they_are_synthetic(folder: Path) -> None:
    for path in folder.glob("images/*/*.nii.gz"):
        assert sitk.ReadImage(str(path)).GetMetaData("descrip") == "synthetic, not evidence"


def test_images_are_int16_in_hu_and_masks_hold_zero_and_one(folder: Path) -> None:
    image = sitk.ReadImage(str(folder / "images/DEMO_001/preop_native.nii.gz"))
    mask = sitk.ReadImage(str(folder / "images/DEMO_001/preop_tumour.nii.gz"))
    assert image.GetPixelID() == sitk.sitkInt16
    assert set(sitk.GetArrayViewFromImage(mask).ravel().tolist()) == {0, 1}
    assert image.GetOrigin() == mask.GetOrigin()


def test_folder_says_what_it_is(folder: Path) -> None:
    text = (folder / "SYNTHETIC.md").read_text()
    assert text.startswith("# Synthetic cohort: synthetic, not evidence")
    assert "3 patients" in text


def test_patients_are_labelled(folder: Path) -> None:
    patients = pd.read_csv(folder / "patients.csv")
    assert set(patients["data_origin"]) == {"synthetic, not evidence"}


def test_an_earlier_demo_is_replaced_whole(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    assert make(out, patients=2) == 0
    assert make(out, patients=1) == 0
    assert [path.name for path in (out / "images").iterdir()] == ["DEMO_001"]
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


def test_a_folder_of_someone_else_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("data")
    assert make(tmp_path) == 1
    assert "is not a synthetic cohort" in capsys.readouterr().err
    assert (tmp_path / "mine.txt").read_text() == "data"


def test_an_impossible_number_of_patients_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert make(tmp_path / "demo", patients=0) == 1
    assert "key patients" in capsys.readouterr().err
