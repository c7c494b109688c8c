"""The standard's four-letter codes of PyRadiomics' features.

From the IBSI reference manual (doi:10.1148/radiol.2020191145, arXiv:1612.07003). A code names a
definition; kurtosis and axis lengths follow theirs under ``preset: ibsi`` only.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

CODES: Mapping[str, str] = MappingProxyType(
    {
        "shape_MeshVolume": "RNU0",
        "shape_VoxelVolume": "YEKZ",
        "shape_SurfaceArea": "C0JK",
        "shape_SurfaceVolumeRatio": "2PR5",
        "shape_Compactness1": "SKGS",
        "shape_Compactness2": "BQWJ",
        "shape_SphericalDisproportion": "KRCK",
        "shape_Sphericity": "QCFX",
        "shape_Maximum3DDiameter": "L0JK",
        "shape_MajorAxisLength": "TDIC",
        "shape_MinorAxisLength": "P9VJ",
        "shape_LeastAxisLength": "7J51",
        "shape_Elongation": "Q3CK",
        "shape_Flatness": "N17B",
        "firstorder_Mean": "Q4LE",
        "firstorder_Variance": "ECT3",
        "firstorder_Skewness": "KE2A",
        "firstorder_Kurtosis": "IPH6",
        "firstorder_Median": "Y12H",
        "firstorder_Minimum": "1GSF",
        "firstorder_10Percentile": "QG58",
        "firstorder_90Percentile": "8DWT",
        "firstorder_Maximum": "84IY",
        "firstorder_InterquartileRange": "SALO",
        "firstorder_Range": "2OJQ",
        "firstorder_MeanAbsoluteDeviation": "4FUA",
        "firstorder_RobustMeanAbsoluteDeviation": "1128",
        "firstorder_Energy": "N8CA",
        "firstorder_RootMeanSquared": "5ZWQ",
        "firstorder_Entropy": "TLU2",
        "firstorder_Uniformity": "BJ5W",
        "glcm_JointAverage": "60VM",
        "glcm_MaximumProbability": "GYBY",
        "glcm_SumSquares": "UR99",
        "glcm_JointEntropy": "TU9B",
        "glcm_DifferenceAverage": "TF7R",
        "glcm_DifferenceVariance": "D3YU",
        "glcm_DifferenceEntropy": "NTRS",
        "glcm_SumAverage": "ZGXS",
        "glcm_SumVariance": "OEEB",
        "glcm_SumEntropy": "P6QZ",
        "glcm_JointEnergy": "8ZQL",
        "glcm_Contrast": "ACUI",
        "glcm_Dissimilarity": "8S9J",
        "glcm_Id": "IB1Z",
        "glcm_Idn": "NDRX",
        "glcm_Idm": "WF0Z",
        "glcm_Idmn": "1QCO",
        "glcm_InverseVariance": "E8JP",
        "glcm_Correlation": "NI2N",
        "glcm_Autocorrelation": "QWB0",
        "glcm_ClusterTendency": "DG8W",
        "glcm_ClusterShade": "7NFM",
        "glcm_ClusterProminence": "AE86",
        "glcm_Imc1": "R8DG",
        "glcm_Imc2": "JN9H",
        "glrlm_ShortRunEmphasis": "22OV",
        "glrlm_LongRunEmphasis": "W4KF",
        "glrlm_LowGrayLevelRunEmphasis": "V3SW",
        "glrlm_HighGrayLevelRunEmphasis": "G3QZ",
        "glrlm_ShortRunLowGrayLevelEmphasis": "HTZT",
        "glrlm_ShortRunHighGrayLevelEmphasis": "GD3A",
        "glrlm_LongRunLowGrayLevelEmphasis": "IVPO",
        "glrlm_LongRunHighGrayLevelEmphasis": "3KUM",
        "glrlm_GrayLevelNonUniformity": "R5YN",
        "glrlm_GrayLevelNonUniformityNormalized": "OVBL",
        "glrlm_RunLengthNonUniformity": "W92Y",
        "glrlm_RunLengthNonUniformityNormalized": "IC23",
        "glrlm_RunPercentage": "9ZK5",
        "glrlm_GrayLevelVariance": "8CE5",
        "glrlm_RunVariance": "SXLW",
        "glrlm_RunEntropy": "HJ9O",
        "glszm_SmallAreaEmphasis": "5QRC",
        "glszm_LargeAreaEmphasis": "48P8",
        "glszm_LowGrayLevelZoneEmphasis": "XMSY",
        "glszm_HighGrayLevelZoneEmphasis": "5GN9",
        "glszm_SmallAreaLowGrayLevelEmphasis": "5RAI",
        "glszm_SmallAreaHighGrayLevelEmphasis": "HW1V",
        "glszm_LargeAreaLowGrayLevelEmphasis": "YH51",
        "glszm_LargeAreaHighGrayLevelEmphasis": "J17V",
        "glszm_GrayLevelNonUniformity": "JNSA",
        "glszm_GrayLevelNonUniformityNormalized": "Y1RO",
        "glszm_SizeZoneNonUniformity": "4JP3",
        "glszm_SizeZoneNonUniformityNormalized": "VB3A",
        "glszm_ZonePercentage": "P30P",
        "glszm_GrayLevelVariance": "BYLV",
        "glszm_ZoneVariance": "3NSA",
        "glszm_ZoneEntropy": "GU8N",
        "ngtdm_Coarseness": "QCDE",
        "ngtdm_Contrast": "65HE",
        "ngtdm_Busyness": "NQ30",
        "ngtdm_Complexity": "HDEZ",
        "ngtdm_Strength": "1X9X",
        "gldm_SmallDependenceEmphasis": "SODN",
        "gldm_LargeDependenceEmphasis": "IMOQ",
        "gldm_LowGrayLevelEmphasis": "TL9H",
        "gldm_HighGrayLevelEmphasis": "OAE7",
        "gldm_SmallDependenceLowGrayLevelEmphasis": "EQ3F",
        "gldm_SmallDependenceHighGrayLevelEmphasis": "JA6D",
        "gldm_LargeDependenceLowGrayLevelEmphasis": "NBZI",
        "gldm_LargeDependenceHighGrayLevelEmphasis": "9QMG",
        "gldm_GrayLevelNonUniformity": "FP8K",
        "gldm_DependenceNonUniformity": "Z87G",
        "gldm_DependenceNonUniformityNormalized": "OKJI",
        "gldm_GrayLevelVariance": "1PFV",
        "gldm_DependenceVariance": "DNX2",
        "gldm_DependenceEntropy": "FCBV",
    }
)
"""By class and feature. Not in the standard: TotalEnergy, StandardDeviation, MCC, the diameters of
single planes."""


def ibsi_codes(feature_names: Iterable[str]) -> dict[str, str]:
    """Return the code of each feature that has one.

    Parameters
    ----------
    feature_names : iterable of str
        Names that end in PyRadiomics' ``image_class_feature``, whatever is in front of them:
        ``original_glcm_Contrast``, ``baseline_CT_tumour_original_glcm_Contrast``.

    Returns
    -------
    dict of str to str
        In the order given. Features of filtered images have the code of the feature; clinical
        columns, and features that the standard does not know, are left out.
    """
    keys = ((name, "_".join(name.split("_")[-2:])) for name in feature_names)
    return {name: CODES[key] for name, key in keys if key in CODES}
