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


def liver_of(voxels: Voxels) -> npt.NDArray[np.bool_]:
    """Mask 80 of the 4000 voxels, all soft tissue."""
    mask = np.zeros(voxels.shape, np.bool_)
    mask[2:6, 10:14, 13:18] = True
    return mask


def oil_crop() -> npt.NDArray[np.int16]:
    """Crop liver around a tumour full of iodised oil: 216 of 1000 voxels of 900 HU."""
    voxels = np.full((10, 10, 10), 55.0)
    voxels[2:8, 2:8, 2:8] = 900
    noise = np.random.default_rng(5).normal(0, 25, voxels.shape)
    return np.rint(voxels + noise).astype(np.int16)


def list_problems(
    voxels: Voxels, modality: Modality = Modality.CT, limits: Checks | None = None
) -> list[Problem]:
    z, y, x = voxels.shape
    geometry = Geometry((x, y, z), (1.0, 1.0, 2.0), (0.0, 0.0, 0.0), IDENTITY)
    row = replace(ROW, modality=modality)
    return list(find_image_problems(Scan(voxels, geometry, modality), row, limits or Checks()))


def test_a_ct_masked_to_its_liver() -> None:
    for padding in (-1024, -2000, -3024):
        voxels = np.where(liver_of(abdomen()), abdomen(), padding)
        wide = np.pad(voxels, 20, constant_values=padding)  # 0.1 % of the image are liver
        assert found(wide) == []


def test_a_crop_around_iodised_oil() -> None:
    assert found(oil_crop()) == []
    assert found(oil_crop() + 1024) == [("values-implausible", True)]


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
        lambda a: np.where(liver_of(a), a, -1024),  # masked to 2 % of the image
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


def test_an_mr_padded_like_a_ct() -> None:
    smooth = np.random.default_rng(1).gamma(3, 30, (10, 20, 20))
    smooth[:, :, :6] = -1024
    assert found(smooth, Modality.MR) == []


def test_an_mr_listed_as_ct() -> None:
    smooth = np.random.default_rng(6).gamma(2, 200, (10, 20, 20))
    smooth[0, 0, :15] = -40  # undershoots of an interpolation in 0.4 % of the voxels
    assert found(np.minimum(smooth, 690)) == [("values-implausible", False)]


@pytest.mark.parametrize(
    ("change", "got"),
    [
        (lambda a: np.minimum(a, 130), "of the voxels at exactly 130"),
        (lambda a: np.clip(a, -110, 3000), "of the voxels at exactly -110"),
        (lambda a: a // 2, "air at -"),
        (lambda a: a * 2, "air at -"),
        (lambda a: a, None),
        (lambda a: np.maximum(a, -1000), None),  # scanners cut off air
        (lambda a: np.where(a < -900, -2000, a), None),  # padding
        (lambda a: np.where(a > 900, 3071, a), None),  # metal: nothing beside it
    ],
)
def test_a_ct_clipped_or_scaled(
    change: Callable[[npt.NDArray[np.int16]], Voxels], got: str | None
) -> None:
    problems = list_problems(change(abdomen()))
    assert [(p.code, p.is_error) for p in problems] == [("values-clipped", False)] * bool(got)
    assert all(str(got) in problem.got for problem in problems)


def test_the_share_at_the_highest_value_is_a_setting() -> None:
    clipped = np.minimum(abdomen(), 130)
    share = float(np.mean(clipped == 130))
    for limit, expected in ((share - 1e-6, 1), (share + 1e-6, 0)):
        assert len(list_problems(clipped, limits=Checks(clipped_share=limit))) == expected


def test_lung_is_no_scaled_air() -> None:
    voxels = abdomen()[:, :, 8:].astype(np.float64)
    voxels[:, :6] = np.random.default_rng(7).normal(-800, 60, voxels[:, :6].shape)
    assert found(voxels) == []


@pytest.mark.parametrize(
    ("highest", "expected"),
    [(900.0, []), (1100.0, [False]), (39553.0, [True])],
)
def test_pet_far_from_suv(highest: float, expected: list[bool]) -> None:
    uptake = np.random.default_rng(2).gamma(1, 2, (10, 20, 20))
    uptake[5, 5, 5] = highest
    problems = list_problems(uptake, Modality.PT)
    assert [(p.code, p.is_error) for p in problems] == [
        ("values-implausible", is_error) for is_error in expected
    ]
    limits = Checks(suv_warning=5e4, suv_error=5e4)
    assert list_problems(uptake, Modality.PT, limits) == []


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
