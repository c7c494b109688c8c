"""A mask that covers all, is the liver, or was resampled is listed by the check."""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk

from pipeline.check import main

CONFIGS = Path(__file__).parents[2] / "configs"
CONFIG = """root: /nowhere
outcome: {column: complete, positive: "== 1"}
resample_masks: true
"""
SHAPE = (10, 20, 20)
BIOMARKERS = str(CONFIGS / "biomarkers.yaml")


def box(margin: int) -> npt.NDArray[np.uint8]:
    mask = np.zeros(SHAPE, np.uint8)
    mask[margin:-margin, margin:-margin, margin:-margin] = 1
    return mask


def write(path: Path, voxels: npt.NDArray[np.generic], x_mm: float = 0.0) -> None:
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing((1, 1, 2))
    image.SetOrigin((x_mm, 0, 0))
    sitk.WriteImage(image, str(path))


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    folder = tmp_path / "cohort"
    folder.mkdir()
    rows = ["patient_id,timepoint,modality,phase,image,mask,liver_mask"]
    for patient in ("P1", "P2"):
        voxels = np.random.default_rng(int(patient[1:])).normal(50, 60, SHAPE).astype(np.int16)
        write(folder / f"{patient}.nii.gz", voxels)
        write(folder / f"{patient}_tumour.nii.gz", box(3))
        write(folder / f"{patient}_liver.nii.gz", box(2))
        files = ",".join(f"{patient}{part}.nii.gz" for part in ("", "_tumour", "_liver"))
        rows.append(f"{patient},preop,CT,portal,{files}")
    (folder / "scans.csv").write_text("\n".join(rows) + "\n")
    (folder / "patients.csv").write_text("patient_id,complete\nP1,1\nP2,0\n")
    (tmp_path / "cohort.yaml").write_text(CONFIG)
    return folder


def check(cohort: Path, *options: str) -> list[dict[str, str]]:
    out = cohort.parent / "problems.json"
    config = str(cohort.parent / "cohort.yaml")
    main(
        [str(cohort), "--config", config, "--biomarkers", BIOMARKERS, "--json", str(out), *options]
    )
    listed: list[dict[str, str]] = json.loads(out.read_text())
    return [problem for problem in listed if problem["patient_id"] == "P1"]


def codes(problems: list[dict[str, str]]) -> set[tuple[str, str, str]]:
    return {(item["code"], item["severity"], item["file"]) for item in problems}


MASK_CODES = {"mask-resampled", "mask-covers-image", "tumour-is-liver", "label-missing"}


def test_sound_masks(cohort: Path) -> None:
    assert not MASK_CODES & {problem["code"] for problem in check(cohort)}


def test_resampled_masks_are_named_with_their_volumes(
    cohort: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(cohort / "P1_tumour.nii.gz", box(3), x_mm=0.5)
    write(cohort / "P1_liver.nii.gz", box(2), x_mm=-0.25)
    page = cohort.parent / "check.html"
    found = [p for p in check(cohort, "--html", str(page)) if p["code"] == "mask-resampled"]
    assert codes(found) == {
        ("mask-resampled", "warning", "P1_tumour.nii.gz"),
        ("mask-resampled", "warning", "P1_liver.nii.gz"),
    }
    got = {problem["file"]: problem["got"] for problem in found}
    # 14 x 14 x 4 voxels of 2 mm3, and 16 x 16 x 6.
    tumour = "corners up to 0.5 mm apart; 1568 mm3 before, 1568 mm3 after (+0.0%)"
    assert got["P1_tumour.nii.gz"].endswith(tumour)
    assert "3072 mm3 before, 3072 mm3 after" in got["P1_liver.nii.gz"]
    for text in (capsys.readouterr().out, page.read_text(encoding="utf-8")):
        assert "mask-resampled" in text
        assert tumour in text


@pytest.mark.parametrize(
    ("mask", "share"), [(np.ones(SHAPE, np.uint8), "1 of"), (1 - box(3), "0.804 of")]
)
def test_a_mask_of_everything_or_of_the_background(
    cohort: Path, mask: npt.NDArray[np.uint8], share: str
) -> None:
    write(cohort / "P1_tumour.nii.gz", mask)
    problems = [item for item in check(cohort) if item["code"] == "mask-covers-image"]
    assert codes(problems) == {("mask-covers-image", "error", "P1_tumour.nii.gz")}
    assert problems[0]["got"] == f"{share} the image, all eight corners"


def test_a_liver_that_covers_a_cropped_image_is_none(cohort: Path) -> None:
    write(cohort / "P1_liver.nii.gz", np.ones(SHAPE, np.uint8))
    assert not MASK_CODES & {problem["code"] for problem in check(cohort)}


def test_the_liver_as_tumour(cohort: Path) -> None:
    write(cohort / "P1_tumour.nii.gz", 255 * box(2))
    found = [item for item in check(cohort) if item["code"] == "tumour-is-liver"]
    assert codes(found) == {("tumour-is-liver", "error", "P1_tumour.nii.gz")}
    assert found[0]["got"] == "the same 1536 voxels"


def test_several_values_without_a_label(cohort: Path) -> None:
    write(cohort / "P1_tumour.nii.gz", box(3) + box(4))
    found = [item for item in check(cohort) if item["code"] == "label-missing"]
    assert codes(found) == {("label-missing", "error", "P1_tumour.nii.gz")}
    assert found[0]["got"] == "1 (496 voxels), 2 (288 voxels)"


def _add_column(cohort: Path, column: str, mask: npt.NDArray[np.uint8]) -> None:
    write(cohort / "organ.nii.gz", mask)
    head, first, *rest = (cohort / "scans.csv").read_text().splitlines()
    lines = [f"{head},{column}", f"{first},organ.nii.gz", *(f"{line}," for line in rest)]
    (cohort / "scans.csv").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("column", ["vessel_mask", "muscle_mask"])
def test_the_field_of_an_empty_mask_of_an_organ_is_to_be_emptied(cohort: Path, column: str) -> None:
    _add_column(cohort, column, np.zeros(SHAPE, np.uint8))
    (found,) = (item for item in check(cohort) if item["code"] == "mask-empty")
    assert found["next_step"] == f"Draw the region, or empty the field {column}."


def _one_voxel(z: int, y: int, x: int) -> npt.NDArray[np.uint8]:
    mask = np.zeros(SHAPE, np.uint8)
    mask[z, y, x] = 1
    return mask


@pytest.mark.parametrize(
    ("column", "mask", "got"),
    [
        ("vessel_mask", box(1), "all 1536 voxels of the liver covered"),
        ("vessel_mask", box(2) - _one_voxel(2, 2, 2), ""),
        ("muscle_mask", _one_voxel(3, 3, 3), "1 voxels in common"),
        ("muscle_mask", _one_voxel(2, 2, 2), ""),
    ],
)
def test_vessels_leave_liver_and_muscle_is_no_tumour(
    cohort: Path, column: str, mask: npt.NDArray[np.uint8], got: str
) -> None:
    _add_column(cohort, column, mask)
    found = [item for item in check(cohort) if item["code"] == "masks-contradict"]
    assert [item["got"] for item in found] == ([got] if got else [])
    assert codes(found) <= {("masks-contradict", "error", "organ.nii.gz")}
