"""Checks, re-segmentation and frames before filters."""

from typing import Any

import numpy as np
import pytest
from preparation_reference import assert_equal_to_pyradiomics, make_case, prepare_by_pyradiomics

from pipeline.domain.errors import CaseError
from pipeline.features.fast.preparation import prepare_image
from pipeline.features.fast.prepared_image import PreparedImage


def _case(*voxels_in: tuple[int, int, int]) -> Any:
    """A ramp along x from 0 to 11, and a region of single voxels (z, y, x)."""
    voxels = np.broadcast_to(np.arange(12, dtype=np.int16), (8, 10, 12)).copy()
    inside = np.zeros(voxels.shape, dtype=bool)
    for place in voxels_in:
        inside[place] = True
    return make_case(voxels, inside, (1.0, 1.0, 2.0))


def _bar() -> Any:
    """Voxels 2 to 9 along x in two rows of two slices."""
    return _case(*[(z, y, x) for z in (3, 4) for y in (5, 6) for x in range(2, 10)])


def test_without_resampling_the_frame_is_the_scan_itself() -> None:
    scan, region = _bar()
    prepared = prepare_image(scan, region, {})
    assert prepared.values is scan.voxels
    assert prepared.inside is region.inside
    assert prepared.shape_inside is region.inside
    assert prepared.spacing_mm == (1.0, 1.0, 2.0)
    assert prepared.box == (slice(3, 5), slice(5, 7), slice(2, 10))


@pytest.mark.parametrize(
    "settings",
    [
        {"preCrop": True, "padDistance": 1},
        {"resampledPixelSpacing": [1, 1, 2], "padDistance": 1},
        {"resampledPixelSpacing": [0, 0, 0], "padDistance": 1},
    ],
)
def test_cropped_frames_are_views_of_the_scan(settings: dict[str, Any]) -> None:
    scan, region = _bar()
    prepared = prepare_image(scan, region, settings)
    assert prepared.values.shape == (4, 4, 10)
    assert np.shares_memory(prepared.values, scan.voxels)
    assert_equal_to_pyradiomics(scan, region, settings)


@pytest.mark.parametrize(
    ("mode", "limits", "kept"),
    [
        ("absolute", [4, 6], range(4, 7)),
        ("absolute", [8.5, 3], range(3, 9)),  # PyRadiomics sorts them
        ("absolute", [7], range(7, 10)),
        ("relative", [0.5], range(5, 10)),  # of 9
        ("sigma", [-1, 1], range(4, 8)),  # mean 5.5, deviation sqrt(5.25) = 2.29
    ],
)
def test_resegmentation_keeps_the_range(mode: str, limits: list[float], kept: range) -> None:
    scan, region = _bar()
    settings = {"resegmentMode": mode, "resegmentRange": limits}
    prepared = prepare_image(scan, region, settings)
    assert sorted(set(prepared.values[prepared.inside])) == list(kept)
    assert_equal_to_pyradiomics(scan, region, settings)


def test_shape_is_cut_to_the_box_of_what_resegmentation_leaves() -> None:
    scan, region = _case((3, 5, 2), (3, 5, 4), (3, 6, 5), (3, 7, 6), (3, 7, 9))
    settings = {"resegmentRange": [4, 6], "minimumROIDimensions": 1}
    prepared = prepare_image(scan, region, settings)
    assert np.argwhere(prepared.inside)[:, 2].tolist() == [4, 5, 6]
    assert np.argwhere(prepared.shape_inside)[:, 2].tolist() == [4, 5, 6]
    settings["resegmentRange"] = [2, 6]
    scan.voxels[3, 6, 5] = 100  # left out, but within the box of the others
    prepared = prepare_image(scan, region, settings)
    assert np.argwhere(prepared.inside)[:, 2].tolist() == [2, 4, 6]
    assert np.argwhere(prepared.shape_inside)[:, 2].tolist() == [2, 4, 5, 6]
    assert_equal_to_pyradiomics(scan, region, settings)
    whole = prepare_image(scan, region, {**settings, "resegmentShape": True})
    np.testing.assert_array_equal(whole.shape_inside, whole.inside)


def test_normalisation_counts_the_whole_image() -> None:
    scan, region = _bar()
    settings = {"normalize": True, "normalizeScale": 100, "removeOutliers": 1}
    values = prepare_image(scan, region, settings).values
    mean, deviation = np.mean(scan.voxels), np.std(scan.voxels, ddof=1)
    expected = 100 * ((scan.voxels - mean) / deviation).clip(-1, 1)
    np.testing.assert_allclose(values, expected, rtol=1e-12)
    assert values.min() == -100
    assert_equal_to_pyradiomics(scan, region, settings)


@pytest.mark.parametrize(
    ("places", "settings", "reason"),
    [
        ([], {}, "has no voxel. Draw it"),
        ([(3, 5, 5)], {}, "only 1 voxel as drawn"),
        ([(3, 5, 5)], {"preCrop": True}, "only 1 voxel as drawn"),
        (
            [(3, 5, 5), (3, 5, 6)],
            {},
            r"has 1 dimension\(s\) as drawn.*minimumROIDimensions wants 2",
        ),
        (
            [(3, 5, 5), (3, 6, 6), (4, 6, 6)],
            {"minimumROISize": 3},
            "has 3 voxels as drawn.*minimumROISize wants more than 3",
        ),
        (
            [(3, 4, 4), (3, 7, 7)],
            {"resampledPixelSpacing": [6, 6, 2]},
            "has no voxel after resampling",
        ),
        (
            [(3, 5, 5), (3, 6, 9), (4, 6, 9)],
            {"resegmentRange": [0, 5]},
            "leaves 1 of 3 voxels of the tumour region",
        ),
        (
            [(3, 5, 5), (3, 5, 6), (4, 6, 9)],
            {"resegmentRange": [0, 6]},
            r"has 1 dimension\(s\) after re-segmentation",
        ),
    ],
)
def test_regions_that_pyradiomics_refuses(
    places: list[tuple[int, int, int]], settings: dict[str, Any], reason: str
) -> None:
    scan, region = _case(*places)
    with pytest.raises(ValueError, match=r"No labels|voxel|dimensions|too small|not present"):
        prepare_by_pyradiomics(scan, region, settings)
    with pytest.raises(CaseError, match=reason):
        prepare_image(scan, region, settings)


def test_a_region_that_fills_the_image_is_refused_like_an_empty_one() -> None:
    scan, region = _bar()
    region.inside[:] = True
    with pytest.raises(ValueError, match="No labels found in this mask"):
        prepare_by_pyradiomics(scan, region, {})
    with pytest.raises(CaseError, match="tumour region fills the whole image"):
        prepare_image(scan, region, {})


def test_relative_thresholds_that_do_not_fit_the_voxel_type_are_refused() -> None:
    scan, region = _bar()
    scan, region = make_case(scan.voxels.astype(np.uint8), region.inside)
    settings = {"resegmentMode": "relative", "resegmentRange": [-1, 1]}
    with pytest.raises(OverflowError, match="out of bounds for uint8"):
        prepare_by_pyradiomics(scan, region, settings)
    with pytest.raises(CaseError, match=r"resegmentRange.*uint8.*\[-1.0, 1.0\]"):
        prepare_image(scan, region, settings)


def test_a_cut_knows_where_the_frame_ends() -> None:
    scan, region = _bar()
    prepared = prepare_image(scan, region, {})
    cut = prepared.cut((1, 5, 2))
    assert cut.values.shape == (4, 10, 12)
    assert cut.box == (slice(1, 3), slice(5, 7), slice(2, 10))
    assert cut.at_frame_edge == ((False, False), (True, True), (True, True))
    assert isinstance(cut, PreparedImage)
    np.testing.assert_array_equal(cut.values[cut.inside], prepared.values[prepared.inside])
    again = cut.cut((1, 0, 0))
    assert again.at_frame_edge == ((False, False), (False, False), (False, False))
