"""Each thing that can be wrong with paths, images and masks is found, and nothing else."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import SimpleITK as sitk

from pipeline.config.cohort import CohortConfig
from pipeline.domain.cohort import Cohort, ScanRow
from pipeline.domain.problem import Problem
from pipeline.domain.reading import Reading
from pipeline.domain.scan import Modality, Timepoint
from pipeline.ingest.checks import find_problems
from pipeline.ingest.scan_rows import KNOWN_PHASES

SPACING_MM = (1.0, 1.0, 2.0)
ROW = ScanRow(
    patient_id="P1",
    timepoint=Timepoint.PREOP,
    modality=Modality.CT,
    phase="portal",
    image="image.nii.gz",
    mask="mask.nii.gz",
)
PATIENTS = pd.DataFrame({"patient_id": ["P1", "P2"], "complete": [1, 0]})
Array = npt.NDArray[np.generic]


def make_config(**changes: object) -> CohortConfig:
    content = {"root": ".", "outcome": {"column": "complete", "positive": "== 1"}, **changes}
    return CohortConfig.model_validate(content)


def write(path: Path, voxels: Array, origin: tuple[float, float, float] = (0, 0, 0)) -> None:
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(SPACING_MM)
    image.SetOrigin(origin)
    path.parent.mkdir(exist_ok=True)
    sitk.WriteImage(image, str(path))


def ct() -> npt.NDArray[np.int16]:
    """Return voxels between -100 and 199 HU, shape 8 x 10 x 12 (z, y, x)."""
    return (np.arange(8 * 10 * 12).reshape(8, 10, 12) % 300 - 100).astype(np.int16)


def box() -> npt.NDArray[np.uint8]:
    """Return a mask of 4 x 4 x 4 voxels (128 mm3) away from the edge."""
    mask = np.zeros((8, 10, 12), np.uint8)
    mask[2:6, 3:7, 4:8] = 1
    return mask


@pytest.fixture
def cohort(tmp_path: Path) -> Cohort:
    write(tmp_path / "image.nii.gz", ct())
    write(tmp_path / "mask.nii.gz", box())
    return Cohort(tmp_path, (ROW,), PATIENTS, pd.DataFrame())


def check(cohort: Cohort, *rows: ScanRow, **changes: object) -> list[Problem]:
    scans = rows or cohort.scans
    return find_problems(replace(cohort, scans=scans), make_config(**changes), jobs=1)


def test_a_sound_cohort(cohort: Cohort) -> None:
    assert check(cohort) == []


def _as_float_with_nan(image: Array) -> Array:
    changed = image.astype(np.float32)
    changed[0, 0, 0] = np.nan
    return changed


@pytest.mark.parametrize(
    ("change", "modality", "code", "got", "is_error"),
    [
        (np.zeros_like, "CT", "image-constant", "0 everywhere", True),
        (_as_float_with_nan, "CT", "non-finite", "1 NaN or infinite voxels", True),
        (lambda a: a.astype(np.int32) * 200, "CT", "values-implausible", "from -20000 to", True),
        (lambda a: a + 1024, "CT", "values-implausible", "from 924 to 1223", True),
        (lambda a: a + 1000.0, "PT", "values-implausible", "from 900 to 1199", False),
    ],
)
def test_voxels_of_the_image(
    cohort: Cohort,
    change: Callable[[Array], Array],
    modality: str,
    code: str,
    got: str,
    is_error: bool,
) -> None:
    write(cohort.root / "image.nii.gz", change(ct()))
    (problem,) = check(cohort, replace(ROW, modality=Modality(modality)))
    assert (problem.code, problem.is_error) == (code, is_error)
    assert got in problem.got
    assert (problem.patient_id, problem.file) == ("P1", "image.nii.gz")


def test_mr_values_are_arbitrary(cohort: Cohort) -> None:
    write(cohort.root / "image.nii.gz", ct() + 5000.0)
    assert check(cohort, replace(ROW, modality=Modality.MR)) == []


def test_mask_on_another_grid_is_measured(cohort: Cohort) -> None:
    write(cohort.root / "mask.nii.gz", box(), origin=(0, 0, 1.5))
    (problem,) = check(cohort)
    assert problem.code == "mask-off-grid"
    assert problem.got == ("origin_mm (0, 0, 1.5) instead of (0, 0, 0); corners up to 1.5 mm apart")


def test_liver_mask_on_another_grid(cohort: Cohort) -> None:
    write(cohort.root / "liver.nii.gz", np.ones((8, 10, 11), np.uint8))
    (problem,) = check(cohort, replace(ROW, liver_mask="liver.nii.gz"))
    assert (problem.code, problem.file) == ("mask-off-grid", "liver.nii.gz")
    assert problem.got == "size (11, 10, 8) voxels instead of (12, 10, 8) (x, y, z)"


@pytest.mark.parametrize(
    ("column", "name"), [("vessel_mask", "vessels"), ("muscle_mask", "muscle")]
)
def test_vessel_and_muscle_masks_are_read_and_judged(
    cohort: Cohort, column: str, name: str
) -> None:
    row = replace(ROW, **{column: "organ.nii.gz"})  # type: ignore[arg-type] # columns of text
    organ = np.roll(box(), -4, axis=2)  # beside the tumour
    write(cohort.root / "organ.nii.gz", organ)
    assert check(cohort, row) == []
    write(cohort.root / "organ.nii.gz", np.zeros_like(organ))
    (problem,) = check(cohort, row)
    assert (problem.code, problem.what) == ("mask-empty", f"the {name} mask is empty")
    write(cohort.root / "organ.nii.gz", organ, origin=(0, 0, 1.5))
    (problem,) = check(cohort, row)
    assert (problem.code, problem.file) == ("mask-off-grid", "organ.nii.gz")
    (problem,) = check(replace(cohort, reading=Reading(resample_masks=True)), row)
    assert (problem.code, problem.is_error) == ("mask-resampled", False)
    assert problem.file == "organ.nii.gz"
    (cohort.root / "organ.nii.gz").write_bytes(b"no image")
    (problem,) = check(cohort, row)
    assert (problem.is_error, problem.file) == (True, "organ.nii.gz")


def test_phases_with_other_lesions_are_named(cohort: Cohort) -> None:
    write(cohort.root / "second.nii.gz", np.roll(box(), -4, axis=2))
    write(cohort.root / "delayed.nii.gz", ct() + np.int16(1))
    second = replace(ROW, lesion_id="2", mask="second.nii.gz")
    delayed = replace(ROW, phase="delayed", image="delayed.nii.gz")
    found = {problem.code: problem for problem in check(cohort, ROW, second, delayed)}
    assert found["lesions-differ"].got.endswith(f"{ROW.phase}: 1, 2; delayed: 1")


def test_empty_mask(cohort: Cohort) -> None:
    write(cohort.root / "mask.nii.gz", np.zeros_like(box()))
    assert [p.code for p in check(cohort)] == ["mask-empty"]


def test_absent_label(cohort: Cohort) -> None:
    (problem,) = check(cohort, replace(ROW, mask_label="3"))
    assert (problem.code, problem.got) == ("label-absent", "labels 1")


def test_small_region_is_judged_in_mm3(cohort: Cohort) -> None:
    assert check(cohort, min_region_mm3=128.0) == []
    (problem,) = check(cohort, min_region_mm3=128.5)
    assert (problem.code, problem.got) == ("region-too-small", "128 mm3 (64 voxels)")


def test_region_at_the_edge_is_a_warning(cohort: Cohort) -> None:
    mask = box()
    mask[0, 3:7, 0] = 1
    write(cohort.root / "mask.nii.gz", mask)
    (problem,) = check(cohort)
    assert (problem.code, problem.is_error) == ("mask-touches-border", False)
    assert problem.got == "voxels in the first x, first z plane"


@pytest.mark.parametrize(("columns_outside", "found"), [(0, []), (1, ["25% (16 voxels)"])])
def test_tumour_outside_the_liver(cohort: Cohort, columns_outside: int, found: list[str]) -> None:
    liver = np.zeros_like(box())
    liver[1:7, 2:8, 4 + columns_outside : 9] = 1
    write(cohort.root / "liver.nii.gz", liver)
    problems = check(cohort, replace(ROW, liver_mask="liver.nii.gz"))
    assert [p.got for p in problems if p.code == "tumour-outside-liver"] == found
    assert not any(p.is_error for p in problems)


def test_image_as_its_own_mask(cohort: Cohort) -> None:
    assert [p.code for p in check(cohort, replace(ROW, mask=ROW.image))] == ["mask-is-image"]


def test_one_image_for_two_phases(cohort: Cohort) -> None:
    problems = check(cohort, ROW, replace(ROW, phase="arterial"))
    assert [(p.code, p.got) for p in problems] == [
        ("image-shared", "P1/preop/CT/portal and P1/preop/CT/arterial")
    ]


def test_lesions_of_one_scan_share_its_problem(cohort: Cohort) -> None:
    write(cohort.root / "image.nii.gz", np.zeros_like(ct()))
    mask = np.zeros((8, 10, 12), np.uint8)
    mask[2:6, 1:5, 4:8], mask[2:6, 5:9, 4:8] = 1, 2
    write(cohort.root / "mask.nii.gz", mask)
    rows = [replace(ROW, lesion_id=lesion, mask_label=lesion) for lesion in ("1", "2")]
    assert [p.code for p in check(cohort, *rows)] == ["image-constant"]


def test_missing_files_are_all_listed(cohort: Cohort) -> None:
    row = replace(ROW, image="a.nii", mask="b.nii", liver_mask="c.nii")
    row = replace(row, vessel_mask="d.nii", muscle_mask="e.nii")
    assert [(p.code, p.column, p.file) for p in check(cohort, row)] == [
        ("file-missing", "image", "a.nii"),
        ("file-missing", "mask", "b.nii"),
        ("file-missing", "liver_mask", "c.nii"),
        ("file-missing", "vessel_mask", "d.nii"),
        ("file-missing", "muscle_mask", "e.nii"),
    ]


def test_paths_that_leave_the_folder(cohort: Cohort) -> None:
    inside = cohort.root / "cohort"
    inside.mkdir()
    (inside / "link.nii.gz").symlink_to(cohort.root / "image.nii.gz")
    moved = replace(cohort, root=inside)
    absolute = str(cohort.root / "image.nii.gz")
    for image in ("link.nii.gz", "../image.nii.gz", absolute):
        row = replace(ROW, image=image, mask="../mask.nii.gz")
        assert [(p.code, p.column) for p in check(moved, row)] == [
            ("path-outside", "image"),
            ("path-outside", "mask"),
        ]
        assert check(moved, row, allow_outside=True) == []


def test_damaged_image_is_listed_for_every_patient(cohort: Cohort) -> None:
    (cohort.root / "image.nii.gz").write_bytes(b"no image")
    problems = check(cohort, ROW, replace(ROW, patient_id="P2"))
    assert {(p.code, p.patient_id) for p in problems} == {
        ("image-unreadable", "P1"),
        ("image-unreadable", "P2"),
        ("image-shared", "P2"),
    }


def test_the_result_does_not_depend_on_the_number_of_processes(cohort: Cohort) -> None:
    rows = []
    for number in range(5):
        name = f"{number}.nii.gz"
        write(cohort.root / name, np.full((8, 10, 12), number, np.int16))
        rows.append(replace(ROW, phase=KNOWN_PHASES[number], image=name))
    many = replace(cohort, scans=tuple(rows))
    serial, parallel = (find_problems(many, make_config(), jobs=jobs) for jobs in (1, 2))
    assert serial == parallel
    assert [p.file for p in serial] == [row.image for row in rows]


def test_a_defect_of_the_check_is_listed(cohort: Cohort, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError("too large")

    monkeypatch.setattr("pipeline.ingest.image_checks.read_scan", fail)
    (problem,) = check(cohort)
    assert problem.code == "check-failed"
    assert problem.got.startswith("MemoryError in test_ingest_checks.py, line ")


def test_one_image_under_two_names(cohort: Cohort) -> None:
    write(cohort.root / "copy.nii.gz", ct().astype(np.float32), origin=(0, 0, 1e-3))
    problems = check(cohort, ROW, replace(ROW, patient_id="P2", image="copy.nii.gz"))
    assert [(p.code, p.patient_id, p.got) for p in problems] == [
        ("image-duplicate", "P1", "the voxels of copy.nii.gz (P2/preop/CT/portal)"),
        ("image-duplicate", "P2", "the voxels of image.nii.gz (P1/preop/CT/portal)"),
    ]


def test_limits_and_dates_come_from_the_settings(cohort: Cohort) -> None:
    rows = (
        replace(ROW, scan_date="2024-05-01"),
        replace(ROW, timepoint=Timepoint.BASELINE, image="b.nii.gz", scan_date="2024-05-02"),
    )
    write(cohort.root / "b.nii.gz", ct()[::-1])
    problems = check(cohort, *rows, checks={"max_slice_mm": 1.5})
    assert [p.code for p in problems] == ["slices-thick", "slices-thick", "baseline-after-preop"]
