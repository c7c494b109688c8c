"""The command on a small tree laid out as WAW-TACE is published."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
from waw_tace_tree import lesion, scan, write_image, write_waw_tace

from pipeline.ingest.__main__ import main
from pipeline.ingest.collections.cohort_folder import MARKER
from pipeline.ingest.collections.waw_tace import find_release


@pytest.fixture
def release(tmp_path: Path) -> Path:
    write_waw_tace(tmp_path / "waw")
    return tmp_path / "waw"


def run(release: Path, *options: str) -> tuple[int, Path]:
    out = release.parent / "cohort"
    arguments = [str(release), "--format", "waw-tace", "--out", str(out), "--jobs", "1", *options]
    return main(arguments), out


def test_lesions_become_rows_on_their_phase(release: Path) -> None:
    code, out = run(release)
    assert code == 0
    scans = pd.read_csv(out / "scans.csv", dtype=str)
    keys = scans[["patient_id", "timepoint", "modality", "phase", "lesion_id"]].values.tolist()
    assert keys == [
        ["WAW_007", "baseline", "CT", "arterial", "1"],
        ["WAW_007", "baseline", "CT", "arterial", "2"],
        ["WAW_012", "baseline", "CT", "portal", "1"],
    ]
    assert scans["image"].nunique() == 2
    image = sitk.ReadImage(str(out / scans["image"][0]))
    assert image.GetPixelIDValue() == sitk.sitkInt16
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), scan(1))
    for row, expected in zip(scans["mask"][:2], (lesion(1, 2, 2), lesion(3, 6, 8)), strict=True):
        np.testing.assert_array_equal(
            sitk.GetArrayFromImage(sitk.ReadImage(str(out / row))), expected
        )


def test_everything_else_is_listed(release: Path) -> None:
    _, out = run(release)
    report = pd.read_csv(out / "ingest_report.csv", dtype=str, keep_default_na=False)
    unused = report[report["fate"] == "not used"]
    without_mask = unused[unused["reason"] == "no mask of the tumour"]["source"]
    assert list(without_mask) == [f"7_{phase}_scan.nii.gz" for phase in (0, 2, 3)]
    assert (unused["reason"] == "automatic organ labels, not a scan").sum() == 1


def test_a_named_pipe_is_no_scan(release: Path) -> None:
    os.mkfifo(release / "ct_scans_2" / "12" / "12_1_scan.nii.gz")
    assert ("12", "1") not in find_release(release).scans


def test_a_mask_of_another_phase_is_refused_and_the_phase_named(release: Path) -> None:
    masks = release / "tumor_masks_wawtace_v1_08_05_2024" / "7"
    moved = (0.0, 0.0, 20.0)
    write_image(release / "ct_scans_1" / "7" / "7_2_scan.nii.gz", scan(2), moved)
    write_image(masks / "7_1_1_tumor_seg.nrrd", lesion(3, 6, 8), moved)
    code, out = run(release)
    assert code == 3
    report = pd.read_csv(out / "ingest_report.csv", dtype=str, keep_default_na=False)
    failed = report[report["fate"] == "failed"]
    assert list(failed["source"]) == ["7_1_1_tumor_seg.nrrd"]
    assert "corners up to 20 mm apart" in failed["reason"].iloc[0]
    assert "on the grid of the phase portal" in failed["reason"].iloc[0]
    scans = pd.read_csv(out / "scans.csv", dtype=str)
    assert list(scans["lesion_id"]) == ["1", "1"]


def test_it_is_resampled_when_asked(release: Path) -> None:
    masks = release / "tumor_masks_wawtace_v1_08_05_2024" / "12"
    write_image(masks / "12_2_0_tumor_seg.nrrd", lesion(2, 4, 4), (0.0, 0.0, 5.0))
    code, out = run(release, "--resample-masks")
    assert code == 0
    scans = pd.read_csv(out / "scans.csv", dtype=str).set_index("patient_id")
    mask = sitk.GetArrayFromImage(sitk.ReadImage(str(out / scans["mask"]["WAW_012"])))
    np.testing.assert_array_equal(mask, lesion(3, 4, 4))  # one slice of 5 mm further
    report = pd.read_csv(out / "ingest_report.csv", dtype=str, keep_default_na=False)
    reasons = report.query("fate == 'used'").set_index("patient_id")["reason"]
    # 18 voxels of 4 x 4 x 5 mm
    assert reasons["WAW_012"].startswith("mask of tumour 1 resampled: ")
    assert "5 mm" in reasons["WAW_012"]
    assert reasons["WAW_012"].endswith("; 1440 mm3 before, 1440 mm3 after")
    assert reasons["WAW_007"] == ""


def test_a_damaged_scan_fails_alone(release: Path) -> None:
    file = release / "ct_scans_2" / "12" / "12_2_scan.nii.gz"
    file.write_bytes(file.read_bytes()[:200])
    code, out = run(release)
    assert code == 3
    assert set(pd.read_csv(out / "scans.csv")["patient_id"]) == {"WAW_007"}
    patients = pd.read_csv(out / "patients.csv")
    assert list(patients["patient_id"]) == ["WAW_007", "WAW_012"]


def test_an_output_folder_with_content_is_left_alone(
    release: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = release.parent / "cohort"
    out.mkdir()
    (out / "mine.txt").write_text("keep")
    assert run(release)[0] == 1
    assert "not empty" in capsys.readouterr().err
    assert [file.name for file in out.iterdir()] == ["mine.txt"]


def test_nothing_usable_leaves_the_report_only(
    release: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    masks = {file: file.read_bytes() for file in release.rglob("*_tumor_seg.nrrd")}
    for file in masks:
        file.unlink()
    code, out = run(release)
    assert code == 1
    problems = [line.strip() for line in capsys.readouterr().err.splitlines() if "[" in line]
    assert len(problems) == 2  # the first is of the labels of organs
    assert problems[1] == (
        "[nothing-to-import] 5 entries of 2 patients: no mask of the tumour: expected an image with"
        " a mask of the tumour, got nothing that can be used. Unpack the archive of the tumour"
        " masks below the source."
    )
    assert sorted(item.name for item in out.parent.iterdir()) == ["cohort", "waw"]
    assert [item.name for item in out.iterdir()] == ["ingest_report.csv"]
    for file, content in masks.items():
        file.write_bytes(content)
    assert run(release)[0] == 0  # the report of nothing is in nobody's way
    assert len(pd.read_csv(out / "scans.csv")) == 3


def test_notes_are_no_failures_of_a_source_without_images(
    release: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in release.rglob("*.n*"):
        file.unlink()
    code, out = run(release)
    assert code == 1
    printed = capsys.readouterr().err
    (problem,) = [line for line in printed.splitlines() if "[" in line]
    assert "none found below the source; looked for files named as 7_1_scan.nii.gz" in problem
    assert "--tumour" not in problem
    fates = pd.read_csv(out / "ingest_report.csv")["fate"].value_counts().to_dict()
    assert fates["failed"] == 1
    assert set(fates) == {"failed", "note"}


def test_an_output_folder_that_cannot_be_made_is_an_error(
    release: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (release.parent / "file").write_text("")
    out = release.parent / "file" / "cohort"
    assert main([str(release), "--format", "waw-tace", "--out", str(out)]) == 1
    assert "cannot be made (Not a directory). Name another folder" in capsys.readouterr().err


def test_what_a_killed_import_left_is_replaced(release: Path) -> None:
    left_over = release.parent / "cohort.partial"
    left_over.mkdir()
    (left_over / MARKER).write_text("")
    (left_over / "scans.csv").write_text("half")
    code, out = run(release)
    assert code == 0
    assert len(pd.read_csv(out / "scans.csv")) == 3
    assert not left_over.exists()
    assert not (out / MARKER).exists()


def test_a_folder_that_only_looks_left_over_is_kept(
    release: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = release.parent / "cohort.partial"
    mine.mkdir()
    (mine / "notes.txt").write_text("keep")
    assert run(release)[0] == 1
    assert "not one of ours" in capsys.readouterr().err
    assert (mine / "notes.txt").read_text() == "keep"


@pytest.mark.parametrize(
    "options",
    [("--key", "k.csv"), ("--pseudonyms", "p.csv"), ("--jobs", "0"), ("--format", "nifti")],
)
def test_wrong_usage_is_exit_code_2(release: Path, options: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(release, *options)


def test_the_output_may_not_lie_in_the_source(release: Path) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([str(release), "--format", "waw-tace", "--out", str(release / "cohort")])


def test_the_folder_does_not_depend_on_the_number_of_processes(release: Path) -> None:
    _, first = run(release)
    contents = {
        file.relative_to(first): file.read_bytes() for file in first.rglob("*") if file.is_file()
    }
    first.rename(release.parent / "first")
    _, again = run(release, "--jobs", "2")
    assert contents == {
        file.relative_to(again): file.read_bytes() for file in again.rglob("*") if file.is_file()
    }
