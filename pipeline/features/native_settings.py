"""PyRadiomics' settings with their types and limits, as its own schema has them.

Only for deciding, without importing PyRadiomics, whether a parameter file is one that it would
accept and the fast engine can serve; what does not fit here is handed to PyRadiomics, whose schema
then says what is wrong.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.config.extraction import ExtractionParameters
from pipeline.features.pyradiomics_features import DEFAULTS

MOST_BINS = 1 << 22
"""Most bins that the fast engine makes: more than a region has voxels."""

Positive = Annotated[float, Field(gt=0)]
PositiveInt = Annotated[int, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
NotNegativeInt = Annotated[int, Field(ge=0)]


class NativeSettings(BaseModel):
    """Settings under ``setting`` or under an image type, by PyRadiomics' names."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    minimumROIDimensions: Annotated[int, Field(ge=1, le=3)] = 2
    minimumROISize: PositiveInt | None = None
    geometryTolerance: Positive | None = None
    correctMask: bool = False
    additionalInfo: bool = True
    label: PositiveInt = 1
    binWidth: Positive = 25
    binCount: Annotated[int, Field(gt=0, le=MOST_BINS)] | None = None
    normalize: bool = False
    normalizeScale: Positive = 1
    removeOutliers: Positive | None = None
    resampledPixelSpacing: (
        Annotated[list[NotNegative], Field(min_length=3, max_length=3)] | None
    ) = None
    interpolator: str | int | None = "sitkBSpline"
    padDistance: NotNegativeInt = 5
    distances: Annotated[list[PositiveInt], Field(min_length=1)] = [1]
    force2D: bool = False
    force2Ddimension: Annotated[int, Field(ge=0, le=2)] = 0
    resegmentRange: Annotated[list[float], Field(min_length=1, max_length=2)] | None = None
    resegmentMode: Literal["absolute", "relative", "sigma"] = "absolute"
    resegmentShape: bool = False
    preCrop: bool = False
    sigma: list[Positive] = []
    start_level: NotNegativeInt = 0
    level: PositiveInt = 1
    wavelet: str = "coif1"
    gradientUseSpacing: bool = True
    voxelArrayShift: int = 0
    symmetricalGLCM: bool = True
    weightingNorm: Literal["euclidean", "manhattan", "infinity", "no_weighting"] | None = None
    gldm_a: Annotated[int, Field(ge=0, lt=2**31)] = 0


def fill_settings(parameters: ExtractionParameters) -> dict[str, Any]:
    """Return the general settings of a parameter file, PyRadiomics' defaults filled in.

    The region is handed over as a mask of its own, so the label does not count.
    """
    return {**DEFAULTS, **parameters.settings}


def image_settings(parameters: ExtractionParameters) -> Mapping[str, dict[str, Any]]:
    """Return each image type's own settings, which go before the general ones."""
    return {name: dict(own) for name, own in parameters.image_types.items()}
