from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import gaussian_laplace
from scipy.stats import kurtosis

from pipeline.config.extraction import ExtractionParameters, load_extraction_parameters
from pipeline.domain.errors import CaseError, ConfigError
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.features.engine import choose_engine, load_engine
from pipeline.features.extraction import plan_extraction
from pipeline.features.fast.discretisation import discretise
from pipeline.features.fast.grey_levels import RegionImage
from pipeline.features.fast.texture_settings import TextureSettings
from pipeline.features.ibsi.codes import CODES, ibsi_codes
from pipeline.features.ibsi.definitions import redefine_firstorder, redefine_shape
from pipeline.features.ibsi.features import standard_images
from pipeline.features.ibsi.preprocessing import prepare_by_standard
from pipeline.features.pyradiomics_features import FEATURES

RANDOM = np.random.default_rng(11)


def _parameters(own: Any = None, **keys: Any) -> ExtractionParameters:
    pipeline = {"engine": "fast", "preset": "ibsi", **(own or {})}
    return ExtractionParameters.model_validate({**keys, "pipeline": pipeline})


def _case(values: Any, inside: Any, spacing: Any = (2.0, 2.0, 2.0)) -> tuple[Scan, Region]:
    z, y, x = values.shape
    grid = Geometry((x, y, z), spacing, (0.0, 0.0, 0.0), tuple(np.eye(3).ravel()))
    return Scan(values, grid, Modality.MR), Region(inside, grid, "tumour")


def _random_case(spacing: Any = (2.0, 2.0, 2.0)) -> tuple[Scan, Region]:
    values = RANDOM.normal(0, 50, (12, 13, 14))
    inside = np.zeros(values.shape, np.bool_)
    inside[0:7, 5:13, 3:9] = RANDOM.random((7, 8, 6)) < 0.9
    return _case(values, inside, spacing)


@pytest.mark.parametrize("planes", [False, True])
def test_log_is_the_sampled_gaussian_cut_off_at_four_deviations(planes: bool) -> None:
    scan, region = _random_case()
    parameters = _parameters(imageType={"LoG": {"sigma": [3.0]}}, setting={"force2D": planes})
    prepared = prepare_by_standard(scan, region, parameters)
    ((name, image, _),) = standard_images(prepared, parameters)
    volumes = scan.voxels if planes else scan.voxels[np.newaxis]
    filtered = [gaussian_laplace(one, 1.5, truncate=4.0) for one in volumes]
    expected = np.stack(filtered).reshape(scan.voxels.shape)
    assert name == "log-sigma-3-0-mm-3D"
    assert image.values[image.inside] == pytest.approx(expected[region.inside], rel=1e-9, abs=1e-9)


def test_log_needs_voxels_as_long_as_wide() -> None:
    scan, region = _random_case(spacing=(1.0, 1.0, 3.0))
    parameters = _parameters(imageType={"LoG": {"sigma": [2.0]}})
    prepared = prepare_by_standard(scan, region, parameters)
    with pytest.raises(CaseError, match="LoG is not defined by IBSI-2 for voxels of 1 x 1 x 3 mm"):
        list(standard_images(prepared, parameters))


def test_engine_gives_the_standards_definitions_under_pyradiomics_names() -> None:
    scan, region = _random_case()
    parameters = _parameters(setting={"binWidth": 25})
    found = load_engine("fast").extract(scan, region, parameters)
    plain = ExtractionParameters.model_validate({"setting": {"binWidth": 25}})
    assert list(found) == list(load_engine("fast").feature_names(plain))
    values = scan.voxels[region.inside]
    assert found["original_firstorder_Kurtosis"] == pytest.approx(kurtosis(values))
    positions_mm = np.argwhere(region.inside) * 2.0
    variances = np.linalg.eigvalsh(np.cov(positions_mm.T, ddof=1))
    lengths = [found[f"original_shape_{name}AxisLength"] for name in ("Least", "Minor", "Major")]
    assert lengths == pytest.approx(4 * np.sqrt(variances))


def test_a_flat_region_has_no_excess_kurtosis_and_a_voxel_no_axes() -> None:
    assert redefine_firstorder({"Kurtosis": 0.0, "Variance": 0.0})["Kurtosis"] == 0
    axes = {"MajorAxisLength": 0.0, "MinorAxisLength": 0.0, "LeastAxisLength": 0.0}
    assert np.isnan(redefine_shape(axes, 1)["MajorAxisLength"])
    assert redefine_shape({**axes, "MajorAxisLength": 3.0}, 2)["MajorAxisLength"] == 3 * sqrt(2)


def test_levels_are_counted_from_the_lowest_edge() -> None:
    values = np.array([[[0.0, 24.9, 25.0, 100.0]]])
    image = RegionImage(values, np.ones(values.shape, np.bool_), (1.0, 1.0, 1.0))
    levels = discretise(image, TextureSettings(bin_width=25), lowest_edge=-50)
    assert levels.levels.ravel().tolist() == [3, 3, 4, 7]
    assert levels.present.tolist() == [3, 4, 7]
    assert levels.highest == 7
    counted = discretise(image, TextureSettings(bin_count=2), lowest_edge=-50)
    assert counted.levels.ravel().tolist() == [1, 1, 1, 2]


@pytest.mark.parametrize(
    ("limits", "mode", "mean_level"),
    [
        ([-10, 40], "absolute", (2 + 3) / 2),  # (0, 10) from -10
        ([-3, 3], "sigma", (1 + 2) / 2),  # from the lowest value
        (None, "absolute", (1 + 2) / 2),
    ],
)
def test_bins_begin_with_the_range_or_the_lowest_value(
    limits: list[int] | None, mode: str, mean_level: float
) -> None:
    values = np.full((4, 4, 4), 99.0)
    values[1, 1, 1:3] = [0.0, 10.0]
    settings: dict[str, object] = {"binWidth": 10, "minimumROIDimensions": 1}
    if limits:
        settings |= {"resegmentRange": limits, "resegmentMode": mode}
    found = load_engine("fast").extract(
        *_case(values, values < 50), _parameters(setting=settings, featureClass={"glcm": None})
    )
    assert found["original_glcm_JointAverage"] == mean_level


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"imageType": {"Square": {}}}, "image type Square is not in the standard"),
        ({"imageType": {"Wavelet": {"level": 2}}}, "setting level: expected 1, got 2"),
        ({"setting": {"normalize": True}}, "setting normalize: expected False, got True"),
        ({"setting": {"resegmentShape": True}}, "setting resegmentShape: expected False"),
        ({"featureClass": {"shape2D": None}}, "feature class shape2D is not in the standard"),
        ({"setting": {"interpolator": "sitkGaussian"}}, "does not cover interpolator sitkGaussian"),
    ],
)
def test_what_the_standard_lacks_is_refused_and_no_other_engine_takes_over(
    keys: dict[str, Any], message: str
) -> None:
    parameters = _parameters(**keys)
    engine = choose_engine(parameters).engine
    assert engine.name == "fast"
    with pytest.raises(ConfigError, match=message):
        engine.feature_names(parameters)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("{preset: ibsi, engine: pyradiomics}", "preset ibsi needs engine: fast"),
        ("{outlier_sigma: 3}", "outlier_sigma needs preset: ibsi"),
        ("{preset: isbi}", "key pipeline.preset"),
    ],
)
def test_a_preset_that_cannot_be_is_named_with_its_file(
    tmp_path: Path, lines: str, message: str
) -> None:
    file = tmp_path / "extraction_ct.yaml"
    file.write_text(f"pipeline: {lines}\n")
    with pytest.raises(ConfigError, match=f"{file.name}: .*{message}"):
        load_extraction_parameters(file)


def test_results_of_the_preset_are_kept_apart() -> None:
    settings = [
        plan_extraction(_parameters(own)).settings
        for own in ({}, {"outlier_sigma": 3}, {"preset": "none"})
    ]
    assert len({str(one) for one in settings}) == 3


def test_features_have_the_standards_codes() -> None:
    names = [
        "P01",
        "original_glcm_Contrast",
        "wavelet-LLH_firstorder_Kurtosis",
        "original_glcm_MCC",
    ]
    assert ibsi_codes(names) == {
        "original_glcm_Contrast": "ACUI",
        "wavelet-LLH_firstorder_Kurtosis": "IPH6",
    }
    known = {f"{kind}_{name}" for kind, names in FEATURES.items() for name in names}
    assert CODES.keys() <= known
    assert len(set(CODES.values())) == len(CODES)
