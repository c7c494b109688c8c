"""Names of PyRadiomics' features and its default settings, known without importing it.

A test compares both with the installed PyRadiomics.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any


def _features(given: str, deprecated: str = "") -> Mapping[str, bool]:
    named = [*((name, False) for name in given.split()), *((n, True) for n in deprecated.split())]
    # Sorted as PyRadiomics finds them: by the names of its methods.
    return MappingProxyType(dict(sorted(named, key=lambda item: f"{item[0]}FeatureValue")))


FEATURES: Mapping[str, Mapping[str, bool]] = MappingProxyType(
    {
        "firstorder": _features(
            "10Percentile 90Percentile Energy Entropy InterquartileRange Kurtosis Maximum"
            " MeanAbsoluteDeviation Mean Median Minimum Range RobustMeanAbsoluteDeviation"
            " RootMeanSquared Skewness TotalEnergy Uniformity Variance",
            deprecated="StandardDeviation",
        ),
        "glcm": _features(
            "Autocorrelation ClusterProminence ClusterShade ClusterTendency Contrast Correlation"
            " DifferenceAverage DifferenceEntropy DifferenceVariance Id Idm Idmn Idn Imc1 Imc2"
            " InverseVariance JointAverage JointEnergy JointEntropy MCC MaximumProbability"
            " SumAverage SumEntropy SumSquares",
            deprecated="Dissimilarity Homogeneity1 Homogeneity2 SumVariance",
        ),
        "gldm": _features(
            "DependenceEntropy DependenceNonUniformity DependenceNonUniformityNormalized"
            " DependenceVariance GrayLevelNonUniformity GrayLevelVariance HighGrayLevelEmphasis"
            " LargeDependenceEmphasis LargeDependenceHighGrayLevelEmphasis"
            " LargeDependenceLowGrayLevelEmphasis LowGrayLevelEmphasis SmallDependenceEmphasis"
            " SmallDependenceHighGrayLevelEmphasis SmallDependenceLowGrayLevelEmphasis",
            deprecated="DependencePercentage GrayLevelNonUniformityNormalized",
        ),
        "glrlm": _features(
            "GrayLevelNonUniformity GrayLevelNonUniformityNormalized GrayLevelVariance"
            " HighGrayLevelRunEmphasis LongRunEmphasis LongRunHighGrayLevelEmphasis"
            " LongRunLowGrayLevelEmphasis LowGrayLevelRunEmphasis RunEntropy"
            " RunLengthNonUniformity RunLengthNonUniformityNormalized RunPercentage RunVariance"
            " ShortRunEmphasis ShortRunHighGrayLevelEmphasis ShortRunLowGrayLevelEmphasis"
        ),
        "glszm": _features(
            "GrayLevelNonUniformity GrayLevelNonUniformityNormalized GrayLevelVariance"
            " HighGrayLevelZoneEmphasis LargeAreaEmphasis LargeAreaHighGrayLevelEmphasis"
            " LargeAreaLowGrayLevelEmphasis LowGrayLevelZoneEmphasis SizeZoneNonUniformity"
            " SizeZoneNonUniformityNormalized SmallAreaEmphasis SmallAreaHighGrayLevelEmphasis"
            " SmallAreaLowGrayLevelEmphasis ZoneEntropy ZonePercentage ZoneVariance"
        ),
        "ngtdm": _features("Busyness Coarseness Complexity Contrast Strength"),
        "shape": _features(
            "Elongation Flatness LeastAxisLength MajorAxisLength Maximum2DDiameterColumn"
            " Maximum2DDiameterRow Maximum2DDiameterSlice Maximum3DDiameter MeshVolume"
            " MinorAxisLength Sphericity SurfaceArea SurfaceVolumeRatio VoxelVolume",
            deprecated="Compactness1 Compactness2 SphericalDisproportion",
        ),
        "shape2D": _features(
            "Elongation MajorAxisLength MaximumDiameter MeshSurface MinorAxisLength Perimeter"
            " PerimeterSurfaceRatio PixelSurface Sphericity",
            deprecated="SphericalDisproportion",
        ),
    }
)
"""Features of each class, in PyRadiomics' order, and whether each is deprecated.

A deprecated feature is only computed where the parameters name it.
"""

DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "minimumROIDimensions": 2,
        "minimumROISize": None,
        "normalize": False,
        "normalizeScale": 1,
        "removeOutliers": None,
        "resampledPixelSpacing": None,
        "interpolator": "sitkBSpline",
        "preCrop": False,
        "padDistance": 5,
        "distances": [1],
        "force2D": False,
        "force2Ddimension": 0,
        "resegmentRange": None,
        "label": 1,
        "additionalInfo": True,
    }
)
"""PyRadiomics' settings where a parameter file names none."""
