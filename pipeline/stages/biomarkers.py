"""Stage ``biomarkers``: serum measurements of the checked cohort become features.

Inputs
    ``biomarkers.csv``, ``scans.csv`` and ``patients.csv`` of the checked cohort.
Outputs
    A feature table, one row a patient: levels (canonical units), kinetics, ALBI.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import ExitCode, run_command

if TYPE_CHECKING:
    from pipeline.config.biomarkers import BiomarkersConfig
    from pipeline.domain.cohort import Cohort
    from pipeline.domain.features import FeatureTable


def run(cohort: "Cohort", config: "BiomarkersConfig") -> "FeatureTable":
    """Compute the serum features of every patient of a checked cohort.

    Raises
    ------
    MeasurementError
        If a measurement cannot be interpreted, which ``validate`` would have listed.
    """
    from pipeline.biomarkers.serum import build_serum_features
    from pipeline.biomarkers.timepoints import latest_draws, scan_dates, with_timepoints
    from pipeline.ingest.scan_rows import scan_table

    dates = scan_dates(scan_table(cohort.scans))
    placed = with_timepoints(cohort.biomarkers, dates, config.window_days)
    patient_ids = cohort.patients["patient_id"].tolist()
    return build_serum_features(latest_draws(placed), patient_ids, config)


def _command(argv: Sequence[str]) -> ExitCode:
    parser = argparse.ArgumentParser(prog="pipeline.stages.biomarkers", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="biomarkers.yaml")
    parser.add_argument("--cohort", type=Path, required=True, help="the checked cohort's folder")
    parser.add_argument("--out", type=Path, required=True, help="feature table to write (Parquet)")
    args = parser.parse_args(argv)

    from pipeline.config.biomarkers import load_biomarkers_config
    from pipeline.ingest.cohort import read_checked_cohort
    from pipeline.tabular import write_feature_table

    table = run(read_checked_cohort(args.cohort), load_biomarkers_config(args.config))
    write_feature_table(table, args.out)
    return ExitCode.DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from the command line."""
    return run_command(_command, argv)


if __name__ == "__main__":
    raise SystemExit(main())
