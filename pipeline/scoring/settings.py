"""The settings that a bundle carries: scoring uses these, never the files of the project."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.config.assemble import AssembleConfig
from pipeline.config.biomarkers import BiomarkersConfig, load_biomarkers_config
from pipeline.config.cohort import CohortConfig, load_cohort_config
from pipeline.config.loading import load_settings
from pipeline.config.measure import MeasureConfig
from pipeline.config.prepare import PrepareConfig


@dataclass(frozen=True, slots=True)
class ScoringSettings:
    """All settings between images and assembled features.

    Parameters
    ----------
    folder : Path
        Where the settings lie; the extraction's parameter files are read from it by modality.
    """

    folder: Path
    cohort: CohortConfig
    prepare: PrepareConfig
    measure: MeasureConfig
    biomarkers: BiomarkersConfig
    assemble: AssembleConfig


def load_scoring_settings(folder: Path) -> ScoringSettings:
    """Read the settings of a bundle.

    Raises
    ------
    ConfigError
        If a file is missing or not valid.
    """
    return ScoringSettings(
        folder=folder,
        cohort=load_cohort_config(folder / "cohort.yaml"),
        prepare=load_settings(PrepareConfig, folder / "prepare.yaml"),
        measure=load_settings(MeasureConfig, folder / "measure.yaml"),
        biomarkers=load_biomarkers_config(folder / "biomarkers.yaml"),
        assemble=load_settings(AssembleConfig, folder / "assemble.yaml"),
    )
