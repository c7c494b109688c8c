"""Stage prepare: every scan of the cohort -> a prepared volume in the per-case store.

Kept apart from the extraction because it is slow to read and stable: texture settings change,
the prepared volumes stay.
"""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import ExitCode, at_least_one, run_command

if TYPE_CHECKING:
    from pipeline.case_table import CaseTable
    from pipeline.cases import Preparation
    from pipeline.config.prepare import PrepareConfig
    from pipeline.domain.cohort import Cohort, ScanRow
    from pipeline.store.results import ResultStore

COLUMNS = (
    *("patient_id", "timepoint", "modality", "phase", "lesion_id", "site", "scan_date", "key"),
    *("size_x", "size_y", "size_z", "spacing_x_mm", "spacing_y_mm", "spacing_z_mm"),
    *("tumour_voxels", "tumour_mm3", "liver_voxels", "bias_field_smallest", "bias_field_largest"),
)
"""Columns of the index: sizes of the prepared volume; ``liver_voxels`` 0 without a liver mask."""


def run(cohort: "Cohort", config: "PrepareConfig", store: "ResultStore", jobs: int) -> "CaseTable":
    """Prepare every scan of a cohort.

    Inputs
    ------
    The images and masks that the cohort's rows name.

    Outputs
    -------
    One row a row of ``scans.csv`` with :data:`COLUMNS`; the volumes in the store under ``key``.

    Parameters
    ----------
    cohort : Cohort
        Checked tables; its root is where the images are.
    config : PrepareConfig
        Settings.
    store : ResultStore
        Where the volumes go.
    jobs : int
        Processes.
    """
    from pipeline.case_table import build_case_table
    from pipeline.cases import Preparation, key_of
    from pipeline.executor.running import run_cases

    work = partial(prepare_row, preparation=Preparation(cohort.root, config, store, cohort.reading))
    outcomes = run_cases(work, cohort.scans, jobs, "prepare")
    keys = [key_of(row) for row in cohort.scans]
    return build_case_table(keys, outcomes, COLUMNS, cohort.root)


def prepare_row(row: "ScanRow", preparation: "Preparation") -> dict[str, object]:
    """Prepare one scan and return its row of the index."""
    return {"site": row.site, "scan_date": row.scan_date, **preparation.facts(row)}


def _command(argv: Sequence[str]) -> ExitCode:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="configs/prepare.yaml")
    parser.add_argument("--cohort", type=Path, required=True, help="checked tables (data/cohort)")
    parser.add_argument("--cohort-config", type=Path, required=True, help="configs/cohort.yaml")
    parser.add_argument("--out", type=Path, required=True, help="index of the volumes, Parquet")
    parser.add_argument("--jobs", type=at_least_one, help="processes; default: as many as fit")
    args = parser.parse_args(argv)

    from pipeline.case_table import exit_code, log_failures, write_case_table
    from pipeline.config.cohort import load_cohort_config
    from pipeline.config.loading import load_settings
    from pipeline.config.prepare import PrepareConfig
    from pipeline.executor.machine import default_jobs
    from pipeline.ingest.cohort import read_checked_cohort
    from pipeline.store.results import ResultStore, default_store_root

    cohort_config = load_cohort_config(args.cohort_config)
    cohort = read_checked_cohort(args.cohort, cohort_config.root, cohort_config.reading)
    config = load_settings(PrepareConfig, args.config)
    table = run(cohort, config, ResultStore(default_store_root()), args.jobs or default_jobs())
    write_case_table(table, args.out)
    log_failures(table)
    return exit_code(table, cohort_config.policy)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage."""
    return run_command(_command, argv)


if __name__ == "__main__":
    raise SystemExit(main())
