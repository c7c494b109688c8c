"""Carry out an import plan: a cohort folder that is either complete or absent.

Everything is written into a folder beside the final one, named after it with ``.partial``, and
renamed at the end. An import that fails or is interrupted leaves nothing; what a killed one left
is recognised by a marker file and replaced by the next. An import that found nothing to use leaves
its report and nothing else, which the next one may replace.
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pandas as pd

from pipeline.domain.cohort import ScanRow
from pipeline.domain.errors import CohortError, OutputError
from pipeline.domain.problem import Problem
from pipeline.executor.outcome import CaseOutcome
from pipeline.executor.running import run_cases
from pipeline.ingest.codes import Code
from pipeline.ingest.cohort import BIOMARKERS_FILE, PATIENTS_FILE
from pipeline.ingest.collections.formulas import without_formulas
from pipeline.ingest.collections.import_report import REPORT_FILE, in_report_order, report_table
from pipeline.ingest.collections.patient_import import IMAGES_FOLDER, import_patient
from pipeline.ingest.collections.plan import (
    Fate,
    ImportedPatient,
    ImportPlan,
    PatientSource,
    ReportRow,
)
from pipeline.ingest.scan_rows import SCANS_FILE, scan_table
from pipeline.tabular import write_csv, write_text

TECHNICAL_FILE = "technical.csv"
MARKER = ".unfinished-import"
"""A file that marks a folder as an import that has not been completed."""

MASK_NOT_USED = "no series was imported with a region of it; see the rows of its series"
"""What the report says of a mask that was to be used, and in the end was not."""


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What an import has come to.

    Parameters
    ----------
    patients : int
        Patients with at least one row of ``scans.csv``.
    scans, rows : int
        Images, and rows of ``scans.csv`` (one a lesion).
    report : tuple of ReportRow
        All rows of the report, in its order.
    """

    patients: int
    scans: int
    rows: int
    report: tuple[ReportRow, ...]

    def of_fate(self, fate: Fate) -> list[ReportRow]:
        """Return the rows of the report with this fate."""
        return [row for row in self.report if row.fate is fate]


def check_output(out: Path) -> None:
    """Refuse an output folder that holds anything but the report of an import of nothing.

    Raises
    ------
    CohortError
        If it is a file or a folder with content.
    """
    if not out.exists() or _holds_at_most_a_report(out):
        return
    problem = Problem(
        code=Code.COHORT_NOT_A_FOLDER if not out.is_dir() else Code.FOLDER_NOT_EMPTY,
        what="the output folder is not empty" if out.is_dir() else "the output is not a folder",
        expected="a folder that does not exist yet or is empty",
        got="a folder with content" if out.is_dir() else "a file",
        next_step="Name another folder with --out, or remove this one.",
        file=out.name,
    )
    raise CohortError([problem])


def is_import_of_nothing(out: Path) -> bool:
    """Tell whether a folder is what an import leaves that found nothing to use."""
    return _holds_at_most_a_report(out) and (out / REPORT_FILE).is_file()


def _holds_at_most_a_report(out: Path) -> bool:
    return out.is_dir() and {file.name for file in out.iterdir()} <= {REPORT_FILE}


def write_cohort(plan: ImportPlan, out: Path, jobs: int) -> ImportSummary:
    """Import every patient of a plan and write the cohort folder.

    Parameters
    ----------
    plan : ImportPlan
        What to import.
    out : Path
        Absent or an empty folder.
    jobs : int
        Processes; the folder does not depend on their number.

    Returns
    -------
    ImportSummary
        Without scans where none could be imported; the folder then holds the report only.

    Raises
    ------
    CohortError
        If the output folder, or that of the unfinished work, holds something else.
    OutputError
        If it cannot be written.
    """
    check_output(out)
    with _unfinished(out) as folder:
        work = partial(import_patient, folder=folder)
        patients = [patient for patient in plan.patients if patient.scans]
        outcomes = run_cases(work, patients, jobs, "import")
        imported = [
            _result(patient, outcome, folder)
            for patient, outcome in zip(patients, outcomes, strict=True)
        ]
        report = _report(plan, imported)
        rows = [row for item in imported for row in item.rows]
        write_csv(without_formulas(report_table(report)), folder / REPORT_FILE)
        if rows:
            _write_tables(plan, rows, imported, folder)
        else:
            shutil.rmtree(folder / IMAGES_FOLDER, ignore_errors=True)
    return ImportSummary(
        patients=len({row.patient_id for row in rows}),
        scans=len({row.image for row in rows}),
        rows=len(rows),
        report=report,
    )


def _report(plan: ImportPlan, imported: Sequence[ImportedPatient]) -> tuple[ReportRow, ...]:
    """Put the rows together; the plan could not know which masks would be used in the end."""
    used = frozenset[Path]().union(*(item.masks for item in imported))
    planned = [
        row if row.fate is not Fate.USED or used.intersection(row.files) else _unused_mask(row)
        for row in plan.report
    ]
    return in_report_order([*(row for item in imported for row in item.report), *planned])


def _unused_mask(row: ReportRow) -> ReportRow:
    advice = "Follow what is said of its series."
    return replace(row, fate=Fate.NOT_USED, reason=MASK_NOT_USED, advice=advice)


def _result(
    patient: PatientSource, outcome: CaseOutcome[ImportedPatient], folder: Path
) -> ImportedPatient:
    if outcome.result is not None:
        return outcome.result
    shutil.rmtree(folder / IMAGES_FOLDER / patient.patient_id, ignore_errors=True)
    code = "unknown" if outcome.failure is None else outcome.failure.code
    # The message of a defect may quote a header, so only its code is written.
    row = ReportRow(
        patient_id=patient.patient_id,
        source="patient",
        fate=Fate.FAILED,
        reason=f"the import itself failed ({code}); run again with --jobs 1",
    )
    return ImportedPatient((), (row,), ())


def _write_tables(
    plan: ImportPlan,
    rows: Sequence[ScanRow],
    imported: Sequence[ImportedPatient],
    folder: Path,
) -> None:
    technical = [row for item in imported for row in item.technical]
    tables = {
        SCANS_FILE: _drop_empty_columns(scan_table(rows)),
        PATIENTS_FILE: plan.patient_table,
        TECHNICAL_FILE: pd.DataFrame(technical).fillna(""),
    }
    if not plan.biomarker_table.empty:
        tables[BIOMARKERS_FILE] = plan.biomarker_table
    for name, table in tables.items():
        write_csv(without_formulas(table), folder / name)


def _drop_empty_columns(table: pd.DataFrame) -> pd.DataFrame:
    empty = [name for name in ("mask_label", "site", "scan_date") if not (table[name] != "").any()]
    return table.drop(columns=empty)


@contextmanager
def _unfinished(out: Path) -> Iterator[Path]:
    """Give a folder to fill that becomes ``out`` at the end, or vanishes on an error."""
    folder = out.with_name(f"{out.name}.partial")
    if folder.exists():
        _remove_left_over(folder)
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        msg = f"{out}: cannot be made ({error.strerror}). Name another folder with --out."
        raise OutputError(msg) from None
    write_text("An import that has not been completed; safe to delete.\n", folder / MARKER)
    try:
        yield folder
        (folder / MARKER).unlink()
        if out.exists():
            (out / REPORT_FILE).unlink(missing_ok=True)  # of an import of nothing, as checked
            out.rmdir()  # empty now; otherwise this fails and nothing is lost
        folder.rename(out)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_left_over(folder: Path) -> None:
    if (folder / MARKER).is_file() and not folder.is_symlink():
        shutil.rmtree(folder)
        return
    problem = Problem(
        code=Code.FOLDER_NOT_EMPTY,
        what="the folder for unfinished work exists and is not one of ours",
        expected="nothing of this name",
        got=f"a file or folder without {MARKER}",
        next_step="Rename or remove it, or name another output folder.",
        file=folder.name,
    )
    raise CohortError([problem])
