"""Rings of spheres have the volume that geometry says, within the error of their voxels."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from pipeline.domain.errors import CaseError
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Region
from pipeline.imaging.rings import peritumoural_ring

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


def _grid(spacing_mm: tuple[float, float, float], half_mm: float = 40.0) -> Geometry:
    i, j, k = (2 * round(half_mm / step) + 1 for step in spacing_mm)
    return Geometry((i, j, k), spacing_mm, (0.0, 0.0, 0.0), IDENTITY)


def _ball(geometry: Geometry, centre_mm: tuple[float, float, float], radius_mm: float) -> Region:
    """Return the voxels whose centres are within the radius; centre from the grid's middle."""
    z, y, x = np.indices(geometry.shape_zyx)
    offsets = np.stack([x, y, z], axis=-1) - (np.array(geometry.size) - 1) / 2
    distance = np.linalg.norm(offsets * geometry.spacing_mm - np.array(centre_mm), axis=-1)
    return Region(distance <= radius_mm, geometry, "ball")


def _everything(geometry: Geometry) -> Region:
    return Region(np.ones(geometry.shape_zyx, dtype=bool), geometry, "liver")


def _sphere_mm3(radius_mm: float) -> float:
    return 4 / 3 * np.pi * radius_mm**3


@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0, 1.0), (0.7, 0.7, 2.5), (1.4, 0.9, 5.0)])
@pytest.mark.parametrize("width_mm", [5.0, 10.0])
def test_a_ring_of_a_sphere_has_its_volume(
    spacing_mm: tuple[float, float, float], width_mm: float
) -> None:
    """Bounds from half a voxel's diagonal h, the farthest that a position is from a voxel centre.

    Centres within r fill at least the sphere of r - h and lie within that of r + h. A centre at r
    from the middle is within r - (R - h) + h of the centre of a tumour voxel, as the sphere of
    R - h is filled; so the ring has all centres between R and R + width - 2 h, and none outside
    R to R + width.
    """
    geometry = _grid(spacing_mm)
    radius_mm, h = 15.0, float(np.linalg.norm(spacing_mm)) / 2
    tumour = _ball(geometry, (0.3, -0.2, 0.4), radius_mm)
    ring = peritumoural_ring(tumour, _everything(geometry), width_mm)
    upper = _sphere_mm3(radius_mm + width_mm + h) - _sphere_mm3(radius_mm - h)
    lower = _sphere_mm3(radius_mm + width_mm - 3 * h) - _sphere_mm3(radius_mm + h)
    assert lower < ring.volume_mm3 < upper
    if max(spacing_mm) <= 1:
        expected = _sphere_mm3(radius_mm + width_mm) - _sphere_mm3(radius_mm)
        assert ring.volume_mm3 == pytest.approx(expected, rel=0.15)


def test_a_voxel_grows_to_the_voxels_counted_by_hand() -> None:
    """Spacing 2, 2, 5 mm: within 5 mm lie 21 - 1 voxels of its slice and one above and below."""
    geometry = Geometry((9, 9, 5), (2.0, 2.0, 5.0), (0.0, 0.0, 0.0), IDENTITY)
    inside = np.zeros(geometry.shape_zyx, dtype=bool)
    inside[2, 4, 4] = True
    ring = peritumoural_ring(Region(inside, geometry, "tumour"), _everything(geometry), 5.0)
    assert ring.inside.sum(axis=(1, 2)).tolist() == [0, 1, 20, 1, 0]
    assert ring.name == "ring_5mm"


def test_a_ring_stays_in_the_liver_and_out_of_what_is_excluded() -> None:
    geometry = _grid((2.0, 2.0, 2.0))
    tumour = _ball(geometry, (0, 0, 0), 10.0)
    liver = _ball(geometry, (5.0, 0, 0), 15.0)
    other, vessel = _ball(geometry, (14.0, 0, 0), 4.0), _ball(geometry, (0, 13.0, 0), 2.0)
    ring = peritumoural_ring(tumour, liver, 10.0, [other, vessel])
    whole = peritumoural_ring(tumour, _everything(geometry), 10.0)
    expected = whole.inside & liver.inside & ~other.inside & ~vessel.inside
    assert (ring.inside == expected).all()
    assert not (ring.inside & tumour.inside).any()


def test_wider_rings_contain_narrower_ones() -> None:
    geometry = _grid((1.3, 1.7, 3.0))
    tumour = _ball(geometry, (20.0, 0, -20.0), 12.0)
    rings = [
        peritumoural_ring(tumour, _everything(geometry), width_mm).inside
        for width_mm in (3.0, 5.0, 10.0, 30.0)
    ]
    assert all((wide[narrow]).all() for narrow, wide in pairwise(rings))


def test_no_tumour_and_no_liver_around_it_are_failures_of_the_case() -> None:
    geometry = _grid((4.0, 4.0, 4.0))
    tumour = _ball(geometry, (0, 0, 0), 10.0)
    with pytest.raises(CaseError, match="no liver is left in the ring of 5 mm"):
        peritumoural_ring(tumour, tumour, 5.0)
    empty = replace(tumour, inside=np.zeros_like(tumour.inside))
    with pytest.raises(CaseError, match="all regions are empty"):
        peritumoural_ring(empty, tumour, 5.0)
