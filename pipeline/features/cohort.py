"""Which regions of which scans of a cohort are extracted, and what the table's columns are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.config.extraction import ExtractionParameters
from pipeline.domain.cohort import ScanRow
from pipeline.domain.scan import Modality
from pipeline.features.engine import choose_engine


@dataclass(frozen=True, slots=True)
class RegionCase:
    """One region of one row of ``scans.csv``: one row of the feature table."""

    row: ScanRow
    region: str


def list_region_cases(
    scans: Iterable[ScanRow], parameters: Mapping[Modality, ExtractionParameters]
) -> list[RegionCase]:
    """List what is to be extracted, in the order of the scans.

    A liver region is asked only of scans that have a liver mask.
    """
    return [
        RegionCase(row, region)
        for row in scans
        for region in parameters[row.modality].pipeline.regions
        if region != "liver" or row.liver_mask
    ]


def list_feature_names(parameters: Iterable[ExtractionParameters]) -> list[str]:
    """Return the names of all features that the parameters give, each once, in the engines' order.

    Raises
    ------
    ConfigError
        If an engine does not accept its parameters.
    """
    names = (name for one in parameters for name in choose_engine(one).engine.feature_names(one))
    return list(dict.fromkeys(names))
