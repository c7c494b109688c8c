"""Grey levels: bin edges, their types and what cannot be binned."""

import numpy as np
import pytest
from texture_reference import region

from pipeline.domain.errors import CaseError
from pipeline.features.fast.discretisation import discretise, find_edges
from pipeline.features.fast.texture_settings import TextureSettings

WIDTH_25 = TextureSettings()


def test_bins_begin_at_a_multiple_of_the_width() -> None:
    edges = find_edges(np.int16(54), np.int16(166), WIDTH_25)

    # The example of PyRadiomics' documentation, and the edge above that closes nothing.
    assert edges.tolist() == [50, 75, 100, 125, 150, 175, 200]


def test_a_value_on_an_edge_belongs_to_the_bin_above() -> None:
    levels = discretise(region([[[-25, -1, 0, 24, 25, 100]]]), WIDTH_25)

    assert levels.levels.tolist() == [[[1, 1, 2, 2, 3, 6]]]
    assert levels.present.tolist() == [1, 2, 3, 6]
    assert levels.highest == 6


def test_voxels_outside_the_region_have_level_0_and_no_say() -> None:
    image = region(
        np.array([[[np.nan, 30.0, 80.0, -1e9]]]), np.array([[[False, True, True, False]]])
    )

    levels = discretise(image, WIDTH_25)

    assert levels.levels.tolist() == [[[0, 1, 3, 0]]]


@pytest.mark.parametrize("value", [0, 7, 50])
def test_a_flat_region_has_level_1(value: int) -> None:
    levels = discretise(region(np.full((2, 2, 2), value, np.int16)), WIDTH_25)

    assert levels.present.tolist() == [1]


def test_the_highest_value_belongs_to_the_last_of_a_number_of_bins() -> None:
    levels = discretise(region([[[0.0, 1.0, 2.0, 3.0, 4.0]]]), TextureSettings(bin_count=2))

    assert levels.levels.tolist() == [[[1, 1, 2, 2, 2]]]


def test_edges_of_a_width_that_is_no_binary_fraction_are_sums_from_the_first() -> None:
    width = 0.1
    edges = find_edges(np.float64(0.0), np.float64(0.95), TextureSettings(bin_width=width))

    assert edges[3] == 3 * width != 0.3
    levels = discretise(region([[[0.0, 0.3, 0.95]]]), TextureSettings(bin_width=width))
    assert levels.levels.tolist() == [[[1, 3, 10]]]  # 0.3 lies below the edge


def test_no_bin_fits_above_the_largest_number_of_a_type() -> None:
    image = region(np.array([[[0, 32760]]], np.int16))

    with pytest.raises(CaseError, match="int16, has no room for the bins"):
        discretise(image, TextureSettings(bin_width=25))


def test_values_that_are_not_finite_are_refused() -> None:
    with pytest.raises(CaseError, match="not finite"):
        discretise(region([[[0.0, np.inf]]]), WIDTH_25)


def test_a_width_for_another_unit_is_refused() -> None:
    with pytest.raises(CaseError, match="set a larger binWidth"):
        discretise(region([[[0.0, 1e9]]]), TextureSettings(bin_width=0.01))
