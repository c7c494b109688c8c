"""Masks copied from the reference phase go where registration says; others stay."""

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.config.registration import RegistrationMethod
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.imaging.alignment import Alignment, Displacement, RigidMotion
from pipeline.imaging.copied_masks import carry_region, is_copy, place_copies
from pipeline.imaging.crop import Box, crop_region
from pipeline.imaging.intensity import IntensityReference
from pipeline.imaging.prepared import PreparedCase
from pipeline.imaging.registration import Registration
from pipeline.imaging.registration_verdict import Quality

GRID = Geometry((24, 20, 16), (2.0, 2.0, 3.0), (-10.0, 5.0, 7.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
MOVED = Alignment(RigidMotion(translation_mm=(4.0, -2.0, 9.0)))
"""2, -1 and 3 voxels along x, y, z."""


def _box(*slices_zyx: slice) -> Region:
    inside: npt.NDArray[np.bool_] = np.zeros(GRID.shape_zyx, dtype=np.bool_)
    inside[slices_zyx] = True
    return Region(inside, GRID, "tumour")


TUMOUR = _box(slice(4, 8), slice(6, 12), slice(5, 14))
THERE = _box(slice(7, 11), slice(5, 11), slice(7, 16))
OWN = _box(slice(7, 11), slice(5, 11), slice(7, 15))


def _case(tumour: Region) -> PreparedCase:
    scan = Scan(np.zeros(GRID.shape_zyx, dtype=np.int16), GRID, Modality.CT)
    return PreparedCase(scan, {"tumour": tumour}, {"image": IntensityReference(0.0, 1.0)})


def _found(alignment: Alignment, failure: str = "") -> Registration:
    method = RegistrationMethod.NONE if failure else RegistrationMethod.RIGID
    return Registration(alignment, method, Quality(), failure)


@pytest.mark.parametrize(
    ("drawn", "registration", "expected"),
    [
        (TUMOUR, _found(MOVED), THERE),
        (OWN, _found(MOVED), OWN),
        (TUMOUR, _found(Alignment()), TUMOUR),
    ],
    ids=["copied", "own", "at rest"],
)
def test_only_a_copied_mask_of_a_moved_phase_is_placed(
    drawn: Region, registration: Registration, expected: Region
) -> None:
    phases = {"arterial": _case(TUMOUR), "native": _case(drawn)}
    placed, misplaced = place_copies(phases, {"native": registration})
    assert np.array_equal(placed["native"].regions["tumour"].inside, expected.inside)
    assert placed["arterial"] is phases["arterial"]
    assert misplaced == {}


@pytest.mark.parametrize(
    ("drawn", "registration", "misplaced"),
    [
        (
            TUMOUR,
            _found(Alignment(), "not registered: noise"),
            {"native": "the native phase has a copied mask and is not registered"},
        ),
        (OWN, _found(Alignment(), "not registered: noise"), {}),
        (
            TUMOUR,
            _found(Alignment(RigidMotion(translation_mm=(0.0, 0.0, 27.0)))),
            {"native": "the tumour lies beyond the native phase's image"},
        ),
    ],
    ids=["failed", "own, failed", "outside"],
)
def test_a_copied_mask_without_a_place_says_why(
    drawn: Region, registration: Registration, misplaced: dict[str, str]
) -> None:
    phases = {"arterial": _case(TUMOUR), "native": _case(drawn)}
    assert place_copies(phases, {"native": registration})[1] == misplaced


def test_a_copy_is_told_by_its_voxels_however_the_scan_was_cropped() -> None:
    cropped = crop_region(TUMOUR, Box((3, 2, 1), (20, 18, 12)))
    assert is_copy(cropped, TUMOUR)
    assert not is_copy(THERE, TUMOUR)  # the same shape elsewhere
    assert not is_copy(OWN, THERE)
    empty = Region(np.zeros_like(TUMOUR.inside), GRID, "tumour")
    assert not is_copy(empty, empty)


def test_a_displacement_carries_a_mask_as_the_shift_of_its_vectors_does() -> None:
    vectors = np.tile(np.array([4.0, -2.0, 9.0], np.float32), (*GRID.shape_zyx, 1))
    bent = Alignment(displacement=Displacement(vectors, GRID))
    assert np.array_equal(carry_region(TUMOUR, bent, GRID).inside, THERE.inside)
