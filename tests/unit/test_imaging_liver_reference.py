"""The reference lies where a reader would put it: normal liver, clear of all else."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage

from pipeline.domain.errors import CaseError
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.imaging.liver_reference import LiverReference, place_liver_reference

GRID = Geometry((90, 60, 30), (2.0, 2.0, 3.0), (-89.0, -59.0, -43.5), (1, 0, 0, 0, 1, 0, 0, 0, 1))


def _positions() -> tuple[npt.NDArray[np.float64], ...]:
    z, y, x = np.indices(GRID.shape_zyx)
    return 2.0 * x - 89.0, 2.0 * y - 59.0, 3.0 * z - 43.5


def _ball(centre_mm: tuple[float, float, float], radius_mm: float, name: str) -> Region:
    offsets = [axis - middle for axis, middle in zip(_positions(), centre_mm, strict=True)]
    return Region(np.linalg.norm(offsets, axis=0) <= radius_mm, GRID, name)


def _liver() -> Region:
    x, y, z = _positions()
    return Region((x / 80) ** 2 + (y / 50) ** 2 + (z / 40) ** 2 <= 1, GRID, "liver")


LIVER = _liver()
LESIONS = [_ball((-40.0, 0.0, 0.0), 12.0, "tumour"), _ball((-55.0, 20.0, 5.0), 5.0, "tumour")]
VESSEL = Region(np.abs(_positions()[1] + 18) < 3, GRID, "vessels")


def _scan() -> Scan:
    values = np.random.default_rng(0).normal(100, 10, GRID.shape_zyx)
    values[VESSEL.inside] += 80
    for lesion in LESIONS:
        values[lesion.inside] -= 50
    values[~LIVER.inside] = -100
    return Scan(values.astype(np.int16), GRID, Modality.CT)


SCAN = _scan()


def _gap_mm(reference: LiverReference, other: npt.NDArray[np.bool_]) -> float:
    """Return the smallest distance between voxel centres."""
    distance = ndimage.distance_transform_edt(~other, sampling=(3.0, 2.0, 2.0))
    return float(np.asarray(distance)[reference.region.inside].min())


@pytest.mark.parametrize("vessels", [VESSEL, None], ids=["given", "found"])
def test_it_is_a_sphere_of_1_ml_in_normal_liver(vessels: Region | None) -> None:
    reference = place_liver_reference(SCAN, LIVER, LESIONS, vessels)
    assert reference.region.volume_mm3 == pytest.approx(1000, rel=0.15)
    assert not (reference.region.inside & ~LIVER.inside).any()
    assert not (reference.region.inside & VESSEL.inside).any()
    assert _gap_mm(reference, ~LIVER.inside) >= 5
    lesions = LESIONS[0].inside | LESIONS[1].inside
    assert _gap_mm(reference, lesions) >= 10
    assert reference.lesion_distance_mm >= 10
    inside = SCAN.voxels[reference.region.inside].astype(float)
    assert reference.mean == pytest.approx(inside.mean())
    assert reference.deviation == pytest.approx(inside.std(ddof=1))
    assert reference.mean == pytest.approx(100, abs=5)


def test_it_lies_on_the_lesions_side_at_the_place_it_says() -> None:
    reference = place_liver_reference(SCAN, LIVER, LESIONS)
    x, y, z = (axis[reference.region.inside].mean() for axis in _positions())
    assert reference.centre_mm == pytest.approx((x, y, z), abs=1e-6)
    assert reference.same_side
    assert x < 0
    mirrored = [replace(lesion, inside=lesion.inside[:, :, ::-1]) for lesion in LESIONS]
    scan = replace(SCAN, voxels=SCAN.voxels[:, :, ::-1])
    assert place_liver_reference(scan, LIVER, mirrored).centre_mm[0] > 0


def test_what_the_image_does_not_cover_hides_no_vessel() -> None:
    """A cyst is the most even place; the image ends beside the liver and in it."""
    cyst = _ball((-20.0, 20.0, 0.0), 9.0, "cyst")
    values = SCAN.voxels.astype(np.float32)
    values[cyst.inside] = 5
    values[:2] = np.nan
    values[~LIVER.inside & (np.indices(GRID.shape_zyx)[0] < 6)] = np.nan
    reference = place_liver_reference(replace(SCAN, voxels=values), LIVER, LESIONS)
    assert not (reference.region.inside & cyst.inside).any()
    assert reference.mean == pytest.approx(100, abs=5)


def test_the_same_scan_gives_the_same_place() -> None:
    first, second = (place_liver_reference(SCAN, LIVER, LESIONS) for _ in range(2))
    assert first.centre_mm == second.centre_mm
    assert (first.region.inside == second.region.inside).all()


def test_the_most_even_place_wins() -> None:
    quiet = _ball((-20.0, 20.0, 0.0), 9.0, "quiet")
    values = SCAN.voxels.copy()
    values[quiet.inside] = 100
    reference = place_liver_reference(replace(SCAN, voxels=values), LIVER, LESIONS, VESSEL)
    assert reference.deviation == 0
    assert quiet.inside[reference.region.inside].all()


@pytest.mark.parametrize(
    "centre_mm",
    [(-15.0, 0.0, 0.0), (-10.0, -12.0, 0.0), (-5.0, 42.0, 0.0), (20.0, 20.0, 0.0)],
    ids=["7 mm from the lesion", "into a vessel", "2 mm from the edge", "on the other side"],
)
def test_an_even_place_that_is_not_allowed_does_not_win(
    centre_mm: tuple[float, float, float],
) -> None:
    bait = _ball(centre_mm, 9.0, "bait")
    values = SCAN.voxels.copy()
    values[bait.inside] = 100
    scan = replace(SCAN, voxels=values)
    assert place_liver_reference(scan, LIVER, LESIONS[:1], VESSEL).deviation > 0


def test_without_room_on_the_lesions_side_it_goes_to_the_other_and_says_so() -> None:
    whole_side = Region(LIVER.inside & (_positions()[0] < -2), GRID, "tumour")
    reference = place_liver_reference(SCAN, LIVER, [whole_side], VESSEL)
    assert not reference.same_side
    assert reference.centre_mm[0] > 0


def test_without_room_or_lesion_the_case_fails() -> None:
    with pytest.raises(CaseError, match=r"no place for a liver reference of 6.2 mm radius"):
        place_liver_reference(SCAN, _ball((0, 0, 0), 10.0, "liver"), LESIONS)
    nothing = replace(LIVER, inside=np.zeros_like(LIVER.inside))
    with pytest.raises(CaseError, match="no lesion to place a liver reference for"):
        place_liver_reference(SCAN, LIVER, [nothing])
