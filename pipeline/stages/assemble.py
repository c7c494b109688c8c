"""Stage ``assemble``: all that is known of a patient becomes one row of features.

Inputs
    Radiomic features and response measures (a row a lesion and scan), serum features and the
    covariates of the checked cohort.
Outputs
    A feature table, one row a patient, each column with group and unit.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import ExitCode, run_command

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.config.assemble import AssembleConfig
    from pipeline.config.cohort import CohortConfig
    from pipeline.domain.features import FeatureGroup, FeatureTable
    from pipeline.domain.scan import Timepoint


@dataclass(frozen=True, slots=True)
class Parts:
    """What is joined.

    Parameters
    ----------
    patients : pandas.DataFrame
        ``patients.csv`` of the checked cohort; its patients are the rows of the result.
    radiomics : pandas.DataFrame
        A row a patient, time point, modality, phase, lesion and region.
    measures : pandas.DataFrame
        A row a patient, time point, modality and lesion.
    serum : FeatureTable
        A row a patient.
    """

    patients: "pd.DataFrame"
    radiomics: "pd.DataFrame"
    measures: "pd.DataFrame"
    serum: "FeatureTable"


def run(parts: Parts, cohort: "CohortConfig", config: "AssembleConfig") -> "FeatureTable":
    """Join the parts; every patient of the cohort keeps a row, whatever is missing."""
    from pipeline.domain.features import FeatureGroup
    from pipeline.features.clinical import encode_covariates
    from pipeline.features.delta import compute_delta, widen
    from pipeline.features.lesions import keep_lesions, largest_lesions
    from pipeline.response.patient import response_features, size_features

    chosen = largest_lesions(parts.measures)
    measures = keep_lesions(parts.measures, chosen)
    radiomics = keep_lesions(parts.radiomics, chosen)
    clinical = encode_covariates(parts.patients, cohort.covariates)
    now = widen(radiomics, cohort.scoring_timepoint)
    tables = [
        clinical,
        parts.serum,
        size_features(measures, cohort.scoring_timepoint, config.modality_order),
        response_features(measures, cohort.scoring_timepoint, config.modality_order),
        _as_table(now, FeatureGroup.RADIOMICS),
    ]
    earlier = _earlier(cohort)
    if earlier is not None:
        delta = compute_delta(now, widen(radiomics, earlier))
        tables.append(_as_table(delta, FeatureGroup.DELTA))
    return _join(tables, clinical.values.index)


def _earlier(cohort: "CohortConfig") -> "Timepoint | None":
    from pipeline.domain.scan import Timepoint

    return Timepoint.BASELINE if cohort.scoring_timepoint is Timepoint.PREOP else None


def _as_table(frame: "pd.DataFrame", group: "FeatureGroup") -> "FeatureTable":
    from pipeline.domain.features import FeatureSpec, FeatureTable

    # PyRadiomics does not state units; they follow from the image's and differ by feature.
    specs = tuple(FeatureSpec(str(name), group, "as PyRadiomics") for name in frame.columns)
    return FeatureTable(frame, specs)


def _join(tables: Sequence["FeatureTable"], patient_ids: "pd.Index") -> "FeatureTable":
    import pandas as pd

    from pipeline.domain.features import FeatureTable

    values = pd.concat([table.values.reindex(patient_ids) for table in tables], axis=1)
    return FeatureTable(values, tuple(spec for table in tables for spec in table.specs))


def _command(argv: Sequence[str]) -> ExitCode:
    parser = argparse.ArgumentParser(prog="pipeline.stages.assemble", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="assemble.yaml")
    parser.add_argument("--cohort-config", type=Path, required=True, help="cohort.yaml")
    parser.add_argument("--cohort", type=Path, required=True, help="the checked cohort's folder")
    parser.add_argument("--radiomics", type=Path, required=True, help="table of stage extract")
    parser.add_argument("--measures", type=Path, required=True, help="table of stage measure")
    parser.add_argument("--serum", type=Path, required=True, help="table of stage biomarkers")
    parser.add_argument("--out", type=Path, required=True, help="feature table to write (Parquet)")
    args = parser.parse_args(argv)

    import pandas as pd

    from pipeline.config.assemble import AssembleConfig
    from pipeline.config.cohort import load_cohort_config
    from pipeline.config.loading import load_settings
    from pipeline.ingest.cohort import read_checked_cohort
    from pipeline.tabular import read_feature_table, write_feature_table

    parts = Parts(
        patients=read_checked_cohort(args.cohort).patients,
        radiomics=pd.read_parquet(args.radiomics),
        measures=pd.read_parquet(args.measures),
        serum=read_feature_table(args.serum),
    )
    config = load_settings(AssembleConfig, args.config)
    write_feature_table(run(parts, load_cohort_config(args.cohort_config), config), args.out)
    return ExitCode.DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from the command line."""
    return run_command(_command, argv)


if __name__ == "__main__":
    raise SystemExit(main())
