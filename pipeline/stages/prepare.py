"""Stage prepare: every scan of the cohort -> a prepared volume in the per-case store, registered.

Kept apart from the extraction because it is slow to read and stable: texture settings change,
the prepared volumes and their registrations stay.
"""

import argparse
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import ExitCode, at_least_one, run_command

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.case_table import CaseTable
    from pipeline.cases import Preparation
    from pipeline.config.prepare import PrepareConfig
    from pipeline.domain.cohort import Cohort, ScanRow
    from pipeline.imaging.registration import Registration
    from pipeline.store.results import ResultStore

COLUMNS = (
    *("patient_id", "timepoint", "modality", "phase", "lesion_id", "site", "scan_date", "key"),
    *("size_x", "size_y", "size_z", "spacing_x_mm", "spacing_y_mm", "spacing_z_mm"),
    *("tumour_voxels", "tumour_mm3", "liver_voxels", "bias_field_smallest", "bias_field_largest"),
)
"""Columns of the index: sizes of the prepared volume; ``liver_voxels`` 0 without a liver mask."""

BETWEEN_PHASES, BETWEEN_TIMEPOINTS = "phases", "timepoints"
"""What a registration is between: phases of a visit, or the reference phases of two visits."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ScanPair:
    """Two rows of ``scans.csv``, the second to be laid on the first.

    Parameters
    ----------
    between : str
        :data:`BETWEEN_PHASES` or :data:`BETWEEN_TIMEPOINTS`.
    """

    fixed: "ScanRow"
    moving: "ScanRow"
    between: str


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


def register_cohort(
    cohort: "Cohort", config: "PrepareConfig", store: "ResultStore", jobs: int
) -> "pd.DataFrame":
    """Register the phases of every visit, and every pre-resection visit to the baseline.

    Inputs
    ------
    As :func:`run`, whose volumes it uses.

    Outputs
    -------
    One row a pair of scans, named by the key columns of the moving one and by ``fixed_...``: what
    was ``asked`` for, what was ``reached``, whether the scans were ``already_aligned``, the figures
    of :class:`pipeline.imaging.registration_verdict.Quality`, and in ``failure`` why less was
    reached than asked for. The registrations are in the store.
    """
    import pandas as pd

    from pipeline.case_table import relate_to_images
    from pipeline.cases import Preparation
    from pipeline.executor.running import run_cases

    pairs = list_pairs(cohort.scans, config.phase_order)
    preparation = Preparation(cohort.root, config, store, cohort.reading)
    outcomes = run_cases(partial(register_pair, preparation=preparation), pairs, jobs, "register")
    rows = []
    for pair, outcome in zip(pairs, outcomes, strict=True):
        failure = outcome.failure
        reason = "" if failure is None else relate_to_images(failure.reason, cohort.root)
        found = outcome.result or _describe(None, f"not registered: {reason}")
        asked = config.registration.method.value
        rows.append({**_describe_pair(pair), "asked": asked, **found})
    return pd.DataFrame(rows, columns=_registration_columns())


def list_pairs(rows: "Sequence[ScanRow]", phase_order: Sequence[str]) -> list[ScanPair]:
    """List what is to be registered, each pair of volumes once."""
    from pipeline.visits import group_visits, pair_times

    visits = group_visits(rows, phase_order)
    pairs = [
        ScanPair(visit.guides[visit.reference], guide, BETWEEN_PHASES)
        for visit in visits
        for phase, guide in visit.guides.items()
        if phase != visit.reference
    ]
    for baseline, preop in pair_times(visits):
        fixed, moving = baseline.guides[baseline.reference], preop.guides[preop.reference]
        pairs.append(ScanPair(fixed, moving, BETWEEN_TIMEPOINTS))
    return list(dict.fromkeys(pairs))


def register_pair(pair: ScanPair, preparation: "Preparation") -> dict[str, object]:
    """Register two scans and return what is told of it."""
    registration = preparation.register(pair.fixed, pair.moving)
    return _describe(registration, registration.failure)


def log_registrations(table: "pd.DataFrame") -> None:
    """Say on standard error how many pairs were registered, and how many not, for which reasons."""
    aligned = int(table["already_aligned"].sum())
    reached = table.loc[~table["already_aligned"], "reached"].value_counts()
    counts = ", ".join(f"{count} {method}" for method, count in sorted(reached.items()))
    parts = ", ".join(part for part in (counts, f"{aligned} already aligned") if part)
    _LOG.warning("registrations: %d pairs of scans: %s.", len(table), parts)
    failures = table.loc[table["failure"] != "", "failure"].map(_kind_of)
    for kind, count in sorted(failures.value_counts().items()):
        _LOG.warning("registrations: %d of %d pairs %s", count, len(table), kind)


def _kind_of(failure: str) -> str:
    """Return a reason without its figures, so that like reasons can be counted."""
    return re.sub(r"\d+(\.\d+)?%?", "...", re.sub(r" \(.*", "", failure))


def _describe_pair(pair: ScanPair) -> dict[str, str]:
    from pipeline.cases import key_of

    fixed = {
        f"fixed_{name}": key_of(pair.fixed)[name] for name in ("timepoint", "phase", "lesion_id")
    }
    return {**key_of(pair.moving), "between": pair.between, **fixed}


def _describe(registration: "Registration | None", failure: str) -> dict[str, object]:
    from dataclasses import asdict

    from pipeline.config.registration import RegistrationMethod
    from pipeline.imaging.registration_verdict import Quality

    return {
        "reached": registration.method.value if registration else RegistrationMethod.NONE.value,
        "already_aligned": registration.aligned if registration else False,
        **asdict(registration.quality if registration else Quality()),
        "failure": failure,
    }


def _registration_columns() -> list[str]:
    from pipeline.cases import KEY_COLUMNS

    fixed = ["fixed_timepoint", "fixed_phase", "fixed_lesion_id"]
    return [*KEY_COLUMNS, "between", *fixed, "asked", *_describe(None, "")]


def _command(argv: Sequence[str]) -> ExitCode:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="configs/prepare.yaml")
    parser.add_argument("--cohort", type=Path, required=True, help="checked tables (data/cohort)")
    parser.add_argument("--cohort-config", type=Path, required=True, help="configs/cohort.yaml")
    parser.add_argument("--out", type=Path, required=True, help="index of the volumes, Parquet")
    parser.add_argument("--registrations-out", type=Path, required=True, help="table, Parquet")
    parser.add_argument("--jobs", type=at_least_one, help="processes; default: as many as fit")
    args = parser.parse_args(argv)

    from pipeline.case_table import exit_code, log_failures, write_case_table
    from pipeline.config.cohort import load_cohort_config
    from pipeline.config.loading import load_settings
    from pipeline.config.prepare import PrepareConfig
    from pipeline.executor.machine import default_jobs
    from pipeline.ingest.cohort import read_checked_cohort
    from pipeline.store.results import ResultStore, default_store_root
    from pipeline.tabular import write_parquet

    cohort_config = load_cohort_config(args.cohort_config)
    cohort = read_checked_cohort(args.cohort, cohort_config.root, cohort_config.reading)
    config = load_settings(PrepareConfig, args.config)
    store, jobs = ResultStore(default_store_root()), args.jobs or default_jobs()
    table = run(cohort, config, store, jobs)
    write_case_table(table, args.out)
    log_failures(table)
    registrations = register_cohort(cohort, config, store, jobs)
    write_parquet(registrations, args.registrations_out)
    log_registrations(registrations)
    return exit_code(table, cohort_config.policy)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage."""
    return run_command(_command, argv)


if __name__ == "__main__":
    raise SystemExit(main())
