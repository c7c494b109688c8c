"""GLCM and GLRLM features of regions at the edge of what can be computed equal PyRadiomics'."""

from typing import Any

import numpy as np
import pytest
from texture_reference import compare_glcm, compare_glrlm, region

from pipeline.features.fast.angle_matrices import mean_over_angles
from pipeline.features.fast.cooccurrence_runs import TextureMatrices, count_cooccurrences_and_runs
from pipeline.features.fast.discretisation import discretise
from pipeline.features.fast.glcm import compute_glcm
from pipeline.features.fast.glrlm import compute_glrlm
from pipeline.features.fast.grey_levels import RegionImage
from pipeline.features.fast.texture_settings import TextureSettings

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # PyRadiomics' empty averages
NAN = float("nan")


def _noise(shape: tuple[int, int, int], spread: float, dtype: Any = np.float64) -> Any:
    return np.random.default_rng(7).normal(0, spread, shape).astype(dtype)


def _apart() -> Any:
    """Two slabs that do not touch, and voxels without a neighbour."""
    inside = np.zeros((7, 7, 7), np.bool_)
    inside[:2], inside[4:, 3:], inside[3, 0, 0], inside[3, 0, 6] = True, True, True, True
    return inside


REGIONS = {
    "flat": region(np.full((3, 4, 5), 30, np.int16)),
    "two voxels": region(np.array([[[0, 30]]], np.int16)),
    "line": region(_noise((1, 1, 20), 60)),
    "plane": region(_noise((1, 9, 8), 60)),
    "volume": region(_noise((9, 8, 7), 60, np.int16)),
    "float32": region(_noise((9, 8, 7), 60, np.float32)),
    "apart": region(_noise((7, 7, 7), 60), _apart()),
    "missing levels": region(np.where(_noise((6, 6, 6), 1) > 0.5, 900, 20).astype(np.int16)),
    "anisotropic": region(_noise((6, 7, 8), 60), spacing_mm=(0.5, 0.7, 1.5)),
    "two levels": region(np.indices((4, 4, 4)).sum(axis=0) % 2 * 30.0),
}
SETTINGS = {
    "default": TextureSettings(),
    "asymmetric": TextureSettings(symmetrical_glcm=False),
    "weighted": TextureSettings(weighting_norm="euclidean"),
    "unweighted": TextureSettings(weighting_norm="no_weighting"),
    "far": TextureSettings(distances=(1, 2)),
}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("image", REGIONS.values(), ids=REGIONS)
def test_glcm_equals_pyradiomics(image: RegionImage, settings: TextureSettings) -> None:
    compared = compare_glcm(image, settings)

    assert compared.ours == pytest.approx(compared.reference, rel=1e-9, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("image", REGIONS.values(), ids=REGIONS)
def test_glrlm_equals_pyradiomics(image: RegionImage, settings: TextureSettings) -> None:
    compared = compare_glrlm(image, settings)

    assert compared.ours == pytest.approx(compared.reference, rel=1e-9, abs=1e-12, nan_ok=True)


def test_hundreds_of_levels_equal_pyradiomics() -> None:
    image = region(_noise((14, 14, 14), 1100))
    glcm, glrlm = (compare(image, SETTINGS["default"]) for compare in (compare_glcm, compare_glrlm))

    assert len(discretise(image, SETTINGS["default"]).present) > 200
    assert glcm.ours == pytest.approx(glcm.reference, rel=1e-9)
    assert glrlm.ours == pytest.approx(glrlm.reference, rel=1e-9)


def test_a_single_level_is_fully_correlated() -> None:
    features = compare_glcm(REGIONS["flat"], SETTINGS["default"]).ours

    assert (features["Correlation"], features["MCC"]) == (1.0, 1.0)
    assert (features["Imc1"], features["Imc2"]) == (0.0, 0.0)


def test_a_chequerboard_is_fully_dependent() -> None:
    """Along half of the 13 directions levels alternate, along the others they stay equal."""
    features = compare_glcm(REGIONS["two levels"], SETTINGS["default"]).ours

    assert features["MCC"] == pytest.approx(1.0)
    # Steps of an odd sum alternate: 3 axes and 4 space diagonals.
    assert features["Contrast"] == pytest.approx(7 / 13)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_voxels_without_neighbours_give_what_pyradiomics_gives(settings: TextureSettings) -> None:
    corners = np.zeros((4, 4, 4), np.bool_)
    corners[::3, ::3, ::3] = True
    image = region(np.full((4, 4, 4), 30.0), corners)

    for compare in (compare_glcm, compare_glrlm):
        compared = compare(image, settings)
        assert compared.ours == pytest.approx(compared.reference, nan_ok=True)
    # With a single level, PyRadiomics has MCC = 1 unless the only matrix is empty.
    assert compare_glcm(image, SETTINGS["default"]).ours["MCC"] == 1.0
    assert np.isnan(compare_glcm(image, SETTINGS["weighted"]).ours["MCC"])


def test_mcc_is_left_out_where_it_is_not_wanted() -> None:
    levels = discretise(REGIONS["volume"], SETTINGS["default"])
    matrices = count_cooccurrences_and_runs(levels, SETTINGS["default"], True, False)

    everything = compute_glcm(matrices, levels)
    rest = compute_glcm(matrices, levels, frozenset({"Contrast"}))

    assert everything.keys() - rest.keys() == {"MCC"}


def test_features_of_what_was_not_counted_are_an_error() -> None:
    levels = discretise(REGIONS["volume"], SETTINGS["default"])

    with pytest.raises(ValueError, match="co-occurrences were not counted"):
        compute_glcm(TextureMatrices(None, None), levels)
    with pytest.raises(ValueError, match="runs were not counted"):
        compute_glrlm(TextureMatrices(None, None), levels)


def test_angles_without_a_value_are_left_out_of_the_average() -> None:
    means = mean_over_angles({"some": np.array([1.0, NAN, 3.0]), "none": np.full(3, NAN)})

    assert means == pytest.approx({"some": 2.0, "none": NAN}, nan_ok=True)
