"""Known motions of a textured phantom are found; what must not be believed is flagged."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk
from registration_phantom import (
    GRID,
    SPACING_MM,
    Motion,
    Phantom,
    Positions,
    breathe,
    make_phantom,
    rotation,
)
from scipy import ndimage

from pipeline.config.registration import RegistrationConfig, RegistrationMethod
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.imaging.alignment import (
    Alignment,
    Displacement,
    RigidMotion,
    align_region,
    align_scan,
)
from pipeline.imaging.registration import Registration, register
from pipeline.imaging.registration_pair import Pair
from pipeline.imaging.registration_quality import (
    compute_dice,
    compute_jacobian,
    compute_mutual_information,
)
from pipeline.imaging.registration_verdict import Quality, refuse_deformable, refuse_rigid
from pipeline.imaging.stored_registration import from_bytes, to_bytes

RIGID = RegistrationConfig(method=RegistrationMethod.RIGID)
DEFORMABLE = RegistrationConfig(method=RegistrationMethod.DEFORMABLE)
TURN = rotation(2.0, -3.0, 5.0)
SHIFT_MM = np.array([6.0, -4.0, 9.0])


def _turn(positions_mm: Positions) -> Positions:
    return np.asarray(positions_mm @ TURN.T + SHIFT_MM)


def _errors_voxels(result: Registration, phantom: Phantom, motion: Motion) -> Positions:
    """Return the distance from the true position at 500 places of the liver, in voxels."""
    everywhere = phantom.liver_positions_mm
    chosen = np.random.default_rng(0).choice(len(everywhere), 500, replace=False)
    found = result.alignment.map_positions(everywhere[chosen])
    difference: Positions = (found - motion(everywhere[chosen])) / np.array(SPACING_MM)
    return np.asarray(np.linalg.norm(difference, axis=1))


@pytest.fixture(scope="module")
def turned() -> Phantom:
    return make_phantom(_turn)


@pytest.fixture(scope="module")
def breathing() -> Phantom:
    return make_phantom(breathe)


@pytest.fixture(scope="module")
def bent(breathing: Phantom) -> Registration:
    return register(breathing.pair, DEFORMABLE)


@pytest.mark.parametrize("guided", [False, True])
def test_a_turn_and_shift_between_phases_are_found(turned: Phantom, guided: bool) -> None:
    pair = turned.pair
    if not guided:
        pair = replace(pair, fixed_liver=None, moving_liver=None)
    result = register(pair, RIGID)
    assert (result.method, result.failure) == (RegistrationMethod.RIGID, "")
    assert _errors_voxels(result, turned, _turn).max() < 0.5
    angle_deg = np.rad2deg(np.arccos((np.trace(TURN) - 1) / 2))
    assert result.quality.rotation_deg == pytest.approx(angle_deg, abs=0.5)
    assert result.quality.mutual_information_rigid > result.quality.mutual_information_before


def test_a_liver_mask_makes_the_liver_match_where_the_body_stays() -> None:
    """The liver slides 8 mm within a body that does not move, as in breathing."""

    def slide(positions_mm: Positions) -> Positions:
        return np.asarray(positions_mm + np.array([0.0, 0.0, 8.0]))

    slid, still = make_phantom(slide), make_phantom(lambda positions_mm: positions_mm)
    liver = slid.pair.fixed_liver
    assert liver is not None
    voxels = np.where(liver.inside, slid.pair.fixed.voxels, still.pair.fixed.voxels)
    pair = replace(slid.pair, fixed=replace(slid.pair.fixed, voxels=voxels), moving_liver=None)
    guided = register(pair, RIGID)
    alone = register(replace(pair, fixed_liver=None), RIGID)
    assert _errors_voxels(guided, slid, slide).mean() < 0.5
    assert _errors_voxels(alone, slid, slide).mean() > 1


def test_one_liver_mask_used_for_both_phases_does_not_hold_the_liver_back(
    turned: Phantom,
) -> None:
    """Its Dice is 1 as the scans lie, and any true motion would make it less."""
    result = register(replace(turned.pair, moving_liver=turned.pair.fixed_liver), RIGID)
    assert (result.method, result.failure) == (RegistrationMethod.RIGID, "")
    assert np.isnan([result.quality.dice_before, result.quality.dice_rigid]).all()
    assert _errors_voxels(result, turned, _turn).max() < 0.5


def test_a_smooth_deformation_between_phases_is_found(
    breathing: Phantom, bent: Registration
) -> None:
    result = bent
    assert (result.method, result.failure) == (RegistrationMethod.DEFORMABLE, "")
    assert _errors_voxels(result, breathing, breathe).mean() < 0.5
    rigid = register(breathing.pair, RIGID)
    assert _errors_voxels(rigid, breathing, breathe).mean() > 0.5
    quality = result.quality
    assert quality.dice_deformable > quality.dice_rigid > quality.dice_before
    assert 0.5 < quality.jacobian_smallest < 1 < quality.jacobian_largest < 2


@contextmanager
def _other_number_of_threads() -> Iterator[None]:
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    other = 1 if before > 1 else 2
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(other)
    try:
        yield
        assert sitk.ProcessObject.GetGlobalDefaultNumberOfThreads() == other
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)


def test_bits_do_not_depend_on_run_or_threads(
    turned: Phantom, breathing: Phantom, bent: Registration
) -> None:
    rigid = register(turned.pair, RIGID)
    with _other_number_of_threads():
        assert register(turned.pair, RIGID).alignment == rigid.alignment
        again = register(breathing.pair, DEFORMABLE)
    assert to_bytes(again) == to_bytes(bent)


def test_a_registration_survives_bytes_bit_for_bit(bent: Registration) -> None:
    for result in (bent, replace(bent, alignment=Alignment(bent.alignment.rigid), failure="why")):
        again = from_bytes(to_bytes(result))
        assert to_bytes(again) == to_bytes(result)
        assert again.alignment.rigid == result.alignment.rigid
        assert (again.method, again.failure) == (result.method, result.failure)
        assert again.quality == result.quality
    displacement = from_bytes(to_bytes(bent)).alignment.displacement
    assert displacement is not None
    assert bent.alignment.displacement is not None
    assert displacement.geometry == bent.alignment.displacement.geometry
    assert (displacement.vectors_mm == bent.alignment.displacement.vectors_mm).all()


def test_figures_that_were_not_measured_survive_bytes() -> None:
    result = register(Pair(_noise(1), _scan(np.zeros(GRID.shape_zyx))), RIGID)
    assert np.isnan(from_bytes(to_bytes(result)).quality.dice_before)


def test_another_table_position_is_found_between_examinations(turned: Phantom) -> None:
    away = replace(GRID, origin_mm=(900.0, 400.0, -2000.0))
    moving = replace(turned.pair.moving, geometry=away)
    pair = Pair(turned.pair.fixed, moving, same_session=False)
    result = register(pair, RIGID)
    assert result.failure == ""
    offset = np.subtract(away.origin_mm, GRID.origin_mm)
    assert _errors_voxels(result, turned, lambda at: _turn(at) + offset).max() < 0.5


def _scan(voxels: npt.NDArray[np.float64], modality: Modality = Modality.CT) -> Scan:
    return Scan(voxels.astype(np.float32), GRID, modality)


def _noise(seed: int) -> Scan:
    return _scan(np.random.default_rng(seed).normal(50, 30, GRID.shape_zyx))


def _smooth(scan: Scan) -> Scan:
    """Return texture of about 30 HU around 50."""
    return _scan(50 + 20 * (ndimage.gaussian_filter(scan.voxels, 3) - 50))


@pytest.mark.parametrize(
    ("moving", "reason"),
    [
        (_noise(2), "match no better than by chance"),
        (_scan(np.full(GRID.shape_zyx, 40.0)), "the moving scan has one value everywhere"),
        (
            replace(_noise(1), geometry=replace(GRID, origin_mm=(900.0, 0.0, 0.0))),
            "do not overlap",
        ),
    ],
    ids=["noise", "constant", "no overlap"],
)
def test_a_failure_changes_nothing_and_says_why(moving: Scan, reason: str) -> None:
    result = register(Pair(_noise(1), moving), DEFORMABLE)
    assert result.alignment == Alignment()
    assert result.method is RegistrationMethod.NONE
    assert result.failure.startswith("not registered: ")
    assert reason in result.failure


def test_smooth_texture_that_is_unrelated_is_not_believed() -> None:
    """A search over six numbers finds some agreement of any two textures."""
    fixed, moving = (_smooth(_noise(seed)) for seed in (1, 2))
    result = register(Pair(fixed, moving), RIGID)
    assert result.method is RegistrationMethod.NONE
    assert "match no better than by chance" in result.failure


def test_scans_that_lie_well_stay_as_they_are(turned: Phantom) -> None:
    """And say so: that is no failure."""
    result = register(replace(turned.pair, moving=turned.pair.fixed), RIGID)
    assert (result.alignment, result.failure) == (Alignment(), "")
    assert (result.method, result.aligned) == (RegistrationMethod.NONE, True)
    quality = result.quality
    assert quality.mutual_information_rigid == quality.mutual_information_before
    assert (quality.shift_mm, quality.rotation_deg, quality.overlap) == (0, 0, 1)


def test_nothing_is_done_unless_asked_for(turned: Phantom) -> None:
    result = register(turned.pair, RegistrationConfig(method=RegistrationMethod.NONE))
    assert (result.alignment, result.failure) == (Alignment(), "")


GOOD = Quality(
    mutual_information_before=0.3,
    mutual_information_rigid=0.5,
    mutual_information_deformable=0.6,
    chance=0.1,
    overlap=1.0,
    dice_before=0.8,
    dice_rigid=0.9,
    dice_deformable=0.95,
    shift_mm=10.0,
    rotation_deg=3.0,
    jacobian_smallest=0.6,
    jacobian_largest=1.6,
)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"overlap": 0.2}, "only 20% of the compared part"),
        ({"chance": 0.49}, "no better than by chance"),
        ({"shift_mm": 61.0}, "a shift of 61 mm, more than 60 mm"),
        ({"rotation_deg": 21.0}, "a rotation of 21 degrees, more than 20"),
        ({"dice_rigid": 0.7}, "overlap less than before (Dice 0.700, before 0.800)"),
    ],
)
def test_a_doubtful_rigid_result_is_refused(change: dict[str, float], reason: str) -> None:
    assert refuse_rigid(GOOD, RIGID) == ""
    assert reason in refuse_rigid(replace(GOOD, **change), RIGID)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"jacobian_smallest": -0.1}, "factors of -0.1 to 1.6, allowed 0.2 to 5"),
        ({"jacobian_largest": 6.0}, "factors of 0.6 to 6"),
        ({"mutual_information_deformable": 0.51}, "hardly better than rigid"),
        ({"dice_deformable": 0.85}, "overlap less than before (Dice 0.850, before 0.900)"),
    ],
)
def test_a_doubtful_deformation_is_refused(change: dict[str, float], reason: str) -> None:
    assert refuse_deformable(GOOD, DEFORMABLE) == ""
    message = refuse_deformable(replace(GOOD, **change), DEFORMABLE)
    assert message.startswith("not bent: ")
    assert reason in message


def test_a_refused_deformation_leaves_the_rigid_result(breathing: Phantom) -> None:
    strict = DEFORMABLE.model_copy(update={"smallest_jacobian": 0.99})
    result = register(breathing.pair, strict)
    assert result.method is RegistrationMethod.RIGID
    assert result.alignment.displacement is None
    assert result.failure.startswith("not bent: volumes would change")


def test_mutual_information_of_a_hand_computed_table() -> None:
    """Counts 40, 10 / 10, 40: 0.1927 nats, less one degree of freedom over 2 x 100."""
    a = np.repeat([0.0, 0.0, 1.0, 1.0], [40, 10, 10, 40])
    b = np.repeat([0.0, 1.0, 0.0, 1.0], [40, 10, 10, 40])
    expected = 0.8 * np.log(1.6) + 0.2 * np.log(0.4)
    assert compute_mutual_information(a, b) == pytest.approx(expected - 1 / 200)
    assert compute_mutual_information(a, np.ones(100)) == 0


def test_unrelated_values_share_no_information() -> None:
    a, b = np.random.default_rng(0).uniform(size=(2, 20_000))
    # Under independence 2 n MI is chi squared with 961 degrees of freedom: sd sqrt(2 x 961).
    assert abs(compute_mutual_information(a, b)) < 5 * np.sqrt(2 * 961) / (2 * 20_000)


SMALL = Geometry((6, 5, 4), (1.0, 2.0, 3.0), (5.0, 0.0, -7.0), (0, 1, 0, 0, 0, -1, -1, 0, 0))


def _positions(geometry: Geometry) -> Positions:
    z, y, x = np.indices(geometry.shape_zyx)
    return np.asarray(np.stack([x, y, z], axis=-1) @ geometry.axes_mm.T + geometry.origin_mm)


def _linear(geometry: Geometry, matrix: Positions) -> npt.NDArray[np.float32]:
    return np.asarray(_positions(geometry) @ matrix.T, dtype=np.float32)


def test_the_jacobian_of_a_linear_displacement_is_its_determinant() -> None:
    """On a grid with swapped and reversed axes."""
    matrix = np.array([[0.1, 0.2, 0.0], [-0.1, 0.05, 0.1], [0.0, 0.3, -0.2]])
    displacement = Displacement(_linear(SMALL, matrix), SMALL)
    assert np.allclose(compute_jacobian(displacement), np.linalg.det(np.eye(3) + matrix), atol=1e-5)


def test_positions_are_displaced_first_and_then_moved() -> None:
    matrix = np.array([[0.1, 0.2, 0.0], [-0.1, 0.05, 0.1], [0.0, 0.3, -0.2]])
    turn = RigidMotion(tuple(rotation(10, 20, 30).ravel()), (1.0, 2.0, 3.0))
    alignment = Alignment(turn, Displacement(_linear(SMALL, matrix), SMALL))
    inner = _positions(SMALL)[1:-1, 1:-1, 1:-1].reshape(-1, 3)
    expected = (inner + inner @ matrix.T) @ rotation(10, 20, 30).T + [1.0, 2.0, 3.0]
    assert np.allclose(alignment.map_positions(inner), expected, atol=1e-4)


def test_positions_are_mapped_back_to_where_they_came_from() -> None:
    """By solving the linear equations, of a rigid motion and of one after a displacement."""
    matrix = np.array([[0.1, 0.2, 0.0], [-0.1, 0.05, 0.1], [0.0, 0.3, -0.2]])
    shift = np.array([1.0, 2.0, 3.0])
    matrix_of_turn = rotation(10, 20, 30)
    turn = RigidMotion(tuple(matrix_of_turn.ravel()), (1.0, 2.0, 3.0))
    inner = _positions(SMALL)[1:-1, 1:-1, 1:-1].reshape(-1, 3)
    there = inner @ matrix_of_turn.T + shift
    expected = np.linalg.solve(matrix_of_turn, (there - shift).T).T
    assert np.allclose(Alignment(turn).map_back(there), expected, atol=1e-9)
    bent = Alignment(turn, Displacement(_linear(SMALL, matrix), SMALL))
    there = (inner + inner @ matrix.T) @ matrix_of_turn.T + shift
    both = matrix_of_turn @ (np.eye(3) + matrix)
    expected = np.linalg.solve(both, (there - shift).T).T
    assert np.allclose(bent.map_back(there), expected, atol=1e-4)


def test_positions_are_mapped_back_through_a_registration(
    breathing: Phantom, bent: Registration
) -> None:
    here = breathing.liver_positions_mm[::200]
    again = bent.alignment.map_back(bent.alignment.map_positions(here))
    assert np.allclose(again, here, atol=1e-3)


def test_scans_and_regions_follow_an_alignment() -> None:
    """A shift by whole voxels moves values without interpolation."""
    voxels = np.random.default_rng(0).normal(size=GRID.shape_zyx)
    shift = Alignment(RigidMotion(translation_mm=(2 * 2.5, -2.5, 3 * 4.0)))
    moved = align_scan(_scan(voxels), shift, GRID, fill=-1000.0)
    expected = voxels.astype(np.float32)[3:, :-1, 2:]
    assert np.allclose(moved.voxels[:-3, 1:, :-2], expected, atol=1e-5)
    assert (moved.voxels[-3:] == -1000.0).all()
    region = align_region(Region(voxels > 1, GRID, "liver"), shift, GRID)
    assert (region.inside[:-3, 1:, :-2] == (voxels > 1)[3:, :-1, 2:]).all()
    assert region.name == "liver"


def test_dice_of_shifted_boxes() -> None:
    """4 of 8 slices in common: 2 x 4 / 16."""
    inside = np.zeros(GRID.shape_zyx, dtype=bool)
    inside[10:18, 20:30, 20:30] = True
    liver = Region(inside, GRID, "liver")
    shift = Alignment(RigidMotion(translation_mm=(0.0, 0.0, 16.0)))
    assert compute_dice(liver, liver, Alignment()) == 1
    assert compute_dice(liver, liver, shift) == 0.5
    empty = replace(liver, inside=np.zeros_like(inside))
    assert np.isnan(compute_dice(empty, empty, Alignment()))
