"""De-identification: pseudonyms for identifiers, intervals for dates, listed words for free text.

What a DICOM header says about a person - name, identifier, birth date, dates, institution - never
reaches an output. Only three things derived from it do: a pseudonym, the distance in days to the
patient's first scan, and descriptions made of listed words (:mod:`.description_words`).
"""

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path

from pipeline.domain.errors import CohortError
from pipeline.domain.problem import Problem
from pipeline.ingest.codes import Code
from pipeline.ingest.tables import find_id_problem, read_table
from pipeline.tabular import write_bytes

FIRST_SCAN_DATE = date(2000, 1, 1)
"""Pseudo-date of every patient's first scan; later ones keep their distance to it in days."""

KEY_MODE = 0o600
"""The key file can be read by its owner only: it leads back to the persons."""

_COLUMNS = ("header_id", "patient_id")


def days_between(first: str, later: str) -> int | None:
    """Return the days from one DICOM date (``YYYYMMDD``) to another; None where either is not one.

    Source of the form: DICOM PS3.5 section 6.2, value representation DA.
    """
    start, end = _parse(first), _parse(later)
    return None if start is None or end is None else (end - start).days


def pseudo_date(days_from_first_scan: int | None) -> str:
    """Return the pseudo-date (ISO 8601) of a scan so many days after the first; "" for None."""
    if days_from_first_scan is None:
        return ""
    return (FIRST_SCAN_DATE + timedelta(days=days_from_first_scan)).isoformat()


def number_patients(header_ids: Iterable[str]) -> dict[str, str]:
    """Give ``P001``, ``P002`` ... to identifiers, in their alphabetical order.

    The same set of patients always gets the same pseudonyms; adding a patient may shift them, so a
    growing cohort needs a file of pseudonyms.
    """
    ordered = sorted(set(header_ids))
    width = max(3, len(str(len(ordered))))
    return {name: f"P{number:0{width}d}" for number, name in enumerate(ordered, start=1)}


def read_pseudonyms(file: Path) -> dict[str, str]:
    """Read pseudonyms chosen by the user: a CSV file with columns ``header_id, patient_id``.

    Raises
    ------
    CohortError
        If the file cannot be read, lacks a column, or two identifiers share a pseudonym. Messages
        name lines and pseudonyms, never a header identifier.
    """
    table, problems = read_table(file)
    if table is None or problems:
        raise CohortError(problems)
    absent = [name for name in _COLUMNS if name not in table.columns]
    if absent:
        raise CohortError([_column_missing(file, absent[0])])
    for line, (header_id, patient_id) in zip(
        table.index, table[list(_COLUMNS)].itertuples(index=False), strict=True
    ):
        wrong = find_id_problem(file.name, "patient_id", patient_id, line)
        problems += [wrong] if wrong else []
        problems += [] if header_id else [_no_header_id(file, line)]
    twice = table[table["header_id"].duplicated() | table["patient_id"].duplicated()]
    problems += [_repeated(file, int(line)) for line in twice.index]
    if problems:
        raise CohortError(problems)
    return dict(zip(table["header_id"], table["patient_id"], strict=True))


def write_key(file: Path, pseudonyms: Mapping[str, str]) -> None:
    """Write which pseudonym stands for which header identifier, readable by the owner only."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(("patient_id", "header_id"))
    writer.writerows(sorted((name, header) for header, name in pseudonyms.items()))
    write_bytes(stream.getvalue().encode(), file, KEY_MODE)


def _parse(text: str) -> date | None:
    if len(text) != 8 or not text.isascii() or not text.isdigit():
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def _column_missing(file: Path, name: str) -> Problem:
    return Problem(
        code=Code.COLUMN_MISSING,
        what="a required column is missing",
        expected=f"columns {', '.join(_COLUMNS)}",
        got=f"no {name}",
        next_step="Add the column.",
        file=file.name,
        column=name,
    )


def _no_header_id(file: Path, line: int) -> Problem:
    return Problem(
        code=Code.VALUE_MISSING,
        what=f"line {line} has no header_id",
        expected="the PatientID of the DICOM headers",
        got="an empty field",
        next_step="Fill the field or remove the row.",
        file=file.name,
        column="header_id",
    )


def _repeated(file: Path, line: int) -> Problem:
    return Problem(
        code=Code.ROW_DUPLICATE,
        what=f"line {line} repeats an identifier or a pseudonym",
        expected="one row a patient, each with a pseudonym of its own",
        got="a second row with the same",
        next_step="Keep one of the rows.",
        file=file.name,
    )
