"""Whether the width of a grey level suits the images: too few lose texture, too many count noise.

Judged from the table of features, so it costs nothing and covers results from the store.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.config.extraction import ExtractionParameters
from pipeline.features.native_settings import fill_settings, image_settings

FEWEST_LEVELS = 8
MOST_LEVELS = 256
"""Between these a region should have its grey levels.

A proposal, not a standard: below, hardly any texture is left; above, most levels of a region of
some thousand voxels are empty."""

_SUGGESTED_LEVELS = 32
_RANGE = "_firstorder_Range"
_PREFIXES = {"log-sigma-": "LoG", "wavelet": "Wavelet"}
"""Image types that give several images, by how the images' names begin."""


@dataclass(frozen=True, slots=True)
class LevelCount:
    """Regions of one image type whose number of grey levels is out of bounds.

    Parameters
    ----------
    image : str
        Name of the image.
    regions : int
        How many are out of bounds.
    of : int
        How many have a value.
    median_levels : float
        Median number of grey levels of all.
    bin_width : float
        Width of a grey level now.
    suggested_width : float
        Width that gives the median region 32 levels.
    """

    image: str
    regions: int
    of: int
    median_levels: float
    bin_width: float
    suggested_width: float

    def __str__(self) -> str:
        """Say it for the user."""
        return (
            f"{self.image}: {self.regions} of {self.of} regions have grey levels outside"
            f" {FEWEST_LEVELS}-{MOST_LEVELS} (median {self.median_levels:.0f} at binWidth"
            f" {self.bin_width:g}). A binWidth of {self.suggested_width:.2g} for this image type"
            f" gives the median region {_SUGGESTED_LEVELS}."
        )


def find_unsuited_widths(
    features: pd.DataFrame, parameters: ExtractionParameters
) -> list[LevelCount]:
    """Find image types whose ``binWidth`` gives regions too few or too many grey levels.

    Parameters
    ----------
    features : pandas.DataFrame
        One row a region. Image types without ``firstorder_Range`` are not judged, nor are constant
        regions, which have one level at any width.
    parameters : ExtractionParameters
        What they were computed with; where it sets ``binCount`` there is nothing to judge.
    """
    ranges = [name for name in features.columns if str(name).endswith(_RANGE)]
    return [count for name in ranges for count in _judge(features[name], parameters)]


def _judge(column: pd.Series, parameters: ExtractionParameters) -> Iterator[LevelCount]:
    image = str(column.name).removesuffix(_RANGE)
    settings = _settings_of(image, parameters)
    if settings.get("binCount") is not None:
        return
    width = float(settings.get("binWidth", 25))
    ranges = column[column > 0]
    # Levels lie on multiples of the width, so one more than fit into the range, at most.
    levels = ranges // width + 1
    outside = int(((levels < FEWEST_LEVELS) | (levels > MOST_LEVELS)).sum())
    if outside:
        suggested = float(ranges.median()) / _SUGGESTED_LEVELS
        yield LevelCount(image, outside, len(ranges), float(levels.median()), width, suggested)


def _settings_of(image: str, parameters: ExtractionParameters) -> Mapping[str, Any]:
    by_name = {name.lower(): own for name, own in image_settings(parameters).items()}
    several = (kind for prefix, kind in _PREFIXES.items() if image.startswith(prefix))
    own = by_name.get(next(several, image).lower(), {})
    return {**fill_settings(parameters), **own}
