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
    from pipeline.config.prepare import PrepareConfig
    from pipeline.domain.cohort import Cohort, ScanRow
    from pipeline.domain.reading import Reading
    from pipeline.store import ResultStore

COLUMNS = (
    *("patient_id", "timepoint", "modality", "phase", "lesion_id", "site", "scan_date", "key"),
    *("size_x", "size_y", "size_z", "spacing_x_mm", "spacing_y_mm", "spacing_z_mm"),
    *("tumour_voxels", "tumour_mm3", "liver_voxels"),
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
    from pipeline.cases import key_of
    from pipeline.executor import run_cases

    work = partial(
        prepare_row, images=cohort.root, reading=cohort.reading, config=config, store=store
    )
    outcomes = run_cases(work, cohort.scans, jobs, "prepare")
    return build_case_table([key_of(row) for row in cohort.scans], outcomes, COLUMNS)


def prepare_row(
    row: "ScanRow",
    images: Path,
    reading: "Reading",
    config: "PrepareConfig",
    store: "ResultStore",
) -> dict[str, object]:
    """Prepare one scan and return its row of the index."""
    from pipeline.cases import load_or_prepare_keyed

    key, case = load_or_prepare_keyed(row, images, config, store, reading)
    geometry = case.scan.geometry
    liver = case.regions.get("liver")
    return {
        "site": row.site,
        "scan_date": row.scan_date,
        "key": key,
        **{f"size_{axis}": n for axis, n in zip("xyz", geometry.size, strict=True)},
        **{f"spacing_{axis}_mm": mm for axis, mm in zip("xyz", geometry.spacing_mm, strict=True)},
        "tumour_voxels": case.regions["tumour"].voxel_count,
        "tumour_mm3": case.regions["tumour"].volume_mm3,
        "liver_voxels": liver.voxel_count if liver else 0,
    }


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
    from pipeline.executor import default_jobs
    from pipeline.ingest.cohort import read_checked_cohort
    from pipeline.store import ResultStore, default_store_root

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
