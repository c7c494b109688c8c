"""Read a cohort folder's three tables."""

import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from pipeline.domain.cohort import BIOMARKER_COLUMNS, SCAN_COLUMNS, Cohort, ScanRow
from pipeline.domain.errors import CohortError
from pipeline.domain.problem import Problem, Severity
from pipeline.domain.reading import DEFAULT_READING, Reading
from pipeline.domain.scan import Timepoint
from pipeline.ingest.codes import Code
from pipeline.ingest.scan_rows import SCANS_FILE, parse_scan_rows
from pipeline.ingest.tables import (
    find_column_problems,
    find_date_problems,
    find_id_problem,
    read_table,
)

PATIENTS_FILE = "patients.csv"
BIOMARKERS_FILE = "biomarkers.csv"

_NUMBER = re.compile(r"[+-]?(0|[1-9]\d*|0?(?=\.\d))(\.\d*)?([eE][+-]?\d+)?")


def read_cohort(
    tables: Path, images: Path | None = None, reading: Reading = DEFAULT_READING
) -> tuple[Cohort, list[Problem]]:
    """Read ``scans.csv``, ``patients.csv`` and, where present, ``biomarkers.csv``.

    Nothing is mended: identifiers keep their spaces, a row with a problem is listed and left out
    of ``scans`` (but kept in the other two tables, as text). A row that only lacks its mask is
    listed and kept apart, in ``unmasked``. Images are not opened.

    A column of ``patients.csv`` becomes numeric where every field that is not empty is a plain
    number; codes with leading zeros (``007``) stay text, and so do ``NA`` and the like. Without
    gaps, whole numbers stay integers. Empty fields are missing values. ``patient_id`` is text.

    Parameters
    ----------
    tables : Path
        Folder of the CSV files.
    images : Path, optional
        Folder that the image paths are relative to; by default ``tables``.
    reading : Reading
        How the images may be read later.

    Returns
    -------
    cohort : Cohort
        What could be read; tables that could not are empty.
    problems : list of Problem
        Everything wrong with the tables, in file order.
    """
    if not tables.is_dir():
        raise CohortError([_not_a_folder(tables)])
    patients, problems = _read_patients(tables / PATIENTS_FILE)
    patient_ids = None if patients.empty else set(patients["patient_id"])
    scans, unmasked, scan_problems = _read_scans(tables / SCANS_FILE, patient_ids)
    biomarkers, biomarker_problems = _read_biomarkers(tables / BIOMARKERS_FILE, patient_ids)
    problems = list(dict.fromkeys([*scan_problems, *problems, *biomarker_problems]))
    cohort = Cohort(images or tables, scans, patients, biomarkers, reading, unmasked)
    if scans:
        problems += _patients_without_scans(patients, cohort.listed_scans)
    return cohort, problems


def read_checked_cohort(
    tables: Path, images: Path | None = None, reading: Reading = DEFAULT_READING
) -> Cohort:
    """Read the tables of a cohort that the stage ``validate`` has written.

    Parameters
    ----------
    tables, images, reading
        As in :func:`read_cohort`.

    Raises
    ------
    CohortError
        If its tables have errors after all.
    """
    cohort, problems = read_cohort(tables, images, reading)
    if any(problem.is_error for problem in problems):
        raise CohortError(problems)
    return cohort


def _read_scans(
    file: Path, patient_ids: set[str] | None
) -> tuple[tuple[ScanRow, ...], tuple[ScanRow, ...], list[Problem]]:
    table, problems = read_table(file)
    if table is None:
        return (), (), problems
    problems += find_column_problems(file.name, table.columns, SCAN_COLUMNS)
    if any(name not in table.columns for name, required in SCAN_COLUMNS.items() if required):
        return (), (), problems
    rows, unmasked, row_problems = parse_scan_rows(table, patient_ids)
    return rows, unmasked, problems + row_problems


def _read_patients(file: Path) -> tuple[pd.DataFrame, list[Problem]]:
    table, problems = read_table(file)
    if table is None or "patient_id" not in table.columns:
        if table is not None:
            problems += find_column_problems(
                file.name, table.columns, {"patient_id": True}, closed=False
            )
        return pd.DataFrame({"patient_id": pd.Series(dtype=str)}), problems
    problems += _id_problems(file.name, table)
    problems += _repeated_patients(table)
    dates = [name for name in table.columns if name.endswith("_date")]
    problems += find_date_problems(file.name, table, dates)
    columns = {
        name: column if name == "patient_id" else _as_numbers_where_all_are(column)
        for name, column in table.items()
    }
    return pd.DataFrame(columns).reset_index(drop=True), problems


def _read_biomarkers(
    file: Path, patient_ids: set[str] | None
) -> tuple[pd.DataFrame, list[Problem]]:
    empty = pd.DataFrame({name: pd.Series(dtype=str) for name in BIOMARKER_COLUMNS})
    if not _may_be_there(file):
        return empty, []
    table, problems = read_table(file, may_be_empty=True)
    if table is None:
        return empty, problems
    problems += find_column_problems(file.name, table.columns, BIOMARKER_COLUMNS)
    if any(name not in table.columns for name, required in BIOMARKER_COLUMNS.items() if required):
        return empty, problems
    problems += _id_problems(file.name, table)
    problems += _unknown_patients(table, patient_ids)
    problems += find_date_problems(file.name, table, ["drawn_on"], required=True)
    problems += _unknown_timepoints(table)
    return table.reindex(columns=list(BIOMARKER_COLUMNS), fill_value="").reset_index(
        drop=True
    ), problems


def _may_be_there(file: Path) -> bool:
    """Tell whether an optional file is there; a folder that must not be searched may hold it."""
    try:
        return file.exists()
    except PermissionError:
        return True


def _id_problems(file: str, table: pd.DataFrame) -> list[Problem]:
    found = (
        find_id_problem(file, "patient_id", value, line)
        for line, value in zip(table.index, table["patient_id"], strict=True)
    )
    return [problem for problem in found if problem]


def _repeated_patients(table: pd.DataFrame) -> Iterator[Problem]:
    named = table[table["patient_id"] != ""]
    for patient_id, rows in named.groupby("patient_id", sort=False):
        if len(rows) > 1:
            yield Problem(
                code=Code.ROW_DUPLICATE,
                what=f"lines {', '.join(str(line) for line in rows.index)} are one patient",
                expected="one row a patient",
                got=f"{len(rows)} rows",
                next_step="Keep one row, or give different patients different identifiers.",
                patient_id=str(patient_id),
                file=PATIENTS_FILE,
                column="patient_id",
            )


def _as_numbers_where_all_are(column: "pd.Series[str]") -> "pd.Series[float] | pd.Series[str]":
    filled = column[column != ""]
    if filled.empty or not filled.map(lambda text: bool(_NUMBER.fullmatch(text))).all():
        return column.where(column != "")
    return pd.to_numeric(column.where(column != ""))


def _unknown_patients(table: pd.DataFrame, patient_ids: set[str] | None) -> Iterator[Problem]:
    named = table[table["patient_id"] != ""]
    for patient_id, rows in named.groupby("patient_id", sort=False):
        if patient_ids is not None and patient_id not in patient_ids:
            yield Problem(
                code=Code.PATIENT_UNKNOWN,
                what=f"{len(rows)} row(s) name a patient that patients.csv lacks",
                expected="a patient_id of patients.csv",
                got=str(patient_id),
                next_step="Add the patient to patients.csv, or correct the identifier.",
                patient_id=str(patient_id),
                file=BIOMARKERS_FILE,
                column="patient_id",
            )


def _unknown_timepoints(table: pd.DataFrame) -> Iterator[Problem]:
    if "timepoint" not in table.columns:
        return
    allowed = [item.value for item in Timepoint]
    for line, row in table[~table["timepoint"].isin(["", *allowed])].iterrows():
        yield Problem(
            code=Code.VALUE_NOT_ALLOWED,
            what="timepoint is not valid",
            expected=f"one of {', '.join(allowed)}, or nothing",
            got=f"{row['timepoint']!r} in line {line}",
            next_step="Correct the field, or leave it empty to go by the date.",
            patient_id=row["patient_id"],
            file=BIOMARKERS_FILE,
            column="timepoint",
        )


def _patients_without_scans(
    patients: pd.DataFrame, scans: tuple[ScanRow, ...]
) -> Iterator[Problem]:
    scanned = {scan.patient_id for scan in scans}
    for patient_id in patients["patient_id"]:
        if patient_id and patient_id not in scanned:
            yield Problem(
                code=Code.PATIENT_WITHOUT_SCANS,
                what="the patient has no usable row in scans.csv",
                expected="at least one scan",
                got="none",
                next_step="Add the scans, or remove the patient.",
                patient_id=patient_id,
                file=SCANS_FILE,
                severity=Severity.WARNING,
            )


def _not_a_folder(path: Path) -> Problem:
    return Problem(
        code=Code.COHORT_NOT_A_FOLDER,
        what="the cohort is not a folder",
        expected=f"a folder with {SCANS_FILE} and {PATIENTS_FILE}",
        got="a file" if path.exists() else "nothing at this path",
        next_step="Give the path of the cohort folder.",
        file=str(path),
    )
