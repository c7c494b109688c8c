"""The image processing configurations of IBSI-1 and IBSI-2 as extraction parameters.

IBSI-1: doi:10.1148/radiol.2020191145, configurations A to E and the digital phantom. IBSI-2:
doi:10.1148/radiol.231319, filters of phase 1 (response maps) and phase 2 (feature values) that
PyRadiomics has.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pipeline.config.extraction import ExtractionParameters
from pipeline.features.pyradiomics_features import FEATURES

DIRECTIONAL = ("glcm", "glrlm")
"""Classes whose matrices are either averaged over directions, or merged."""

Phantom = Literal["ibsi1_digital_phantom", "ibsi1_ct_phantom"]


@dataclass(frozen=True, slots=True)
class Configuration:
    """One published configuration.

    Parameters
    ----------
    name : str
        As in the table of references.
    phantom : str
        Folder of the phantom.
    settings : mapping
        PyRadiomics' settings.
    planes : tuple of bool
        Whether textures are counted in planes (2.5D), in three dimensions, or both in turn.
    outlier_sigma : float or None
        Of the re-segmentation.
    images : mapping
        PyRadiomics' image types.
    classes : tuple of str
        Feature classes.
    """

    name: str
    phantom: Phantom
    settings: Mapping[str, Any] = field(default_factory=dict)
    planes: tuple[bool, ...] = (False,)
    outlier_sigma: float | None = None
    images: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: {"Original": {}})
    classes: tuple[str, ...] = tuple(name for name in FEATURES if name != "shape2D")

    def runs(self) -> list[tuple[ExtractionParameters, str]]:
        """Return the extractions that give all its features, each with how it aggregates."""
        found = []
        for planes in self.planes:
            dimensions = "2_5D" if planes else "3D"
            found.append((self._parameters(planes, self.classes), f"{dimensions}_avg"))
            directional = tuple(name for name in self.classes if name in DIRECTIONAL)
            if directional:
                merged = self._parameters(planes, directional, weightingNorm="no_weighting")
                found.append((merged, f"{dimensions}_comb"))
        return found

    def _parameters(
        self, planes: bool, classes: tuple[str, ...], **settings: str
    ) -> ExtractionParameters:
        return ExtractionParameters.model_validate(
            {
                "imageType": {name: dict(own) for name, own in self.images.items()},
                "featureClass": dict.fromkeys(classes),
                "setting": {**self.settings, "force2D": planes, **settings},
                "pipeline": {
                    "engine": "fast",
                    "preset": "ibsi",
                    "outlier_sigma": self.outlier_sigma,
                },
            }
        )


_LINEAR_2_MM = {"resampledPixelSpacing": [2, 2, 2], "interpolator": "sitkLinear"}
_CUBIC_2_MM = {"resampledPixelSpacing": [2, 2, 2], "interpolator": "sitkBSpline"}
_LINEAR_2_MM_IN_PLANE = {"resampledPixelSpacing": [2, 2, 0], "interpolator": "sitkLinear"}
_CUBIC_1_MM = {"resampledPixelSpacing": [1, 1, 1], "interpolator": "sitkBSpline"}
_SOFT_TISSUE = {"resegmentRange": [-1000, 400]}
_LOG = {"LoG": {"sigma": [1.5]}}

IBSI1 = (
    Configuration("digital_phantom", "ibsi1_digital_phantom", {"binWidth": 1}, (False, True)),
    Configuration(
        "A", "ibsi1_ct_phantom", {"binWidth": 25, "resegmentRange": [-500, 400]}, (True,)
    ),
    Configuration(
        "B",
        "ibsi1_ct_phantom",
        {"binCount": 32, "resegmentRange": [-500, 400], **_LINEAR_2_MM_IN_PLANE},
        (True,),
    ),
    Configuration("C", "ibsi1_ct_phantom", {"binWidth": 25, **_SOFT_TISSUE, **_LINEAR_2_MM}),
    Configuration("D", "ibsi1_ct_phantom", {"binCount": 32, **_LINEAR_2_MM}, outlier_sigma=3),
    Configuration(
        "E", "ibsi1_ct_phantom", {"binCount": 32, **_SOFT_TISSUE, **_CUBIC_2_MM}, outlier_sigma=3
    ),
)
"""IBSI-1."""


def _phase_2(
    name: str, images: Mapping[str, Any], settings: Mapping[str, Any], planes: bool
) -> Configuration:
    return Configuration(
        name,
        "ibsi1_ct_phantom",
        {"binCount": 32, **_SOFT_TISSUE, **settings},
        (planes,),
        images=images,
        classes=("firstorder",),
    )


IBSI2 = (
    _phase_2("1.A", {"Original": {}}, {}, planes=True),
    _phase_2("1.B", {"Original": {}}, _CUBIC_1_MM, planes=False),
    _phase_2("3.A", _LOG, {}, planes=True),
    _phase_2("3.B", _LOG, _CUBIC_1_MM, planes=False),
)
"""IBSI-2 phase 2: no filter, and LoG, each in planes and in three dimensions."""


@dataclass(frozen=True, slots=True)
class ResponseMap:
    """One filter of IBSI-2 phase 1.

    Parameters
    ----------
    name : str
        As in the standard.
    phantom : str
        ``checkerboard``, ``impulse`` ...
    image_type, image : str
        PyRadiomics' image type, and the name of the image wanted.
    settings : mapping
        Of the image type.
    """

    name: str
    phantom: str
    image_type: str
    image: str
    settings: Mapping[str, Any]

    @property
    def parameters(self) -> ExtractionParameters:
        """What computes it."""
        return ExtractionParameters.model_validate(
            {
                "imageType": {self.image_type: dict(self.settings)},
                "pipeline": {"engine": "fast", "preset": "ibsi"},
            }
        )


RESPONSE_MAPS = (
    ResponseMap("2.a", "impulse", "LoG", "log-sigma-3-0-mm-3D", {"sigma": [3.0]}),
    ResponseMap("2.b", "checkerboard", "LoG", "log-sigma-5-0-mm-3D", {"sigma": [5.0]}),
    ResponseMap(
        "2.c", "checkerboard", "LoG", "log-sigma-5-0-mm-3D", {"sigma": [5.0], "force2D": True}
    ),
    ResponseMap("5.a.1", "impulse", "Wavelet", "wavelet-LHL", {"wavelet": "db2"}),
    ResponseMap("6.a.1", "sphere", "Wavelet", "wavelet-HHL", {"wavelet": "coif1"}),
)
"""IBSI-2 phase 1."""

OTHER_FILTERS = (
    "mean, Laws, Gabor, second wavelet level, rotation-invariant and non-separable wavelets"
)
"""What else is in IBSI-2: 22 of its 27 response maps, 14 of its 18 filters of phase 2."""
