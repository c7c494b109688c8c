"""A table with one row a case, and beside it the cases that have no row, each with its reason."""

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from pipeline.cases import KEY_COLUMNS
from pipeline.cli import ExitCode
from pipeline.config.cohort import Policy
from pipeline.domain.errors import RegionAbsentError
from pipeline.executor.outcome import CaseOutcome
from pipeline.tabular import write_csv, write_parquet

FAILURE_COLUMNS = (*KEY_COLUMNS, "region", "code", "reason")
"""Columns of a table of failures; ``region`` is empty where the whole scan failed."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CaseTable:
    """What became of every case: each is in exactly one of the two tables, in input order.

    Parameters
    ----------
    rows : pandas.DataFrame
        Key columns, then the columns that the step adds.
    failures : pandas.DataFrame
        :data:`FAILURE_COLUMNS`, all text; among them, with the code ``region-absent``, regions that
        a scan does not have: no failure, but no row either.
    """

    rows: pd.DataFrame = field(repr=False)
    failures: pd.DataFrame = field(repr=False)


def build_case_table(
    keys: Sequence[Mapping[str, str]],
    outcomes: Sequence[CaseOutcome[Mapping[str, object]]],
    columns: Sequence[str],
    images: Path,
) -> CaseTable:
    """Put outcomes together.

    Parameters
    ----------
    keys : sequence of mapping
        Key columns of each case.
    outcomes : sequence of CaseOutcome
        In the order of ``keys``; a result maps column names to values.
    columns : sequence of str
        Keys and results have these columns, in this order, whatever the cases gave.
    images : Path
        The cohort folder; reasons name its files relative to it, as ``scans.csv`` does, so that the
        table tells nothing of the machine and is the same on every one.
    """
    rows: list[dict[str, object]] = []
    failures: list[dict[str, str]] = []
    for key, outcome in zip(keys, outcomes, strict=True):
        if outcome.failure is not None:
            failure = outcome.failure
            reason = relate_to_images(failure.reason, images)
            failures.append({**key, "code": failure.code, "reason": reason})
        else:
            rows.append({**key, **(outcome.result or {})})
    return CaseTable(pd.DataFrame(rows, columns=list(columns)), list_failures(failures))


def relate_to_images(reason: str, images: Path) -> str:
    """Name files in a reason relative to the cohort folder."""
    folder = f"{images}{os.sep}"
    return reason if images == Path() else reason.replace(folder, "")


def list_failures(failures: Sequence[Mapping[str, str]]) -> pd.DataFrame:
    """Return a table of failures; what a failure does not say is empty text."""
    blank = dict.fromkeys(FAILURE_COLUMNS, "")
    rows = [{**blank, **failure} for failure in failures]
    return pd.DataFrame(rows, columns=list(FAILURE_COLUMNS), dtype=str)


def write_case_table(
    table: CaseTable, path: Path, about: Mapping[str, object] | None = None
) -> None:
    """Write the rows as Parquet, and the failures as ``<name>_failures.csv`` beside them.

    What ``about`` says of the table goes into the Parquet file's metadata.
    """
    write_parquet(table.rows, path, about)
    write_csv(table.failures, path.with_name(f"{path.stem}_failures.csv"))


def split_absent(failures: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Divide a table of failures into cases that failed and regions that a scan does not have."""
    is_absent = failures["code"] == RegionAbsentError.code
    return failures[~is_absent], failures[is_absent]


def log_failures(table: CaseTable) -> None:
    """Say which cases failed and why, and how many regions are absent, on standard error."""
    failed, absent = split_absent(table.failures)
    total = len(table.failures) + len(table.rows)
    for reason, count in absent["reason"].value_counts().sort_index().items():
        _LOG.warning("note: %s: %d of %d cases, not counted as failed.", reason, count, total)
    for failure in failed.to_dict("records"):
        place = "/".join(failure[name] for name in (*KEY_COLUMNS, "region") if failure[name])
        _LOG.error("failed: %s: [%s] %s", place, failure["code"], failure["reason"])
    if len(failed):
        _LOG.error("%d of %d cases failed, the rest is complete.", len(failed), total)


def exit_code(table: CaseTable, policy: Policy) -> ExitCode:
    """Return 3 where a case failed and the cohort's policy is strict, else 0.

    A region that a scan does not have is no failure.
    """
    failed, _ = split_absent(table.failures)
    stops = policy is Policy.STRICT and len(failed) > 0
    return ExitCode.SOME_CASES_FAILED if stops else ExitCode.DONE
