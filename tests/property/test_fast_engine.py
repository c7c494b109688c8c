"""The fast engine against PyRadiomics itself, over combinations of its settings."""

import math
from typing import Any

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pipeline.config.extraction import ExtractionParameters
from pipeline.domain.errors import CaseError
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.features.engine import choose_engine, load_engine

FAST, PYRADIOMICS = load_engine("fast"), load_engine("pyradiomics")
TYPES = ("int16", "int32", "uint8", "float32", "float64")
DIRECTIONS = (
    (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0),
    (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0),
    (0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
    (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0),
)
IMAGE_TYPES: tuple[dict[str, dict[str, Any]], ...] = (
    {"Original": {}},
    {"LoG": {"sigma": [1.0, 3.0]}, "Original": {"binWidth": 10}},
    {"Wavelet": {}},
    {"Wavelet": {"wavelet": "haar", "level": 2, "start_level": 1}},
    {"Square": {}, "SquareRoot": {}, "Logarithm": {}, "Exponential": {}, "Gradient": {}},
)
PREPARATIONS: tuple[dict[str, Any], ...] = (
    {},
    {"resampledPixelSpacing": [1.0, 1.0, 1.0]},
    {"resampledPixelSpacing": [0, 0, 2.0], "interpolator": "sitkLinear", "padDistance": 2},
    {"resampledPixelSpacing": [1.3, 0.9, 1.7], "interpolator": "sitkNearestNeighbor"},
    {"normalize": True, "normalizeScale": 100, "removeOutliers": 3},
    {"preCrop": True},
    {"resegmentRange": [-40.0, 60.0]},
    {"resegmentRange": [2.0], "resegmentMode": "sigma", "resegmentShape": True},
)
TEXTURES: tuple[dict[str, Any], ...] = (
    {"binWidth": 25},
    {"binWidth": 7.3, "distances": [1, 2], "gldm_a": 1},
    {"binCount": 16, "symmetricalGLCM": False},
    {"weightingNorm": "euclidean", "voxelArrayShift": 300},
    {"weightingNorm": "no_weighting", "distances": [2]},
    {"force2D": True, "weightingNorm": "infinity"},
    {"force2D": True, "force2Ddimension": 2},
)


@st.composite
def _cases(draw: st.DrawFn) -> tuple[Scan, Region, ExtractionParameters]:
    size = draw(st.tuples(*[st.integers(4, 14)] * 3))
    spacing = draw(st.tuples(*[st.sampled_from([0.7, 1.0, 1.25, 2.5])] * 3))
    grid = Geometry(size, spacing, (-31.7, 12.0, 101.3), draw(st.sampled_from(DIRECTIONS)))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    smooth = draw(st.sampled_from([20.0, 80.0]))
    values = generator.normal(50, smooth, grid.shape_zyx)
    if draw(st.booleans()):
        values += 30 * np.indices(grid.shape_zyx)[draw(st.integers(0, 2))]
    voxels = (
        np.clip(values, 0, 255) if (kind := draw(st.sampled_from(TYPES))) == "uint8" else values
    )
    scan = Scan(voxels.astype(kind), grid, Modality.CT)
    radius = draw(st.floats(0.2, 1.2))
    places = np.moveaxis(np.indices(grid.shape_zyx), 0, -1) / np.array(grid.shape_zyx)
    centre = np.array(draw(st.tuples(*[st.floats(0, 1)] * 3)))
    inside = np.linalg.norm(places - centre, axis=-1) < radius / 2
    inside &= generator.random(inside.shape) < draw(st.sampled_from([0.5, 0.9, 1.0]))
    region = Region(inside, grid, "tumour")
    chosen = {**draw(st.sampled_from(PREPARATIONS)), **draw(st.sampled_from(TEXTURES))}
    parameters = ExtractionParameters.model_validate(
        {
            "imageType": draw(st.sampled_from(IMAGE_TYPES)),
            "setting": chosen,
            "pipeline": {"engine": "fast"},
        }
    )
    return scan, region, parameters


@given(_cases())
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
def test_same_names_and_values_as_pyradiomics(
    case: tuple[Scan, Region, ExtractionParameters],
) -> None:
    scan, region, parameters = case
    assume(region.inside.any())
    assert choose_engine(parameters).engine is FAST
    try:
        expected = PYRADIOMICS.extract(scan, region, parameters)
    except CaseError:
        try:
            FAST.extract(scan, region, parameters)
        except CaseError:
            return
        raise AssertionError("PyRadiomics refuses the case, the fast engine does not") from None
    values = FAST.extract(scan, region, parameters)
    assert list(values) == list(expected)
    assert {
        name: (values[name], other)
        for name, other in expected.items()
        if _differ(values[name], other)
    } == {}


def _differ(value: float, expected: float) -> bool:
    if math.isnan(expected) or math.isinf(expected):
        return repr(value) != repr(expected)
    return not math.isclose(value, expected, rel_tol=1e-6, abs_tol=1e-12)
