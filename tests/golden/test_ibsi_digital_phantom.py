"""The digital phantom of IBSI-1: 4 x 4 x 5 voxels, whose features are published to three digits.

Voxels and values: IBSI reference manual, arXiv:1612.07003, chapter 5 (digital phantom), and
doi:10.1148/radiol.2020191145. All values but those of shape are exact after rounding.
"""

import numpy as np
import pytest

from pipeline.config.extraction import ExtractionParameters
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.features.ibsi.features import compute_by_standard
from pipeline.features.ibsi.preprocessing import prepare_by_standard

VOXELS = """
1 4 4 1 1  1 4 6 1 1  4 1 6 4 1  4 4 6 4 1
1 4 4 1 1  1 1 6 1 1  1 1 3 1 1  4 4 6 1 1
1 4 4 1 1  1 1 1 1 1  1 1 9 1 1  1 1 6 1 1
1 4 4 1 1  1 1 1 1 1  1 1 1 1 1  1 1 6 1 1
"""
"""One slice a line, its rows one after the other."""

INSIDE = """
1 1 1 1 1  1 1 1 1 1  1 1 1 1 1  1 1 1 1 1
1 1 1 1 1  1 1 1 1 1  0 1 1 1 1  1 1 1 1 1
1 1 1 0 0  1 1 1 1 1  1 1 0 1 1  1 1 1 1 1
1 1 1 0 0  1 1 1 1 1  1 1 1 1 1  1 1 1 1 1
"""

SHAPE = """
MeshVolume 556 4
VoxelVolume 592 4
SurfaceArea 388 3
SurfaceVolumeRatio 0.698 0.004
Compactness1 0.0411 0.0003
Compactness2 0.599 0.004
SphericalDisproportion 1.19 0.01
Sphericity 0.843 0.005
Maximum3DDiameter 13.1 0.1
MajorAxisLength 11.4 0.1
MinorAxisLength 9.31 0.06
LeastAxisLength 8.54 0.05
Elongation 0.816 0.005
Flatness 0.749 0.005
"""
"""Value and tolerance."""

FIRSTORDER = """
Mean 2.15
Variance 3.05
Skewness 1.08
Kurtosis -0.355
Median 1
Minimum 1
10Percentile 1
90Percentile 4
Maximum 6
InterquartileRange 3
Range 5
MeanAbsoluteDeviation 1.55
RobustMeanAbsoluteDeviation 1.11
Energy 567
RootMeanSquared 2.77
Entropy 1.27
Uniformity 0.512
"""

GLCM = """
JointAverage 2.14 2.15 2.2 2.2
MaximumProbability 0.503 0.509 0.489 0.492
SumSquares 3.1 3.13 3.22 3.24
JointEntropy 2.4 2.57 2.48 2.61
DifferenceAverage 1.43 1.38 1.46 1.44
DifferenceVariance 3.06 3.21 3.11 3.23
DifferenceEntropy 1.56 1.64 1.61 1.67
SumAverage 4.29 4.3 4.41 4.41
SumEntropy 1.92 2.11 2.01 2.14
JointEnergy 0.303 0.291 0.286 0.277
Contrast 5.32 5.12 5.39 5.29
Id 0.677 0.688 0.668 0.673
Idn 0.851 0.856 0.847 0.85
Idm 0.618 0.631 0.606 0.613
Idmn 0.898 0.902 0.897 0.899
InverseVariance 0.0604 0.0574 0.0597 0.0582
Correlation 0.157 0.183 0.178 0.182
Autocorrelation 5.06 5.19 5.4 5.45
ClusterTendency 7.07 7.41 7.48 7.65
ClusterShade 16.6 17.4 16.6 16.4
ClusterProminence 145 147 147 142
Imc1 -0.157 -0.0288 -0.124 -0.0334
Imc2 0.52 0.269 0.487 0.291
"""
"""3D averaged, 3D merged, 2.5D averaged, 2.5D merged."""

GLRLM = """
ShortRunEmphasis 0.705 0.729 0.665 0.68
LongRunEmphasis 3.06 2.76 3.46 3.27
LowGrayLevelRunEmphasis 0.603 0.607 0.58 0.585
HighGrayLevelRunEmphasis 9.7 9.64 10.3 10.2
ShortRunLowGrayLevelEmphasis 0.352 0.372 0.296 0.312
ShortRunHighGrayLevelEmphasis 8.54 8.67 9.03 9.05
LongRunLowGrayLevelEmphasis 2.39 2.16 2.79 2.63
LongRunHighGrayLevelEmphasis 17.6 15.6 17.9 17
GrayLevelNonUniformity 21.8 281 19.5 77.1
GrayLevelNonUniformityNormalized 0.43 0.43 0.413 0.412
RunLengthNonUniformity 26.9 328 22.3 83.2
RunLengthNonUniformityNormalized 0.513 0.501 0.461 0.445
RunPercentage 0.68 0.68 0.632 0.632
GrayLevelVariance 3.46 3.48 3.58 3.59
RunVariance 0.574 0.598 0.758 0.767
RunEntropy 2.43 2.62 2.52 2.76
"""
"""As of GLCM."""

GLSZM = """
SmallAreaEmphasis 0.255 0.368
LargeAreaEmphasis 550 34.2
LowGrayLevelZoneEmphasis 0.253 0.368
HighGrayLevelZoneEmphasis 15.6 16.2
SmallAreaLowGrayLevelEmphasis 0.0256 0.0295
SmallAreaHighGrayLevelEmphasis 2.76 9.87
LargeAreaLowGrayLevelEmphasis 503 30.6
LargeAreaHighGrayLevelEmphasis 1490 107
GrayLevelNonUniformity 1.4 5.44
GrayLevelNonUniformityNormalized 0.28 0.302
SizeZoneNonUniformity 1 3.44
SizeZoneNonUniformityNormalized 0.2 0.191
ZonePercentage 0.0676 0.243
GrayLevelVariance 2.64 3.92
ZoneVariance 331 17.3
ZoneEntropy 2.32 3.08
"""
"""3D, 2.5D."""

NGTDM = """
Coarseness 0.0296 0.0285
Contrast 0.584 0.601
Busyness 6.54 6.8
Complexity 13.5 14.1
Strength 0.763 0.741
"""
"""3D, 2.5D."""

GLDM = """
SmallDependenceEmphasis 0.045 0.159
LargeDependenceEmphasis 109 18.8
LowGrayLevelEmphasis 0.693 0.693
HighGrayLevelEmphasis 7.66 7.66
SmallDependenceLowGrayLevelEmphasis 0.00963 0.0477
SmallDependenceHighGrayLevelEmphasis 0.736 3.07
LargeDependenceLowGrayLevelEmphasis 102 17.2
LargeDependenceHighGrayLevelEmphasis 235 50.8
GrayLevelNonUniformity 37.9 37.9
DependenceNonUniformity 4.86 12.4
DependenceNonUniformityNormalized 0.0657 0.167
GrayLevelVariance 3.05 3.05
DependenceVariance 22.1 3.27
DependenceEntropy 4.4 3.36
"""
"""3D, 2.5D."""

RUNS: dict[str, dict[str, object]] = {
    "3D_avg": {},
    "3D_comb": {"weightingNorm": "no_weighting"},
    "2_5D_avg": {"force2D": True},
    "2_5D_comb": {"force2D": True, "weightingNorm": "no_weighting"},
}
"""PyRadiomics' settings for each way of aggregating."""


def _numbers(text: str) -> "np.typing.NDArray[np.int16]":
    return np.array(text.split(), np.int16).reshape(4, 4, 5)


def _compute(settings: dict[str, object]) -> dict[str, float]:
    geometry = Geometry((5, 4, 4), (2.0, 2.0, 2.0), (0.0, 0.0, 0.0), tuple(np.eye(3).ravel()))
    scan = Scan(_numbers(VOXELS), geometry, Modality.CT)
    region = Region(_numbers(INSIDE) == 1, geometry, "tumour")
    parameters = ExtractionParameters.model_validate(
        {
            "setting": {"binWidth": 1, **settings},
            "pipeline": {"engine": "fast", "preset": "ibsi"},
        }
    )
    prepared = prepare_by_standard(scan, region, parameters)
    return dict(compute_by_standard(prepared, parameters))


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, float]]:
    return {name: _compute(settings) for name, settings in RUNS.items()}


def _table(text: str) -> dict[str, list[float]]:
    rows = [line.split() for line in text.strip().splitlines()]
    return {name: [float(number) for number in numbers] for name, *numbers in rows}


def test_shape_is_within_the_published_tolerance(found: dict[str, dict[str, float]]) -> None:
    values = found["3D_avg"]
    for name, (expected, tolerance) in _table(SHAPE).items():
        assert values[f"original_shape_{name}"] == pytest.approx(expected, abs=tolerance), name


@pytest.mark.parametrize("run", RUNS)
def test_intensities_round_to_the_published_values(
    found: dict[str, dict[str, float]], run: str
) -> None:
    for name, (expected,) in _table(FIRSTORDER).items():
        value = found[run][f"original_firstorder_{name}"]
        assert float(f"{value:.3g}") == expected, name


@pytest.mark.parametrize(("feature_class", "table"), [("glcm", GLCM), ("glrlm", GLRLM)])
def test_directional_textures_round_to_the_published_values(
    found: dict[str, dict[str, float]], feature_class: str, table: str
) -> None:
    for name, expected in _table(table).items():
        values = [found[run][f"original_{feature_class}_{name}"] for run in RUNS]
        assert [float(f"{value:.3g}") for value in values] == expected, name


@pytest.mark.parametrize(
    ("feature_class", "table"), [("glszm", GLSZM), ("ngtdm", NGTDM), ("gldm", GLDM)]
)
def test_other_textures_round_to_the_published_values(
    found: dict[str, dict[str, float]], feature_class: str, table: str
) -> None:
    for name, expected in _table(table).items():
        values = [found[run][f"original_{feature_class}_{name}"] for run in ("3D_avg", "2_5D_avg")]
        assert [float(f"{value:.3g}") for value in values] == expected, name


def test_all_257_comparable_values_are_compared() -> None:
    values = sum(
        len(row) for text in (GLCM, GLRLM, GLSZM, NGTDM, GLDM) for row in _table(text).values()
    )
    assert values + len(_table(SHAPE)) + len(_table(FIRSTORDER)) == 257
