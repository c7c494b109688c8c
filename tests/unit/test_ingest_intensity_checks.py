"""Values that a modality cannot have are errors; crops, clipped and normalised images are not."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.config.checks import Checks
from pipeline.domain.cohort import ScanRow
from pipeline.domain.geometry import Geometry
from pipeline.domain.problem import Problem
from pipeline.domain.scan import Modality, Scan, Timepoint
from pipeline.ingest.voxel_checks import find_image_problems

Voxels = npt.NDArray[np.generic]
IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
ROW = ScanRow(
    patient_id="P1",
    timepoint=Timepoint.PREOP,
    modality=Modality.CT,
    phase="portal",
    image="image.nii.gz",
    mask="mask.nii.gz",
)


def abdomen() -> npt.NDArray[np.int16]:
    """Paint 40 % air, 20 % fat, 38 % soft tissue and 2 % bone, with a noise of 15 HU."""
    voxels = np.full((10, 20, 20), -1000.0)
    voxels[:, :, 8:12] = -100
    voxels[:, :, 12:] = 110
    voxels[:, :8, 19] = 1000
    noise = np.random.default_rng(0).normal(0, 15, voxels.shape)
    return np.rint(voxels + noise).astype(np.int16)


def liver_crop(voxels: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """Cut out soft tissue alone, without air, fat or bone."""
    return voxels[:, 10:, 13:18]


def list_problems(voxels: Voxels, modality: Modality = Modality.CT) -> list[Problem]:
    z, y, x = voxels.shape
    geometry = Geometry((x, y, z), (1.0, 1.0, 2.0), (0.0, 0.0, 0.0), IDENTITY)
    row = replace(ROW, modality=modality)
    return list(find_image_problems(Scan(voxels, geometry, modality), row, Checks()))


def found(voxels: Voxels, modality: Modality = Modality.CT) -> list[tuple[str, bool]]:
    problems = list_problems(voxels, modality)
    assert all((p.patient_id, p.file) == ("P1", "image.nii.gz") for p in problems)
    return [(str(problem.code), problem.is_error) for problem in problems]


@pytest.mark.parametrize(
    "change",
    [
        lambda a: a,
        lambda a: np.where(a < -900, -2000, a),  # padded
        lambda a: np.clip(a, -160, 240),  # windowed, still in HU
        lambda a: a[:, :, 8:],  # no air
        lambda a: a[:, :, 12:19],  # soft tissue and nothing else
        lambda a: a.astype(np.float32) + 0.25,
    ],
)
def test_a_ct_in_hu(change: Callable[[Voxels], Voxels]) -> None:
    # In the crop of soft tissue alone nothing need be below 0: a warning, as ever.
    assert [problem for problem in found(change(abdomen())) if problem[1]] == []


@pytest.mark.parametrize(
    "change",
    [
        lambda a: a + 1024,  # stored values, air at 0
        lambda a: liver_crop(a) + 1024,
        lambda a: np.where(a < -900, -2000, a + 1024),
        lambda a: a - 1024,  # intercept applied twice
        lambda a: (a - a.min()) / (a.max() - a.min()),
        lambda a: (a - a.mean()) / a.std(),
        lambda a: a / 1000.0,
        lambda a: np.rint((np.clip(a, -160, 240) + 160) / 400 * 255).astype(np.uint8),
        lambda a: a * 40.0,
    ],
)
def test_a_ct_on_another_scale(change: Callable[[npt.NDArray[np.int16]], Voxels]) -> None:
    assert found(change(abdomen())) == [("values-implausible", True)]


def test_what_may_be_in_hu_is_a_warning() -> None:
    assert found(np.clip(abdomen(), 0, 3000)) == [("values-implausible", False)]
    assert found(np.where(abdomen() > 0, abdomen(), 0)) == [("values-implausible", False)]


def test_the_error_says_what_was_measured() -> None:
    voxels = abdomen() + 1024
    (problem,) = list_problems(voxels)
    assert "60% of the voxels as dense as bone" in problem.got  # all but the air
    assert f"values from {voxels.min()} to {voxels.max()}" in problem.got


@pytest.mark.parametrize("modality", [Modality.MR, Modality.PT])
@pytest.mark.parametrize("change", [lambda a: a, lambda a: np.where(a < -900, -2000, a)])
def test_a_ct_listed_as_another_modality(
    modality: Modality, change: Callable[[Voxels], Voxels]
) -> None:
    assert found(change(abdomen()), modality) == [("modality-differs", True)]


def test_mr_has_any_scale() -> None:
    smooth = np.random.default_rng(1).gamma(2, 300, (10, 20, 20))
    normalised = (smooth - smooth.mean()) / smooth.std()
    for voxels in (smooth, normalised, normalised * 1000, smooth - 1000):
        assert found(voxels, Modality.MR) == []


def test_pet_below_zero() -> None:
    uptake = np.random.default_rng(2).gamma(1, 2, (10, 20, 20))
    assert found(uptake, Modality.PT) == []
    undershoot = uptake.copy()
    undershoot[0, 0, :4] = -60.0  # 0.1 % of the voxels
    assert found(undershoot, Modality.PT) == []
    without_air = abdomen()[:, :, 8:]  # a third of it fat
    assert found(without_air, Modality.PT) == [("values-implausible", True)]


@pytest.mark.parametrize("modality", list(Modality))
@pytest.mark.parametrize("labels", [1, 3, 117])
def test_a_mask_in_the_place_of_an_image(modality: Modality, labels: int) -> None:
    mask = np.zeros((6, 40, 60), np.uint8)
    for label in range(1, labels + 1):
        row, column = divmod(label - 1, 12)
        mask[:, 4 * row : 4 * row + 3, 5 * column : 5 * column + 5] = label
    assert found(mask, modality) == [("image-is-mask", True)]
    assert found(mask.astype(np.float32), modality) == [("image-is-mask", True)]


def test_scans_that_are_no_masks() -> None:
    grey = np.random.default_rng(3).integers(0, 100, (6, 40, 60), dtype=np.uint8)
    assert found(grey, Modality.MR) == []  # few whole numbers, and neighbours differ
    grey[:, :20] = 0  # background
    assert found(grey, Modality.MR) == []
