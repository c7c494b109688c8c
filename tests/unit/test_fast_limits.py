"""What the fast engine refuses instead of giving a wrong number or taking all memory."""

from typing import Any

import numpy as np
import pytest

from pipeline.config.extraction import ExtractionParameters
from pipeline.domain.errors import CaseError
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.features.fast.engine import FastEngine

GRID = Geometry((14, 13, 12), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
NOISE = np.random.default_rng(0).normal(60, 30, GRID.shape_zyx)
INSIDE = np.zeros(GRID.shape_zyx, dtype=bool)
INSIDE[3:9, 3:10, 3:11] = True
REGION = Region(INSIDE, GRID, "tumour")


def _extract(values: "np.ndarray[Any, Any]", **content: object) -> dict[str, float]:
    parameters = ExtractionParameters.model_validate(content)
    return FastEngine().extract(Scan(values, GRID, Modality.CT), REGION, parameters)


def test_sums_of_neighbours_beyond_whole_numbers_are_refused() -> None:
    values = np.full(GRID.shape_zyx, 4e6)
    values[4, 4, 4] = 0
    settings = {"binWidth": 1, "distances": [1, 2, 3, 4]}
    with pytest.raises(CaseError, match="728 neighbours, too many to be summed up"):
        _extract(values, featureClass={"ngtdm": None}, setting=settings)


@pytest.mark.parametrize("feature_class", ["firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"])
def test_a_filter_that_spreads_what_is_no_number_into_the_region_is_noticed(
    feature_class: str,
) -> None:
    values = NOISE.copy()
    values[2, 5, 5] = np.nan  # beside the region, not in it
    content = {"imageType": {"Gradient": {}}, "featureClass": {feature_class: None}}
    with pytest.raises(CaseError, match="values that are not finite numbers"):
        _extract(values, **content)


def test_grey_levels_beyond_the_memory_for_their_pairs_are_refused() -> None:
    grid = Geometry((20, 20, 20), GRID.spacing_mm, GRID.origin_mm, GRID.direction)
    values = np.arange(8000.0).reshape(20, 20, 20)
    large = values >= 400  # all but one slice
    parameters = ExtractionParameters.model_validate(
        {"featureClass": {"ngtdm": None}, "setting": {"binWidth": 1}}
    )
    with pytest.raises(CaseError, match="7600 grey levels, too many for the NGTDM"):
        FastEngine().extract(
            Scan(values, grid, Modality.CT), Region(large, grid, "tumour"), parameters
        )


def test_an_outlier_does_not_take_memory_for_the_levels_below_it() -> None:
    values = NOISE.copy()
    values[5, 5, 5] = 1e6
    with pytest.raises(CaseError, match="grey levels up to 1000"):
        _extract(values, featureClass={"glcm": None}, setting={"binWidth": 1})


def test_a_sigma_far_below_a_voxel_is_refused() -> None:
    with pytest.raises(CaseError, match=r"sigma of 0\.001 mm is too narrow for voxels of 1 mm"):
        _extract(NOISE, imageType={"LoG": {"sigma": [0.001]}})


def test_bins_finer_than_the_numbers_are_refused() -> None:
    values = 1e16 + 2 * np.round(NOISE / 30)
    with pytest.raises(CaseError, match="no room for the bins"):
        _extract(values, setting={"binCount": 1000})


def test_a_grid_of_absurd_fineness_is_refused_before_memory_is_taken() -> None:
    with pytest.raises(CaseError, match="expected at most 1073741824"):
        _extract(NOISE, setting={"resampledPixelSpacing": [1e-3, 1e-3, 1e-3]})


def test_two_slices_are_interpolated_to_finite_and_repeatable_numbers() -> None:
    """ITK's spline reads outside its memory there, so there is no number of PyRadiomics'."""
    grid = Geometry((14, 13, 2), (1.0, 1.0, 5.0), GRID.origin_mm, GRID.direction)
    inside = np.zeros(grid.shape_zyx, dtype=bool)
    inside[:, 3:10, 3:11] = True
    scan, region = Scan(NOISE[:2].copy(), grid, Modality.CT), Region(inside, grid, "tumour")
    parameters = ExtractionParameters.model_validate(
        {"setting": {"resampledPixelSpacing": [1, 1, 2]}}
    )
    once, again = (FastEngine().extract(scan, region, parameters) for _ in range(2))
    assert once == again
    assert np.isfinite(list(once.values())).all()
