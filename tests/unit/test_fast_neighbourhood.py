"""GLDM, NGTDM and GLSZM: matrices printed in the documentation of PyRadiomics, and limits."""

import numpy as np
import pytest
from texture_reference import region

from pipeline.domain.errors import CaseError
from pipeline.features.fast.discretisation import discretise
from pipeline.features.fast.gldm import compute_gldm
from pipeline.features.fast.glszm import compute_glszm, count_zones
from pipeline.features.fast.grey_levels import GreyLevels
from pipeline.features.fast.neighbourhood import count_neighbourhoods
from pipeline.features.fast.neighbours import find_steps
from pipeline.features.fast.ngtdm import compute_ngtdm
from pipeline.features.fast.texture_settings import TextureSettings

SETTINGS = TextureSettings(bin_width=1.0)

PLANE_OF_FIVE_LEVELS = [
    [5, 2, 5, 4, 4],
    [3, 3, 3, 1, 3],
    [2, 1, 1, 1, 3],
    [4, 2, 2, 2, 3],
    [3, 5, 3, 3, 2],
]
"""The example of PyRadiomics' pages on GLDM and GLSZM."""


def grey_levels(values: object) -> GreyLevels:
    """Make levels of whole numbers; 0 is outside."""
    array = np.array(values, np.int16)
    return discretise(region(array, array > 0), SETTINGS)


def test_dependence_matrix_of_the_documentation() -> None:
    levels = grey_levels([PLANE_OF_FIVE_LEVELS])

    table = count_neighbourhoods(levels, SETTINGS).dependence

    expected = [[0, 1, 2, 1], [1, 2, 3, 0], [1, 4, 4, 0], [1, 2, 0, 0], [3, 0, 0, 0]]
    assert table[1:, :4].tolist() == expected
    assert not table[0].any()
    assert not table[:, 4:].any()


def test_difference_matrix_of_the_documentation() -> None:
    levels = grey_levels([[[1, 2, 5, 2], [3, 5, 1, 3], [1, 3, 5, 5], [3, 1, 1, 1]]])

    found = count_neighbourhoods(levels, SETTINGS)

    assert found.voxels.tolist() == [0, 6, 2, 4, 0, 4]
    # From the sums worked out there; the table above them prints 2.63 for level 3.
    of_level_3 = (3 - 12 / 5) + (18 / 5 - 3) + (3 - 20 / 8) + (3 - 5 / 3)
    assert found.differences[1:] == pytest.approx([13.35, 2, of_level_3, 0, 10.075], rel=1e-12)


def test_size_zone_matrix_of_the_documentation() -> None:
    zones = count_zones(grey_levels([PLANE_OF_FIVE_LEVELS]), SETTINGS)

    found = np.zeros((5, 5), int)
    found[zones.levels.astype(int) - 1, zones.sizes.astype(int) - 1] = zones.counts
    assert found.tolist() == [
        [0, 0, 0, 1, 0],
        [1, 0, 0, 0, 1],
        [1, 0, 1, 0, 1],
        [1, 1, 0, 0, 0],
        [3, 0, 0, 0, 0],
    ]


def test_dependence_within_alpha() -> None:
    settings = TextureSettings(bin_width=1.0, gldm_a=1)

    table = count_neighbourhoods(grey_levels([[[1, 2, 4, 0, 1]]]), settings).dependence

    # 1-2 depend on each other; 4 does not, nor the 1 beyond the voxel outside.
    assert np.argwhere(table).tolist() == [[1, 0], [1, 1], [2, 1], [4, 0]]


def test_alpha_above_all_levels_counts_neighbours() -> None:
    settings = TextureSettings(bin_width=1.0, gldm_a=1e9)

    table = count_neighbourhoods(grey_levels([[[1, 9, 0], [5, 2, 0]]]), settings).dependence

    assert table[:, 3].sum() == table.sum() == 4


def test_distance_given_twice_counts_neighbours_twice() -> None:
    settings = TextureSettings(bin_width=1.0, distances=(1, 1))

    table = count_neighbourhoods(grey_levels([[[1, 1, 2]]]), settings).dependence

    assert np.argwhere(table).tolist() == [[1, 2], [2, 0]]


def test_voxels_without_neighbours_count_with_no_difference() -> None:
    found = count_neighbourhoods(grey_levels([[[1, 0, 3]]]), SETTINGS)

    assert (found.voxels.tolist(), found.differences.tolist()) == ([0, 1, 0, 1], [0, 0, 0, 0])
    assert compute_ngtdm(found) == {
        "Coarseness": 1e6,
        "Complexity": 0,
        "Contrast": 0,
        "Busyness": 0,
        "Strength": 0,
    }


def test_only_what_is_wanted_is_counted() -> None:
    levels = grey_levels([PLANE_OF_FIVE_LEVELS])

    gldm = count_neighbourhoods(levels, SETTINGS, ngtdm=False)
    ngtdm = count_neighbourhoods(levels, SETTINGS, gldm=False)

    assert gldm.dependence.sum() == ngtdm.voxels.sum() == 25
    assert ngtdm.differences.any()
    assert not ngtdm.dependence.any()
    assert not gldm.differences.any()


@pytest.mark.parametrize("first", [1, 3_000, 70_000])
def test_high_levels_do_not_overflow(first: int) -> None:
    values = np.array([[[0, first, first, 2 * first]]], np.float32)
    levels = discretise(region(values), SETTINGS)

    found = count_neighbourhoods(levels, SETTINGS)

    # Neighbours' means: first, first / 2, 3 / 2 first and first again.
    assert found.differences[[1, first + 1, 2 * first + 1]].tolist() == [first, first, first]
    assert count_zones(levels, SETTINGS).sizes.tolist() == [1, 2, 1]


def test_one_zone_that_winds_through_the_whole_region() -> None:
    rows = np.ones((41, 41), int)
    rows[1::4, :-1] = rows[3::4, 1:] = 2  # walls with a gap at alternate ends

    zones = count_zones(grey_levels([rows]), SETTINGS)

    sizes = {level: zones.sizes[zones.levels == level].tolist() for level in (1, 2)}
    assert sizes == {1: [41 * 41 - 20 * 40], 2: [40.0]}
    assert zones.counts.tolist() == [20, 1]


def test_zones_stay_in_their_plane() -> None:
    levels = grey_levels(np.ones((3, 2, 2)))

    in_plane = TextureSettings(bin_width=1.0, force_2d=True, force_2d_axis=1)

    assert count_zones(levels, SETTINGS).sizes.tolist() == [12]
    assert count_zones(levels, in_plane).sizes.tolist() == [6]
    assert count_zones(levels, in_plane).counts.tolist() == [2]


def test_features_of_one_zone() -> None:
    found = compute_glszm(grey_levels(np.full((1, 1, 4), 1)), SETTINGS)

    assert found["ZonePercentage"] == 0.25
    assert (found["LargeAreaEmphasis"], found["SmallAreaEmphasis"]) == (16, 1 / 16)
    assert (found["ZoneVariance"], found["GrayLevelVariance"]) == (0, 0)


def test_dependence_features_count_the_voxel_itself() -> None:
    found = compute_gldm(count_neighbourhoods(grey_levels([[[1, 1, 1]]]), SETTINGS))

    assert found["LargeDependenceEmphasis"] == pytest.approx((4 + 9 + 4) / 3)
    assert found["DependenceNonUniformity"] == pytest.approx((4 + 1) / 3)


@pytest.mark.parametrize(
    ("shape", "settings", "expected"),
    [
        ((9, 9, 9), TextureSettings(), 26),
        ((9, 9, 9), TextureSettings(distances=(1, 2)), 124),
        ((9, 9, 9), TextureSettings(distances=(3,)), 7**3 - 5**3),
        ((9, 9, 9), TextureSettings(force_2d=True), 8),
        ((9, 1, 9), TextureSettings(), 8),
        ((9, 1, 9), TextureSettings(force_2d=True), 2),
        ((1, 1, 2), TextureSettings(), 2),
    ],
)
def test_number_of_neighbours(
    shape: tuple[int, int, int], settings: TextureSettings, expected: int
) -> None:
    assert len(find_steps(shape, settings, settings.distances)) == expected


def test_repeated_distances_repeat_the_first_steps() -> None:
    # As cMatrices.generate_angles of PyRadiomics lists them.
    steps = find_steps((1, 1, 5), TextureSettings(), (1, 1, 2))

    assert [x for _, _, x in steps] == [2, 1, -1, -2, 2, 1]


@pytest.mark.parametrize(
    ("shape", "settings"),
    [
        ((1, 1, 1), TextureSettings()),
        ((3, 1, 1), TextureSettings(force_2d=True)),
        ((3, 3, 3), TextureSettings(distances=(3,))),
        ((3, 3, 3), TextureSettings(distances=(0, 1))),
    ],
)
def test_no_neighbours_are_an_error(shape: tuple[int, int, int], settings: TextureSettings) -> None:
    with pytest.raises(CaseError, match=r"distances \[\d.*Leave this region out"):
        find_steps(shape, settings, settings.distances)
