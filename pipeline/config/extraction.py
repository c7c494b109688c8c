"""PyRadiomics parameter files with our own settings under ``pipeline:``.

The file is PyRadiomics' native one (``imageType``, ``featureClass``, ``setting``,
``voxelSetting``), so what was tuned there works here. Values of single settings are judged by the
engine, which knows them.
"""

import difflib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from pipeline.config.loading import Settings, parse_settings, read_yaml
from pipeline.domain.errors import ConfigError
from pipeline.domain.regions import RegionName
from pipeline.domain.scan import Modality

FEATURE_CLASSES = ("shape", "shape2D", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")
"""PyRadiomics' feature classes."""

IMAGE_TYPES = (
    "Original",
    "Wavelet",
    "LoG",
    "Square",
    "SquareRoot",
    "Logarithm",
    "Exponential",
    "Gradient",
    "LBP2D",
    "LBP3D",
)
"""PyRadiomics' image types: the image itself and its filters."""

_EXPONENT_WITHOUT_POINT = re.compile(r"^[-+]?\d+[eE][-+]?\d+$")


def _as_settings(value: object) -> object:
    """Read an empty entry as no settings, and ``1e-4`` as the number that YAML 1.2 says it is."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        return value
    return {name: _as_number(item) for name, item in value.items()}


def _as_number(value: object) -> object:
    exponent = isinstance(value, str) and _EXPONENT_WITHOUT_POINT.match(value)
    return float(str(value)) if exponent else value


def _as_names(value: object) -> object:
    return () if value is None else value


EngineSettings = Annotated[dict[str, Any], BeforeValidator(_as_settings)]
FeatureNames = Annotated[tuple[str, ...], BeforeValidator(_as_names)]


class PipelineSettings(Settings):
    """The key ``pipeline:`` of a parameter file: what PyRadiomics has no setting for."""

    engine: Literal["fast", "pyradiomics"] = "fast"
    intensity: Literal["stored", "float"] = "stored"
    regions: tuple[RegionName, ...] = (RegionName.TUMOUR,)
    standardise: Literal["none", "image", "liver", "muscle"] = "none"
    preset: Literal["none", "ibsi"] = "none"
    outlier_sigma: float | None = Field(
        default=None,
        gt=0,
        description="of preset ibsi: standard deviations from the mean, else out",
    )

    @model_validator(mode="after")
    def _check_preset(self) -> Self:
        if self.preset == "ibsi" and self.engine != "fast":
            msg = "preset ibsi needs engine: fast"
            raise ValueError(msg)
        if self.preset != "ibsi" and self.outlier_sigma is not None:
            msg = "outlier_sigma needs preset: ibsi"
            raise ValueError(msg)
        return self


class ExtractionParameters(Settings):
    """A parameter file."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    image_types: dict[str, EngineSettings] = Field(
        default={"Original": {}}, alias="imageType", description="settings of each image type"
    )
    feature_classes: dict[str, FeatureNames] = Field(
        default={name: () for name in FEATURE_CLASSES if name != "shape2D"},
        alias="featureClass",
        description="features of each class, none for all",
    )
    settings: EngineSettings = Field(default={}, alias="setting")
    voxel_settings: EngineSettings = Field(default={}, alias="voxelSetting")
    pipeline: PipelineSettings = PipelineSettings()
    source: str = Field(default="", exclude=True, description="the file, for messages")

    @property
    def label(self) -> int | None:
        """Voxel value of the region in the mask, where the file names one."""
        label = self.settings.get("label")
        return None if label is None else int(label)

    def native(self) -> dict[str, Any]:
        """Return PyRadiomics' part of the file, defaults filled in."""
        return {
            "imageType": {name: dict(value) for name, value in self.image_types.items()},
            "featureClass": {name: list(value) for name, value in self.feature_classes.items()},
            "setting": dict(self.settings),
            "voxelSetting": dict(self.voxel_settings),
        }


def load_extraction_parameters(path: Path) -> ExtractionParameters:
    """Read a parameter file.

    Raises
    ------
    ConfigError
        Naming file and key, for an unknown key, image type or feature class.
    """
    content = {key: value for key, value in read_yaml(path).items() if value is not None}
    known = ("imageType", "featureClass", "setting", "voxelSetting", "pipeline")
    _check_names(path, "top level", content, known)
    for key, names in (("imageType", IMAGE_TYPES), ("featureClass", FEATURE_CLASSES)):
        if isinstance(content.get(key), dict):
            _check_names(path, f"key {key}", content[key], names)
            if not content[key]:
                del content[key]  # PyRadiomics reads an empty mapping as its default
    parameters = parse_settings(ExtractionParameters, content, path)
    return parameters.model_copy(update={"source": str(path)})


def extraction_file(folder: Path, modality: Modality) -> Path:
    """Return where the parameter file of a modality lies: ``extraction_ct.yaml`` ..."""
    return folder / f"extraction_{modality.lower()}.yaml"


def load_modality_parameters(
    folder: Path, modalities: Iterable[Modality]
) -> dict[Modality, ExtractionParameters]:
    """Read the parameter file of each modality, once, in alphabetical order.

    Raises
    ------
    ConfigError
        As :func:`load_extraction_parameters`.
    """
    return {
        modality: load_extraction_parameters(extraction_file(folder, modality))
        for modality in sorted(set(modalities))
    }


def _check_names(path: Path, place: str, given: Iterable[Any], known: tuple[str, ...]) -> None:
    unknown = [str(name) for name in given if name not in known]
    if not unknown:
        return
    close = difflib.get_close_matches(unknown[0], known, n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    msg = f"{path}: {place}: unknown {', '.join(unknown)}.{hint} Allowed: {', '.join(known)}."
    raise ConfigError(msg)
