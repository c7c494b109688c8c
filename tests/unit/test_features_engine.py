import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import radiomics
from radiomics.featureextractor import RadiomicsFeatureExtractor

from pipeline.config.extraction import ExtractionParameters
from pipeline.domain.errors import CaseError, ConfigError
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.features.engine import choose_engine, load_engine
from pipeline.features.extraction import Extraction
from pipeline.features.pyradiomics_features import DEFAULTS, FEATURES
from pipeline.imaging.itk import region_to_itk, to_itk

GRID = Geometry((12, 11, 10), (0.9, 0.9, 2.5), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
NOISE = np.random.default_rng(0).normal(60, 30, GRID.shape_zyx)
SCAN = Scan(NOISE.astype(np.int16), GRID, Modality.CT)
OFFSETS = np.indices(GRID.shape_zyx) - np.reshape((5, 5, 6), (3, 1, 1, 1))
REGION = Region((OFFSETS**2).sum(axis=0) <= 9, GRID, "tumour")


def _parameters(content: dict[str, Any]) -> ExtractionParameters:
    return ExtractionParameters.model_validate(content)


def test_the_catalogue_of_features_and_defaults_is_pyradiomics_own() -> None:
    theirs = {name: kind.getFeatureNames() for name, kind in radiomics.getFeatureClasses().items()}
    assert {name: list(known.items()) for name, known in FEATURES.items()} == {
        name: list(known.items()) for name, known in theirs.items()
    }
    assert dict(DEFAULTS) == RadiomicsFeatureExtractor._getDefaultSettings()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"imageType": {"LBP2D": {}}}, "image type LBP2D"),
        ({"featureClass": {"glcm": ["Dissimilarity"]}}, "feature glcm_Dissimilarity"),
        ({"setting": {"correctMask": True}}, "setting correctMask"),
        ({"setting": {"interpolator": "sitkGaussian"}}, "interpolator sitkGaussian"),
        (
            {"imageType": {"Original": {"binWidth": -1}}},
            "setting binWidth: -1 (input should be greater than 0) of Original",
        ),
        (
            {"setting": {"unheard": 1}},
            "setting unheard: 1 (extra inputs are not permitted)",
        ),
        (
            {"setting": {"padDistance": 5.0}},
            "setting padDistance: 5.0 (input should be a valid integer)",
        ),
        ({"imageType": {"Wavelet": {"wavelet": "mexh"}}}, "wavelet mexh of Wavelet"),
        ({"imageType": {"LoG": {}}}, "image type LoG without sigma"),
    ],
)
def test_what_the_fast_engine_lacks_is_known_before_the_run(
    content: dict[str, Any], reason: str
) -> None:
    choice = choose_engine(_parameters(content))
    assert choice.engine.name == "pyradiomics"
    assert choice.reason == f"the fast engine does not cover {reason}"
    with pytest.raises(ConfigError, match=re.escape(reason)):
        load_engine("fast").feature_names(_parameters(content))


def test_the_fast_engine_is_the_default_and_pyradiomics_can_be_asked_for() -> None:
    assert choose_engine(ExtractionParameters()).engine.name == "fast"
    asked = choose_engine(_parameters({"pipeline": {"engine": "pyradiomics"}}))
    assert (asked.engine.name, asked.reason) == ("pyradiomics", "")


@pytest.mark.parametrize("engine", ["fast", "pyradiomics"])
def test_whole_numbers_are_truncated_when_resampled_and_floats_are_not(engine: str) -> None:
    """PyRadiomics lets ITK resample into the type of the file, toward zero."""
    resampled = {"resampledPixelSpacing": [1, 1, 1]}
    stored = _parameters({"setting": resampled, "pipeline": {"engine": engine}})
    floating = _parameters(
        {"setting": resampled, "pipeline": {"engine": engine, "intensity": "float"}}
    )
    cut = Extraction(stored, load_engine(engine)).compute(SCAN, REGION, {})
    whole = Extraction(floating, load_engine(engine)).compute(SCAN, REGION, {})
    minimum = "original_firstorder_Minimum"
    assert cut[minimum] == np.trunc(whole[minimum])
    assert cut[minimum] != whole[minimum]
    # Positive values lose half a unit on average.
    lost = whole["original_firstorder_Mean"] - cut["original_firstorder_Mean"]
    assert lost == pytest.approx(0.5, abs=0.05)


def test_the_same_values_as_floats_give_what_intensity_float_gives() -> None:
    floating = _parameters(
        {"setting": {"resampledPixelSpacing": [1, 1, 1]}, "pipeline": {"intensity": "float"}}
    )
    extraction = Extraction(floating, load_engine("fast"))
    converted = replace(SCAN, voxels=SCAN.voxels.astype(np.float64))
    assert extraction.compute(SCAN, REGION, {}) == extraction.compute(converted, REGION, {})


def test_voxels_that_are_not_numbers_are_refused() -> None:
    voxels = NOISE.copy()
    voxels[5, 5, 6] = np.nan
    with pytest.raises(CaseError, match="voxels in the tumour region that are not finite"):
        load_engine("fast").extract(replace(SCAN, voxels=voxels), REGION, ExtractionParameters())


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_shape_in_a_plane_is_given_where_pyradiomics_gives_it(axis: int) -> None:
    inside = np.zeros_like(REGION.inside)
    plane: list[slice | int] = [slice(None)] * 3
    plane[axis] = 5
    inside[tuple(plane)] = REGION.inside[tuple(plane)]
    flat = Region(inside, GRID, "tumour")
    content = {
        "featureClass": {"shape2D": None, "firstorder": ["Mean"]},
        "setting": {"force2D": True, "force2Ddimension": axis},
    }
    parameters = _parameters(content)
    assert choose_engine(parameters).engine.name == "fast"
    values = load_engine("fast").extract(SCAN, flat, parameters)
    expected = load_engine("pyradiomics").extract(SCAN, flat, parameters)
    assert list(values) == list(expected)
    assert list(values.values()) == pytest.approx(list(expected.values()), nan_ok=True, rel=1e-9)


@pytest.mark.parametrize("engine", ["fast", "pyradiomics"])
def test_a_mask_without_background_is_refused_as_pyradiomics_does(engine: str) -> None:
    full = replace(REGION, inside=np.ones_like(REGION.inside))
    with pytest.raises(CaseError, match="tumour region fills the whole image"):
        load_engine(engine).extract(SCAN, full, ExtractionParameters())
    with pytest.raises(ValueError, match="No labels found in this mask"):
        RadiomicsFeatureExtractor().execute(to_itk(SCAN), region_to_itk(full), label=1)
