"""Each perturbation against closed forms: how much noise, where to, how much larger, how alike."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation
from skimage.restoration import estimate_sigma

from pipeline.config.stability import PerturbationSettings
from pipeline.domain.errors import CaseError
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.imaging.perturbation.chain import perturb
from pipeline.imaging.perturbation.contour import (
    draw_supervoxels,
    make_supervoxels,
    randomise_contour,
)
from pipeline.imaging.perturbation.noise import add_noise, estimate_noise_sd
from pipeline.imaging.perturbation.pose import Pose, draw_pose, move
from pipeline.imaging.perturbation.volume import change_volume

OBLIQUE = tuple(Rotation.from_euler("xyz", [4, -7, 11], degrees=True).as_matrix().ravel().tolist())
GRID = Geometry((40, 36, 24), (1.5, 1.5, 3.0), (-20.0, 7.0, 30.0), OBLIQUE)
NOTHING = PerturbationSettings(
    noise_factor=0, translation_percent=0, rotation_degrees=0, volume_percent=0
)


def offsets_mm(geometry: Geometry) -> npt.NDArray[np.float64]:
    """Return positions from the middle of the grid along its axes, shape (z, y, x, 3)."""
    z, y, x = np.indices(geometry.shape_zyx)
    middle = (np.array(geometry.size) - 1) / 2
    return (np.stack([x, y, z], axis=-1) - middle) * geometry.spacing_mm


def positions_mm(geometry: Geometry) -> npt.NDArray[np.float64]:
    """Return positions in the patient, shape (z, y, x, 3)."""
    z, y, x = np.indices(geometry.shape_zyx)
    return np.stack([x, y, z], axis=-1) @ geometry.axes_mm.T + geometry.origin_mm


def ball(geometry: Geometry, radius_mm: float, aspect: tuple[float, ...] = (1, 1, 1)) -> Region:
    distance = np.linalg.norm(offsets_mm(geometry) / np.array(aspect), axis=-1)
    return Region(distance <= radius_mm, geometry, "tumour")


def scan_of(voxels: npt.NDArray[Any], geometry: Geometry = GRID) -> Scan:
    return Scan(voxels, geometry, Modality.CT)


def centre_mm(region: Region) -> npt.NDArray[np.float64]:
    centre: npt.NDArray[np.float64] = positions_mm(region.geometry)[region.inside].mean(axis=0)
    return centre


def phantom(seed: int = 5) -> tuple[Scan, Region]:
    """Return a bright ball of radius 14 mm in noise, stored as whole numbers."""
    tumour = ball(GRID, 14)
    noise = np.random.default_rng(seed).normal(scale=8, size=GRID.shape_zyx)
    voxels = np.rint(60 + 40 * tumour.inside + noise).astype(np.int16)
    return Scan(voxels, GRID, Modality.CT), tumour


@pytest.mark.parametrize("sd", [3.0, 40.0])
def test_noise_is_estimated_whatever_the_anatomy(sd: float) -> None:
    anatomy = 5 * positions_mm(GRID)[..., 0] + 200 * ball(GRID, 10).inside
    noisy = anatomy + np.random.default_rng(2).normal(scale=sd, size=anatomy.shape)
    assert estimate_noise_sd(noisy) == pytest.approx(sd, rel=0.06)
    # scikit-image's own, of another wavelet
    others = [estimate_sigma(image) for image in noisy]  # type: ignore[no-untyped-call]  # untyped
    assert estimate_noise_sd(noisy) == pytest.approx(np.mean(others), rel=0.06)


def test_padding_has_no_noise_and_is_not_counted() -> None:
    voxels = np.random.default_rng(2).normal(100, 10, size=(8, 128, 128))
    voxels[:, :80] = -1024
    assert estimate_noise_sd(voxels) == pytest.approx(10, rel=0.1)
    assert estimate_noise_sd(np.full((8, 64, 64), 7)) == 0
    assert estimate_noise_sd(voxels[:, :, :4]) == 0


def test_noise_has_the_sd_asked_for() -> None:
    voxels = np.full((20, 50, 50), 100, dtype=np.int16)
    noisy = add_noise(voxels, 4.0, np.random.default_rng(1))
    assert noisy.std() == pytest.approx(4, rel=0.02)
    assert noisy.mean() == pytest.approx(100, abs=0.1)


def test_a_pose_of_nothing_changes_nothing() -> None:
    scan, tumour = phantom()
    scan = replace(scan, voxels=scan.voxels.astype(float))
    moved, region = move(scan, tumour, Pose((0.0, 0.0, 0.0), 0.0))
    np.testing.assert_allclose(moved.voxels, scan.voxels, atol=1e-9)
    assert np.array_equal(region.inside, tumour.inside)
    assert moved.geometry == scan.geometry


def test_the_content_moves_by_part_of_a_voxel_and_turns_about_the_tumour() -> None:
    """Linear interpolation is exact for an image that is linear in position: shift and turn it."""
    slope = np.array([3.0, -2.0, 1.0])
    tumour = ball(GRID, 9)
    pose = Pose((0.4, -0.3, 0.45), 5.0)
    axes = np.reshape(GRID.direction, (3, 3))
    turn = axes @ Rotation.from_rotvec([0, 0, np.deg2rad(5)]).as_matrix() @ axes.T
    shift = axes @ np.array([0.4 * 1.5, -0.3 * 1.5, 0.45 * 3.0])
    moved, region = move(scan_of(positions_mm(GRID) @ slope), tumour, pose)
    centre = centre_mm(tumour)
    came_from = (positions_mm(GRID) - shift - centre) @ turn + centre  # the inverse turn, row-wise
    inner = (slice(3, -3), slice(4, -4), slice(4, -4))
    np.testing.assert_allclose(moved.voxels[inner], (came_from @ slope)[inner], atol=1e-9)
    assert region.voxel_count == pytest.approx(tumour.voxel_count, rel=0.05)


def test_whole_voxels_move_the_mask_by_whole_voxels() -> None:
    scan, tumour = phantom()
    moved, region = move(scan_of(scan.voxels.astype(float)), tumour, Pose((1.0, -2.0, 1.0), 0.0))
    whole = (1, -2, 1)  # z, y, x
    assert np.array_equal(region.inside, np.roll(tumour.inside, whole, axis=(0, 1, 2)))
    inner = (slice(3, -3),) * 3
    expected = np.roll(scan.voxels, whole, axis=(0, 1, 2))
    np.testing.assert_allclose(moved.voxels[inner], expected[inner], atol=1e-9)
    assert moved.voxels[0, 5, 5] == pytest.approx(scan.voxels[0, 7, 4])  # beyond: the outermost


def test_a_long_tumour_turns_with_the_image() -> None:
    tumour = ball(GRID, 10, aspect=(2.2, 0.8, 1))
    shown = scan_of(100.0 * tumour.inside)
    moved, region = move(shown, tumour, Pose((0.0, 0.0, 0.0), 30.0))
    x, y, _ = offsets_mm(GRID)[region.inside].T
    angle = 0.5 * np.arctan2(2 * np.mean(x * y), np.mean(x * x) - np.mean(y * y))
    assert np.rad2deg(angle) == pytest.approx(30, abs=1)
    assert np.array_equal(region.inside, moved.voxels >= 50)  # moved as one


def test_poses_fill_their_limits_evenly() -> None:
    rng = np.random.default_rng(4)
    poses = [draw_pose(50, 6, rng) for _ in range(2000)]
    shifts = np.array([pose.translation_voxels for pose in poses])
    turns = np.array([pose.rotation_degrees for pose in poses])
    assert np.abs(shifts).max() <= 0.5
    assert np.abs(turns).max() <= 6
    assert shifts.std(axis=0) == pytest.approx([1 / np.sqrt(12)] * 3, rel=0.05)
    assert turns.std() == pytest.approx(12 / np.sqrt(12), rel=0.05)


@pytest.mark.parametrize("change", [-0.9, -0.3, -0.07, 0.0, 0.07, 0.3, 2.0])
@pytest.mark.parametrize("aspect", [(1, 1, 1), (2, 0.3, 1)])
def test_volumes_are_met_by_the_voxels_nearest_to_the_contour(
    change: float, aspect: tuple[float, ...]
) -> None:
    """Distances are checked by brute force: all pairs of voxels, in mm."""
    grid = Geometry((27, 25, 17), (1.0, 1.2, 2.5), (0.0, 0.0, 0.0), OBLIQUE)
    region = ball(grid, 6, aspect)
    changed = change_volume(region, change, np.random.default_rng(0))
    assert changed.voxel_count == round(region.voxel_count * (1 + change))
    places = offsets_mm(grid)
    large, small = (changed, region) if change > 0 else (region, changed)
    assert not (small.inside & ~large.inside).any()
    away = ~region.inside if change > 0 else region.inside
    nearest = np.full(grid.shape_zyx, np.inf)
    nearest[away] = cdist(places[away], places[~away]).min(axis=1)
    switched = region.inside ^ changed.inside
    if switched.any():
        assert nearest[switched].max() <= nearest[away & ~switched].min() + 1e-9


def test_a_ball_grows_into_a_larger_ball() -> None:
    grown = change_volume(ball(GRID, 12), 0.5, np.random.default_rng(0))
    radii = np.linalg.norm(offsets_mm(GRID)[grown.inside], axis=-1)
    diagonal_mm = np.linalg.norm(GRID.spacing_mm)
    assert radii.max() <= 12 * 1.5 ** (1 / 3) + diagonal_mm


def test_a_region_at_the_border_of_the_image_shrinks_there_too() -> None:
    everything = Region(np.ones(GRID.shape_zyx, dtype=bool), GRID, "tumour")
    shrunk = change_volume(everything, -0.6, np.random.default_rng(0))
    assert shrunk.voxel_count == round(0.4 * everything.voxel_count)
    assert not shrunk.inside[:, 0].any()
    with pytest.raises(CaseError, match=r"volume change by 10.0 %: expected room"):
        change_volume(everything, 0.1, np.random.default_rng(0))


def test_nothing_left_is_an_error() -> None:
    inside = np.zeros(GRID.shape_zyx, dtype=bool)
    inside[5, 5, 5] = True
    with pytest.raises(CaseError, match=r"volume change by -60.0 %: .* none of 1\."):
        change_volume(Region(inside, GRID, "tumour"), -0.6, np.random.default_rng(0))


def test_supervoxels_are_kept_as_often_as_they_overlap() -> None:
    sizes = np.repeat(np.arange(3000), 10)
    shares = np.tile([1, 2, 5, 8, 9, 10], 500)  # of ten voxels each
    inside = np.concatenate([np.arange(10) < share for share in shares])
    kept = draw_supervoxels(sizes, inside, np.random.default_rng(0))
    by_share = {share: kept[shares == share].mean() for share in (1, 2, 5, 8, 9, 10)}
    assert (by_share[1], by_share[9], by_share[10]) == (0, 1, 1)
    spread = {share: by_share[share] for share in (2, 5, 8)}
    assert spread == pytest.approx({2: 0.2, 5: 0.5, 8: 0.8}, abs=0.07)  # 3 SD of 500 draws


def dice(one: Region, other: Region) -> float:
    both = np.count_nonzero(one.inside & other.inside)
    return float(2 * both / (one.voxel_count + other.voxel_count))


def test_where_the_image_has_edges_contours_follow_them() -> None:
    truth = ball(GRID, 14)
    noise = np.random.default_rng(9).normal(scale=8, size=GRID.shape_zyx)
    for seed in range(5):
        for contrast, low, high in ((40, 0.88, 0.97), (0, 0.7, 0.82)):
            shown = scan_of(noise + contrast * truth.inside)
            redrawn = randomise_contour(shown, truth, 500, 0.3, np.random.default_rng(seed))
            assert low < dice(redrawn, truth) < high


@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0, 1.0), (0.7, 0.7, 5.0), (3.0, 3.0, 5.0)])
def test_supervoxels_are_cubes_in_mm_whatever_the_slice_thickness(
    spacing_mm: tuple[float, float, float],
) -> None:
    """Of a flat image; a cube's second moment along an axis is its squared edge over 12."""
    sizes = tuple(round(80 / step) for step in spacing_mm)
    grid = Geometry((sizes[0], sizes[1], sizes[2]), spacing_mm, (0.0, 0.0, 0.0), OBLIQUE)
    edge_mm = 16.0
    labels = make_supervoxels(np.zeros(grid.shape_zyx), grid, edge_mm, 0.3)
    count = labels.max() + 1
    assert count == pytest.approx((80 / edge_mm) ** 3, rel=0.05)
    places = offsets_mm(grid)
    spread = np.mean([places[labels == label].std(axis=0) for label in range(count)], axis=0)
    within_voxels = np.sqrt((edge_mm**2 - np.square(spacing_mm)) / 12)  # of voxel centres
    assert spread == pytest.approx(within_voxels, rel=0.12)


def test_a_constant_image_has_supervoxels_too() -> None:
    truth = ball(GRID, 14)
    flat = scan_of(np.full(GRID.shape_zyx, 60.0))
    assert dice(randomise_contour(flat, truth, 500, 0.3, np.random.default_rng(0)), truth) > 0.7


def test_steps_of_size_nothing_leave_the_scan_and_redraw_the_contour_only() -> None:
    scan, tumour = phantom()
    perturbed, region = perturb(scan, tumour, NOTHING, np.random.SeedSequence(1))
    assert np.array_equal(perturbed.voxels, scan.voxels)
    assert not np.array_equal(region.inside, tumour.inside)


def test_a_perturbed_scan_is_stored_as_before_with_more_noise() -> None:
    scan, tumour = phantom()
    settings = NOTHING.model_copy(update={"noise_factor": 1.0})
    perturbed, region = perturb(scan, tumour, settings, np.random.SeedSequence(1))
    assert perturbed.voxels.dtype == np.int16
    added = perturbed.voxels - scan.voxels
    assert added.std() == pytest.approx(8, rel=0.06)
    assert (perturbed.geometry, region.geometry) == (scan.geometry, scan.geometry)


def test_values_that_the_type_cannot_hold_are_cut_not_wrapped() -> None:
    scan, tumour = phantom()
    dark = replace(scan, voxels=np.clip(scan.voxels - 60, 0, 255).astype(np.uint8))
    settings = NOTHING.model_copy(update={"noise_factor": 1.0})
    perturbed, _ = perturb(dark, tumour, settings, np.random.SeedSequence(1))
    assert perturbed.voxels.dtype == np.uint8
    assert perturbed.voxels.max() < 150


def test_the_seed_decides_everything_and_steps_do_not_share_chance() -> None:
    scan, tumour = phantom()
    full = PerturbationSettings()
    first, first_region = perturb(scan, tumour, full, np.random.SeedSequence((1, 2)))
    again, again_region = perturb(scan, tumour, full, np.random.SeedSequence((1, 2)))
    other, _ = perturb(scan, tumour, full, np.random.SeedSequence((1, 3)))
    assert np.array_equal(first.voxels, again.voxels)
    assert np.array_equal(first_region.inside, again_region.inside)
    assert not np.array_equal(first.voxels, other.voxels)
    tighter = full.model_copy(update={"volume_percent": 40.0})
    same, resized = perturb(scan, tumour, tighter, np.random.SeedSequence((1, 2)))
    assert np.array_equal(first.voxels, same.voxels)
    assert not np.array_equal(first_region.inside, resized.inside)


def test_a_region_that_is_lost_says_in_which_step() -> None:
    scan, _ = phantom()
    inside = np.zeros(GRID.shape_zyx, dtype=bool)
    inside[12, 18, 20] = True
    single = Region(inside, GRID, "tumour")
    with pytest.raises(CaseError, match="contour randomisation left nothing of the tumour region"):
        perturb(scan, single, NOTHING, np.random.SeedSequence(1))
    shifted = NOTHING.model_copy(update={"translation_percent": 100.0})
    with pytest.raises(CaseError, match="translation and rotation left nothing"):
        perturb(scan, single, shifted, np.random.SeedSequence(1))
