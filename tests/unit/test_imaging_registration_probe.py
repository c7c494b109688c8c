"""Scans that lie on each other are left alone, small motions are not taken for that."""

from dataclasses import replace

import numpy as np
import pytest
from registration_phantom import GRID, SPACING_MM, Motion, make_phantom, rotation
from scipy import ndimage
from sklearn.metrics import mutual_info_score

from pipeline.config.registration import RegistrationConfig, RegistrationMethod
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.imaging.alignment import Alignment, RigidMotion
from pipeline.imaging.registration import register
from pipeline.imaging.registration_images import to_window
from pipeline.imaging.registration_pair import Pair
from pipeline.imaging.registration_probe import lie_well
from pipeline.imaging.registration_quality import measure_match
from pipeline.imaging.registration_samples import Samples, draw_samples

RIGID = RegistrationConfig()
ALL = Region(np.ones(GRID.shape_zyx, dtype=np.bool_), GRID, "all")


def _shift(x_mm: float, y_mm: float = 0.0, z_mm: float = 0.0) -> RigidMotion:
    return RigidMotion(translation_mm=(x_mm, y_mm, z_mm))


def _samples(fixed: Scan, moving: Scan, where: Region = ALL) -> Samples:
    return draw_samples(to_window(fixed), to_window(moving), where, seed=1)


def _along_x(x_mm: float) -> Motion:
    return lambda at: np.asarray(at + np.array([x_mm, 0.0, 0.0]))


def _largest_error_voxels(pair: Pair, shift_mm: tuple[float, float, float]) -> float:
    corners = GRID.corner_positions_mm() / 2  # as far from the centre as the liver reaches
    found = register(pair, RIGID).alignment.map_positions(corners)
    return float(np.linalg.norm((found - corners - shift_mm) / SPACING_MM, axis=1).max())


@pytest.mark.parametrize("voxels", [1.0, 0.6])
@pytest.mark.parametrize("axis", [0, 2])
@pytest.mark.parametrize("guided", [False, True])
def test_a_small_shift_on_equal_grids_is_found(voxels: float, axis: int, guided: bool) -> None:
    """Where identity alone is not blurred by interpolation, and so could look best."""
    shift_mm = np.zeros(3)
    shift_mm[axis] = voxels * SPACING_MM[axis]
    pair = make_phantom(lambda at: np.asarray(at + shift_mm)).pair
    assert pair.fixed.geometry == pair.moving.geometry
    if not guided:
        pair = replace(pair, fixed_liver=None, moving_liver=None)
    assert register(pair, RIGID).method is RegistrationMethod.RIGID
    x, y, z = shift_mm.tolist()
    assert _largest_error_voxels(pair, (x, y, z)) < 0.5


@pytest.mark.parametrize("arterial", [False, True])
def test_phases_that_lie_on_each_other_are_left_alone(arterial: bool) -> None:
    """Contrast and noise differ."""
    result = register(make_phantom(lambda at: at, arterial=arterial).pair, RIGID)
    assert result.aligned
    assert not result.failed
    assert (result.method, result.alignment) == (RegistrationMethod.NONE, Alignment())


def test_scans_that_a_search_leaves_where_they_are_lie_well() -> None:
    """Noise hides from the probe that they do; the search finds nothing better all the same."""
    pair = make_phantom(lambda at: at, arterial=True).pair
    draw = np.random.default_rng(1)
    fixed, moving = (
        replace(scan, voxels=scan.voxels + draw.normal(0, 40, GRID.shape_zyx).astype(np.float32))
        for scan in (pair.fixed, pair.moving)
    )
    result = register(replace(pair, fixed=fixed, moving=moving), RIGID)
    assert (result.failure, result.failed, result.aligned) == ("", False, True)
    assert (result.method, result.alignment) == (RegistrationMethod.NONE, Alignment())


def test_a_shift_that_is_left_alone_is_less_than_half_a_voxel() -> None:
    for tenths in (1, 2, 3, 4):
        x_mm = tenths / 10 * SPACING_MM[0]
        pair = make_phantom(_along_x(x_mm)).pair
        assert _largest_error_voxels(pair, (x_mm, 0.0, 0.0)) < 0.5


def test_noise_that_interpolation_blurs_does_not_draw_scans_apart() -> None:
    """Compared voxel by voxel, half a voxel off looks better, because that averages noise."""
    noisy = make_phantom(lambda at: at, arterial=False).pair
    draw = np.random.default_rng(1)
    fixed, moving = (
        replace(scan, voxels=scan.voxels + draw.normal(0, 25, GRID.shape_zyx).astype(np.float32))
        for scan in (noisy.fixed, noisy.moving)
    )
    half = _shift(SPACING_MM[0] / 2)
    liver = noisy.fixed_liver
    assert liver is not None
    here, aside = (
        measure_match(to_window(fixed), to_window(moving), Alignment(motion), liver.inside)
        for motion in (RigidMotion(), half)
    )
    assert aside.mutual_information_nats > here.mutual_information_nats
    samples = _samples(fixed, moving, liver)
    assert samples.weigh(half) < samples.weigh(RigidMotion())
    assert lie_well(samples)


def test_a_turn_is_not_taken_for_rest() -> None:
    turn = rotation(0.0, 0.0, 2.5)
    pair = make_phantom(lambda at: np.asarray(at @ turn.T)).pair
    assert not lie_well(_samples(pair.fixed, pair.moving))


def test_a_better_match_farther_away_is_not_missed() -> None:
    """A faint double image at rest, the true one 15 mm aside."""
    noise = np.random.default_rng(0).normal(0, 200, GRID.shape_zyx)
    fine = 50 + ndimage.gaussian_filter(noise, 0.7)
    scan = Scan(fine.astype(np.float32), GRID, Modality.CT)
    aside = np.roll(scan.voxels, 6, axis=2)
    double = replace(scan, voxels=np.float32(0.45) * scan.voxels + np.float32(0.55) * aside)
    samples = _samples(scan, double)
    nearby = [samples.weigh(_shift(x)) for x in (-2.0, 0.0, 2.0)]
    assert nearby[1] > max(nearby[0], nearby[2])
    assert not lie_well(samples)


def test_sampled_information_is_that_of_the_values_and_the_overlap_that_of_the_shift() -> None:
    """Against scikit-learn's, which knows no bias: some (31 x 31) / (2 n) more."""
    draw = np.random.default_rng(0)
    plain = np.repeat(draw.uniform(0, 32, GRID.size[0])[None, None], GRID.size[1], axis=1)
    fixed = Scan(np.repeat(plain, GRID.size[2], axis=0).astype(np.float32), GRID, Modality.CT)
    samples = _samples(fixed, fixed)
    here = samples.weigh(RigidMotion())
    bins = samples.bins
    used = (len(np.unique(bins)) - 1) ** 2 / (2 * len(bins))
    assert here == pytest.approx(mutual_info_score(bins, bins) - used, abs=1e-9)
    # Along y nothing changes: of the scan's width a quarter leaves, and with it a quarter of this.
    quarter_mm = GRID.size[1] * SPACING_MM[1] / 4
    assert samples.weigh(_shift(0.0, quarter_mm)) == pytest.approx(0.75 * here, rel=0.02)


def test_samples_are_the_same_each_time_and_lie_in_their_region() -> None:
    pair = make_phantom(lambda at: at).pair
    assert pair.fixed_liver is not None
    drawn = [
        draw_samples(to_window(pair.fixed), to_window(pair.moving), pair.fixed_liver, seed)
        for seed in (1, 1, 2)
    ]
    assert (drawn[0].positions_mm == drawn[1].positions_mm).all()
    assert (drawn[0].positions_mm != drawn[2].positions_mm).any()
    z, y, x = np.rint(GRID.to_voxels(drawn[0].positions_mm)).astype(int).T[::-1]
    assert pair.fixed_liver.inside[z, y, x].all()
    found = pair.fixed_liver.centroid_mm
    assert drawn[0].centre_mm == pytest.approx(found, abs=1.0)
