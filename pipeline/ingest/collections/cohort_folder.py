"""Carry out an import plan: a cohort folder that is either complete or absent.

Everything is written into a folder beside the final one, named after it with ``.partial``, and
renamed at the end. An import that fails or is interrupted leaves nothing; what a killed one left
is recognised by a marker file and replaced by the next.
"""

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from pipeline.domain.cohort import ScanRow
from pipeline.domain.errors import CohortError
from pipeline.domain.problem import Problem
from pipeline.executor import CaseOutcome, run_cases
from pipeline.ingest.codes import Code
from pipeline.ingest.cohort import BIOMARKERS_FILE, PATIENTS_FILE
from pipeline.ingest.collections.formulas import without_formulas
from pipeline.ingest.collections.patient_import import IMAGES_FOLDER, import_patient
from pipeline.ingest.collections.plan import (
    Fate,
    ImportedPatient,
    ImportPlan,
    PatientSource,
    ReportRow,
)
from pipeline.ingest.scan_rows import SCANS_FILE, scan_table
from pipeline.ingest.tables import text_table
from pipeline.tabular import write_csv, write_text

REPORT_FILE = "ingest_report.csv"
TECHNICAL_FILE = "technical.csv"
MARKER = ".unfinished-import"
"""A file that marks a folder as an import that has not been completed."""

_REPORT_COLUMNS = list(ReportRow.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What an import has come to.

    Parameters
    ----------
    patients : int
        Patients with at least one row of ``scans.csv``.
    scans, rows : int
        Images, and rows of ``scans.csv`` (one a lesion).
    not_used : int
        Series and masks of the source that were not used, with a reason in the report.
    failed : tuple of ReportRow
        What should have been imported and could not.
    """

    patients: int
    scans: int
    rows: int
    not_used: int
    failed: tuple[ReportRow, ...]


def check_output(out: Path) -> None:
    """Refuse an output folder that holds anything: nothing is ever overwritten.

    Raises
    ------
    CohortError
        If it is a file or a folder with content.
    """
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
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

    Raises
    ------
    CohortError
        If no scan could be imported; nothing is left then.
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
        report = [*(row for item in imported for row in item.report), *plan.report]
        rows = [row for item in imported for row in item.rows]
        if not rows:
            raise CohortError(_nothing_usable(report))
        _write_tables(plan, rows, report, imported, folder)
    return _summary(rows, report)


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
    report: Sequence[ReportRow],
    imported: Sequence[ImportedPatient],
    folder: Path,
) -> None:
    technical = [row for item in imported for row in item.technical]
    tables = {
        SCANS_FILE: _drop_empty_columns(scan_table(rows)),
        PATIENTS_FILE: plan.patient_table,
        REPORT_FILE: report_table(report),
        TECHNICAL_FILE: pd.DataFrame(technical).fillna(""),
    }
    if not plan.biomarker_table.empty:
        tables[BIOMARKERS_FILE] = plan.biomarker_table
    for name, table in tables.items():
        write_csv(without_formulas(table), folder / name)


def report_table(report: Sequence[ReportRow]) -> pd.DataFrame:
    """Return the rows of ``ingest_report.csv``, by patient, each patient's in the given order."""
    ordered = sorted(report, key=lambda row: row.patient_id)
    return text_table(ordered, _REPORT_COLUMNS)


def _drop_empty_columns(table: pd.DataFrame) -> pd.DataFrame:
    empty = [name for name in ("mask_label", "site", "scan_date") if not (table[name] != "").any()]
    return table.drop(columns=empty)


def _summary(rows: Sequence[ScanRow], report: Sequence[ReportRow]) -> ImportSummary:
    return ImportSummary(
        patients=len({row.patient_id for row in rows}),
        scans=len({row.image for row in rows}),
        rows=len(rows),
        not_used=sum(row.fate is Fate.NOT_USED for row in report),
        failed=tuple(row for row in report if row.fate is Fate.FAILED),
    )


@contextmanager
def _unfinished(out: Path) -> Iterator[Path]:
    """Give a folder to fill that becomes ``out`` at the end, or vanishes on an error."""
    folder = out.with_name(f"{out.name}.partial")
    if folder.exists():
        _remove_left_over(folder)
    folder.mkdir(parents=True)
    write_text("An import that has not been completed; safe to delete.\n", folder / MARKER)
    try:
        yield folder
        (folder / MARKER).unlink()
        if out.exists():
            out.rmdir()  # empty, as checked; otherwise this fails and nothing is lost
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


def _nothing_usable(report: Sequence[ReportRow]) -> list[Problem]:
    """Say for each patient why nothing was imported, alike series together."""
    shown = [row for row in report if row.fate is Fate.FAILED] or list(report)
    counts = Counter((row.patient_id, row.reason.rstrip(".")) for row in shown if row.reason)
    problems = [
        Problem(
            code=Code.NOTHING_TO_IMPORT,
            what=f"{count} {'entry' if count == 1 else 'entries'} cannot be imported",
            expected="an image with a mask of the tumour",
            got=reason,
            next_step="Correct the source, name the tumour's segment by --tumour, or write images"
            " without masks by --unmasked.",
            patient_id=patient_id,
        )
        for (patient_id, reason), count in counts.items()
    ]
    return problems or [nothing_found()]


def patients_without_images(known: Iterable[str], found: Iterable[str]) -> list[ReportRow]:
    """Return a row for each patient of a clinical table of whom there is no image."""
    return [
        ReportRow(
            patient_id=patient_id,
            source="patient",
            fate=Fate.NOT_USED,
            reason="in the clinical table, but no image below the source",
        )
        for patient_id in sorted(set(known) - set(found))
    ]


def nothing_found() -> Problem:
    """Return the problem of a source that holds nothing of its format."""
    return Problem(
        code=Code.NOTHING_TO_IMPORT,
        what="nothing to import",
        expected="images and masks of the format",
        got="none below this folder",
        next_step="Correct the path or --format.",
    )
