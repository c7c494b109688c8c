"""Read a CSV file of a cohort as text, exactly as written, with everything wrong about its form."""

import csv
import difflib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from pipeline.domain.problem import Problem
from pipeline.ingest.codes import Code

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_PLAIN_ID = re.compile(r"\w[\w.-]*")
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")

MOST_ID_BYTES = 64
"""Longest identifier in UTF-8, as long as DICOM allows. Percent-encoded in the name of a file, a
byte takes three of 255 characters; endings and the name of an unfinished file need the rest."""

LINE = "line"
"""Name of the index of the tables read here: the line of the file a row begins in, 1 = header."""

MOST_BYTES = 1 << 28
"""Largest table read: 256 MiB, a thousand times the tables of the largest cohorts."""

MOST_COLUMNS = 10_000
"""Most columns of a table; one with more is most often transposed or not a cohort's."""


def read_table(
    file: Path, *, may_be_empty: bool = False
) -> tuple[pd.DataFrame | None, list[Problem]]:
    """Read a CSV file; every field is text, an empty one the empty string.

    A byte-order mark is ignored, lines without any field are skipped. Rows of the wrong length
    are listed and left out; names of columns with spaces at their ends are listed and read without.

    Parameters
    ----------
    file : Path
        UTF-8, separated by commas, with a header.
    may_be_empty : bool
        Whether a header without rows is fine.

    Returns
    -------
    table : pandas.DataFrame or None
        Indexed by line number; None where the file has no usable header.
    problems : list of Problem
        What is wrong with the file's form.
    """
    try:
        if not file.is_file():
            return None, [_missing(file)]
        if file.stat().st_size > MOST_BYTES:
            return None, [_unreadable(file, f"at most {MOST_BYTES} bytes", "a longer file")]
        header, rows = _read_rows(file)
    except UnicodeDecodeError as error:
        return None, [_not_utf8(file, error)]
    except csv.Error as error:
        return None, [_unreadable(file, "rows of fields separated by commas", str(error))]
    except OSError as error:
        step = "Look at the permissions of the file and of its folder."
        return None, [_unreadable(file, "a file that can be opened", f"{error.strerror}", step)]
    spaced = [_name_spaces(file, name) for name in header if name != name.strip()]
    header = [name.strip() for name in header]
    problems = _header_problems(file, header)
    if problems:
        return None, spaced + problems
    fitting = [(line, row) for line, row in rows if len(row) == len(header)]
    problems = spaced + [
        _row_length(file, line, len(row), len(header))
        for line, row in rows
        if len(row) != len(header)
    ]
    if not rows and not may_be_empty:
        problems.append(_no_rows(file))
    index = pd.Index([line for line, _ in fitting], name=LINE, dtype=int)
    return pd.DataFrame([row for _, row in fitting], index, header, dtype=str), problems


def _read_rows(file: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the header and the rows that are not empty, each with its line."""
    # newline="" as the csv module asks; strict, so that a quote never closed is an error.
    with file.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(_without_nul(stream), strict=True)
        header = next(reader, [])
        return header, [(reader.line_num, row) for row in reader if any(row)]


def _without_nul(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if "\0" in line:
            msg = "NUL characters; it may be UTF-16 text, or no text at all"
            raise csv.Error(msg)
        yield line


def find_column_problems(
    file: str, present: Iterable[str], contract: dict[str, bool], *, closed: bool = True
) -> list[Problem]:
    """Compare a header with the columns of the contract.

    Parameters
    ----------
    file : str
        Name of the table.
    present : iterable of str
        Its header.
    contract : dict
        Allowed columns, and whether each is required.
    closed : bool
        Whether other columns are errors.
    """
    present = list(present)
    missing = [name for name, required in contract.items() if required and name not in present]
    unknown = [name for name in present if closed and name not in contract]
    return [_column_missing(file, name, present) for name in missing] + [
        _column_unknown(file, name, contract) for name in unknown
    ]


def find_id_problem(file: str, column: str, value: str, line: int) -> Problem | None:
    """Judge an identifier, which later names files and rows; it is never mended silently.

    One that is not plain is reported in the same words wherever it stands, to be listed once.
    """
    if not value:
        return Problem(
            code=Code.VALUE_MISSING,
            what=f"a row has no {column}",
            expected="an identifier",
            got=f"an empty field in line {line}",
            next_step="Fill the field or remove the row.",
            file=file,
            column=column,
        )
    spaces = " (spaces at the ends)" if value != value.strip() else ""
    problem = Problem(
        code=Code.ID_NOT_PLAIN,
        what=f"{column} is not a plain identifier",
        expected="letters, digits, '_', '-' and '.', beginning with a letter or digit",
        got=f"{value!r}{spaces}",
        next_step="Write it the same way, without other signs, in all tables.",
        patient_id=value if column == "patient_id" else "",
        file=file,
        column=column,
    )
    if not _PLAIN_ID.fullmatch(value):
        return problem
    size = len(value.encode())
    if size <= MOST_ID_BYTES:
        return None
    return replace(
        problem,
        what=f"{column} is too long",
        expected=f"at most {MOST_ID_BYTES} bytes in UTF-8: a letter takes one, with an accent two,"
        " of other scripts up to four",
        got=f"{value!r}, {size} bytes",
        next_step="Write a shorter one in all tables.",
    )


def find_date_problems(
    file: str, table: pd.DataFrame, columns: Sequence[str], *, required: bool = False
) -> Iterator[Problem]:
    """List the fields of date columns that are not ISO 8601 calendar dates."""
    for column in (name for name in columns if name in table.columns):
        for line, patient_id, text in zip(
            table.index, table["patient_id"], table[column], strict=True
        ):
            if is_iso_date(text) or (not text and not required):
                continue
            yield Problem(
                code=Code.DATE_INVALID,
                what=f"{column} is not a date",
                expected="YYYY-MM-DD, a day that exists",
                got=f"{repr(text) if text else 'an empty field'} in line {line}",
                next_step="Write the date in this form; spreadsheets tend to change it.",
                patient_id=patient_id,
                file=file,
                column=column,
            )


def is_iso_date(text: str) -> bool:
    """Tell whether a text is a calendar date written YYYY-MM-DD."""
    if not _ISO_DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def as_date(written: object) -> date | None:
    """Return a date written by ISO 8601, None where it is missing or malformed."""
    try:
        return date.fromisoformat(str(written))
    except ValueError:
        return None


def dates_by_patient(patients: pd.DataFrame, column: str) -> dict[str, date]:
    """Return a column of dates by patient, without those that are missing or malformed."""
    if column not in patients.columns:
        return {}
    pairs = zip(patients["patient_id"], patients[column], strict=True)
    return {str(patient): seen for patient, written in pairs if (seen := as_date(written))}


def text_table(rows: Iterable["DataclassInstance"], columns: Sequence[str]) -> pd.DataFrame:
    """Return dataclass instances as a table, a row each, every field text and None empty."""
    records = [
        {name: "" if value is None else str(value) for name, value in asdict(row).items()}
        for row in rows
    ]
    return pd.DataFrame(records, columns=list(columns), dtype=str)


def did_you_mean(name: str, known: Iterable[str], otherwise: str) -> str:
    """Suggest the known name that is closest to one that is not, else say ``otherwise``."""
    by_lower = {item.lower(): item for item in known}
    close = difflib.get_close_matches(name.strip().lower(), list(by_lower), n=1)
    return f"Did you mean {by_lower[close[0]]}?" if close else otherwise


def _header_problems(file: Path, header: list[str]) -> list[Problem]:
    # A single plain name is a table that lacks columns, which its reader lists.
    if len(header) < 2 and not _PLAIN_ID.fullmatch("".join(header)):
        semicolons = ";" in "".join(header)
        got = "fields separated by semicolons" if semicolons else f"{header or 'an empty file'}"
        return [_unreadable(file, "a header with fields separated by commas", got)]
    if not all(header):
        number = next(n for n, name in enumerate(header, start=1) if not name)
        return [_unreadable(file, "a name for every column", f"none for column {number}")]
    if len(header) > MOST_COLUMNS:
        return [_unreadable(file, f"at most {MOST_COLUMNS} columns", f"{len(header)}")]
    counts = Counter(header)
    twice = sorted(name for name in counts if counts[name] > 1)
    return [
        Problem(
            code=Code.COLUMN_DUPLICATE,
            what="two columns have the same name",
            expected="each column once",
            got=f"{counts[name]} times",
            next_step="Remove or rename one.",
            file=file.name,
            column=name,
        )
        for name in twice
    ]


def _name_spaces(file: Path, name: str) -> Problem:
    return Problem(
        code=Code.COLUMN_NAME_SPACES,
        what="the name of a column has spaces at its ends",
        expected=repr(name.strip()),
        got=repr(name),
        next_step="Remove the spaces from the first line of the file.",
        file=file.name,
        column=name.strip(),
    )


def _missing(file: Path) -> Problem:
    return Problem(
        code=Code.TABLE_MISSING,
        what="the table is missing",
        expected=f"a file {file.name} in the cohort folder",
        got="no such file" if not file.exists() else "something that is not a file",
        next_step="Add the file, or correct the path of the cohort folder.",
        file=file.name,
    )


def _not_utf8(file: Path, error: UnicodeDecodeError) -> Problem:
    # The error counts from the piece that the decoder was given, so look again in the whole file.
    content = file.read_bytes()
    lines = content.split(b"\n")
    number = next(
        (n for n, line in enumerate(lines, start=1) if _fails_to_decode(line)), len(lines)
    )
    byte = error.object[error.start]
    return _unreadable(
        file,
        "UTF-8 text",
        f"byte 0x{byte:02x} in line {number}",
        "Save it as 'CSV UTF-8'; it may be Latin-1 text, or no text at all.",
    )


def _fails_to_decode(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


def _unreadable(
    file: Path, expected: str, got: str, next_step: str = "Save the table as 'CSV UTF-8'."
) -> Problem:
    return Problem(
        code=Code.TABLE_UNREADABLE,
        what="the table cannot be read",
        expected=expected,
        got=got,
        next_step=next_step,
        file=file.name,
    )


def _no_rows(file: Path) -> Problem:
    return Problem(
        code=Code.TABLE_EMPTY,
        what="the table has no rows",
        expected="at least one row below the header",
        got="none",
        next_step="Add the rows, or correct the path of the cohort folder.",
        file=file.name,
    )


def _row_length(file: Path, line: int, got: int, expected: int) -> Problem:
    return Problem(
        code=Code.ROW_LENGTH,
        what=f"line {line} does not fit the header",
        expected=f"{expected} fields",
        got=f"{got}",
        next_step="Add or remove commas; put a field that holds a comma in double quotes.",
        file=file.name,
    )


def _column_missing(file: str, name: str, present: list[str]) -> Problem:
    return Problem(
        code=Code.COLUMN_MISSING,
        what="a required column is missing",
        expected=f"a column {name}",
        got=f"columns {', '.join(present)}",
        next_step="Add the column.",
        file=file,
        column=name,
    )


def _column_unknown(file: str, name: str, contract: dict[str, bool]) -> Problem:
    allowed = ", ".join(contract)
    return Problem(
        code=Code.COLUMN_UNKNOWN,
        what="the column is unknown",
        expected=f"only {allowed}",
        got=repr(name),
        next_step=did_you_mean(name, contract, "Remove the column."),
        file=file,
        column=name,
    )
