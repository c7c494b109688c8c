"""Scans that are small, flat, oblique or PET are registered or refused with a reason."""

from dataclasses import replace

import numpy as np
import pytest
from registration_phantom import (
    GRID,
    LIVER_CENTRE_MM,
    SPACING_MM,
    Motion,
    Phantom,
    Positions,
    make_phantom,
    rotation,
)
from scipy import ndimage

from pipeline.config.registration import RegistrationConfig, RegistrationMethod
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Scan
from pipeline.imaging.alignment import Alignment, align_region, align_scan
from pipeline.imaging.registration import register
from pipeline.imaging.registration_pair import Pair

RIGID = RegistrationConfig()
DEFORMABLE = RegistrationConfig(method=RegistrationMethod.DEFORMABLE)
TURN, SHIFT_MM = rotation(2.0, -3.0, 5.0), np.array([6.0, -4.0, 9.0])


def _turn(positions_mm: Positions) -> Positions:
    return np.asarray(positions_mm @ TURN.T + SHIFT_MM)


def _shift(shift_mm: list[float]) -> Motion:
    return lambda at: np.asarray(at + np.array(shift_mm))


@pytest.fixture(scope="module")
def turned() -> Phantom:
    return make_phantom(_turn)


def _crop(scan: Scan, half_mm: float) -> Scan:
    """Return the surroundings of the liver's centre."""
    (centre,) = np.rint(GRID.to_voxels(LIVER_CENTRE_MM[None])).astype(int)
    reach = [round(half_mm / spacing) for spacing in SPACING_MM]
    x, y, z = (slice(at - n, at + n + 1) for at, n in zip(centre, reach, strict=True))
    voxels = scan.voxels[z, y, x]
    i, j, k = (part.start for part in (x, y, z))
    ox, oy, oz = (GRID.axes_mm @ [i, j, k] + GRID.origin_mm).tolist()
    nz, ny, nx = voxels.shape
    return Scan(voxels, replace(GRID, size=(nx, ny, nz), origin_mm=(ox, oy, oz)), scan.modality)


def test_an_oblique_scan_of_other_voxels_is_found(turned: Phantom) -> None:
    size, spacing_mm = (70, 60, 50), (3.1, 2.7, 3.3)
    tilted = tuple(rotation(15, -10, 20).ravel().tolist())
    oblique = Geometry(size, spacing_mm, (0.0, 0.0, 0.0), tilted)
    x, y, z = (-oblique.axes_mm @ (np.array(size) - 1) / 2).tolist()
    oblique = replace(oblique, origin_mm=(x, y, z))
    liver = turned.pair.moving_liver
    assert liver is not None
    moving = align_scan(turned.pair.moving, Alignment(), oblique, -1000.0)
    pair = Pair(
        turned.pair.fixed,
        moving,
        turned.pair.fixed_liver,
        align_region(liver, Alignment(), oblique),
    )
    result = register(pair, RIGID)
    at = turned.liver_positions_mm[::50]
    errors = (result.alignment.map_positions(at) - _turn(at)) / np.array(SPACING_MM)
    assert result.failure == ""
    assert np.linalg.norm(errors, axis=1).max() < 0.5


def test_crops_of_20_mm_are_left_alone_or_refused() -> None:
    """400 voxels tell no motion, but nor do they lead anywhere; identity is what is used."""
    for shift_mm in ([0.0, 0.0, 0.0], [2.5, 0.0, 4.0]):
        pair = make_phantom(_shift(shift_mm)).pair
        small = Pair(_crop(pair.fixed, 10), _crop(pair.moving, 10))
        assert small.fixed.geometry.size == (9, 9, 5)
        result = register(small, DEFORMABLE)
        assert result.alignment == Alignment()
        assert result.failure != ""


def test_what_is_too_small_to_be_bent_keeps_its_rigid_motion() -> None:
    pair = make_phantom(_shift([2.5, 0.0, 4.0])).pair
    result = register(Pair(_crop(pair.fixed, 20), _crop(pair.moving, 20)), DEFORMABLE)
    assert result.method is RegistrationMethod.RIGID
    assert result.failure == "not bent: the fixed scan is too small"
    assert not result.failed


def test_a_single_slice_lies_on_itself(turned: Phantom) -> None:
    scan = turned.pair.fixed
    slice_ = Scan(scan.voxels[20:21], replace(GRID, size=(80, 72, 1)), scan.modality)
    result = register(Pair(slice_, slice_), RIGID)
    assert (result.alignment, result.failure) == (Alignment(), "")


def test_empty_livers_do_not_guide(turned: Phantom) -> None:
    liver = turned.pair.fixed_liver
    assert liver is not None
    empty = replace(liver, inside=np.zeros_like(liver.inside))
    result = register(replace(turned.pair, fixed_liver=empty, moving_liver=empty), RIGID)
    at = turned.liver_positions_mm[::50]
    errors = (result.alignment.map_positions(at) - _turn(at)) / np.array(SPACING_MM)
    assert result.failure == ""
    assert np.linalg.norm(errors, axis=1).max() < 0.5
    assert np.isnan(result.quality.dice_rigid)


def test_pet_of_two_examinations_is_found() -> None:
    """Uptake in the liver, blurred by 6 mm, on voxels of 4 mm, the table 300 mm aside."""
    pair = make_phantom(_turn).pair
    draw = np.random.default_rng(0)
    grid = Geometry((50, 45, 40), (4.0, 4.0, 4.0), (-98.0, -88.0, -78.0), GRID.direction)
    scans = []
    for scan, liver in ((pair.fixed, pair.fixed_liver), (pair.moving, pair.moving_liver)):
        assert liver is not None
        uptake = np.where(liver.inside, 2.5, 0.8) * (scan.voxels > -300)
        uptake += np.clip((scan.voxels - 60) / 20, -0.5, 3)
        blurred = ndimage.gaussian_filter(uptake, 6.0 / np.array(SPACING_MM[::-1]) / 2.355)
        noisy = (blurred + draw.normal(0, 0.1, blurred.shape)).astype(np.float32)
        fine = Scan(noisy, GRID, Modality.PT)
        scans.append(align_scan(fine, Alignment(), grid, 0.0))
    moved = replace(scans[1], geometry=replace(grid, origin_mm=(202.0, -88.0, -78.0)))
    result = register(Pair(scans[0], moved, same_session=False), RIGID)
    corners = grid.corner_positions_mm() / 2
    errors = (result.alignment.map_positions(corners) - _turn(corners) - [300, 0, 0]) / 4.0
    assert result.failure == ""
    assert np.linalg.norm(errors, axis=1).max() < 0.5
