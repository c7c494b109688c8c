"""Read the clinical table of a public collection: a spreadsheet or CSV file, every field as text.

Numbers keep the digits of the file; what is not known is an empty text.
"""

import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline.domain.errors import CohortError
from pipeline.domain.problem import Problem
from pipeline.domain.scan import Timepoint
from pipeline.ingest.codes import Code
from pipeline.ingest.collections.formulas import is_formula
from pipeline.ingest.collections.plan import Fate, ReportRow
from pipeline.ingest.pseudonyms import pseudo_date

_DAMAGED = (OSError, ValueError, KeyError, UnicodeError, zipfile.BadZipFile)
"""What pandas and openpyxl raise on files that are not what their ending says."""

_NOT_KNOWN = ("NA", "N/A", "NaN", "nan")
"""How tables write what is not known; the files of one table may do so differently."""

_ENDINGS = (".xlsx", ".csv")
"""Of clinical tables, in the order of preference: spreadsheets are what is published."""


def plain_text(text: str) -> str:
    """Return a text; raises ValueError for one that a spreadsheet may run as a formula."""
    if is_formula(text):
        raise ValueError(text)
    return text


@dataclass(frozen=True, slots=True)
class Column:
    """How one column of a source becomes a column of ``patients.csv``.

    Parameters
    ----------
    source, name : str
        Its name in the source and ours, unit included.
    convert : callable
        Turns a field's text into ours; raises ValueError for text it does not know.
    """

    source: str
    name: str
    convert: Callable[[str], str] = plain_text


@dataclass(frozen=True, slots=True)
class ClinicalTables:
    """The two tables, and what was odd."""

    patients: pd.DataFrame
    biomarkers: pd.DataFrame
    report: tuple[ReportRow, ...]


def find_clinical(
    source: Path, given: Path | None, pattern: str, id_column: str
) -> tuple[pd.DataFrame, list[ReportRow]]:
    """Find and read the clinical table: the file that was named, or what lies below the source.

    Of several files with the same rows, as of a spreadsheet and a CSV file made of it, the first
    is taken, spreadsheets before CSV files.

    Parameters
    ----------
    source : Path
        Folder of the collection.
    given : Path or None
        Value of ``--clinical``.
    pattern : str
        Of the file's name, such as ``*clinical*``.
    id_column : str
        Column of the patients' identifiers.

    Returns
    -------
    table : pandas.DataFrame
        As :func:`read_clinical` gives it.
    notes : list of ReportRow
        Which file was taken where there are several.

    Raises
    ------
    CohortError
        If there is none, several that differ, or one that cannot be read.
    """
    if given is not None:
        found = [given] if given.is_file() else []
    else:
        found = sorted(
            filter(_may_be_table, source.rglob(pattern)),
            key=lambda file: (_ENDINGS.index(file.suffix.lower()), file),
        )
    if not found:
        raise CohortError([_no_table(pattern, given)])
    table = read_clinical(found[0], id_column)
    if any(not _same_rows(table, read_clinical(file, id_column)) for file in found[1:]):
        raise CohortError([_tables_differ(found)])
    return table, _taken(found) if len(found) > 1 else []


def _may_be_table(file: Path) -> bool:
    """Tell a table from other files, such as the one that a spreadsheet program locks it by."""
    is_hidden = file.name.startswith((".", "~$"))
    return file.is_file() and file.suffix.lower() in _ENDINGS and not is_hidden


def _same_rows(first: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Compare columns and fields; numbers by value, as a spreadsheet writes 5.0 as 5."""
    return first.map(_value).equals(other.map(_value))


def _value(text: str) -> str:
    text = text.strip()
    return repr(float(text)) if _is_number(text.removeprefix("-")) else text


def read_clinical(file: Path, id_column: str) -> pd.DataFrame:
    """Read the first sheet of a spreadsheet, or a CSV file, as text; what is not known is empty.

    Raises
    ------
    CohortError
        If the file cannot be read, or lacks the column of identifiers.
    """
    try:
        if file.suffix.lower() == ".csv":
            table = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig")
        else:
            table = pd.read_excel(file, dtype=str, keep_default_na=False)
    except _DAMAGED as error:
        problem = _unreadable(file, f"a file that cannot be read ({type(error).__name__})")
        raise CohortError([problem]) from None
    table.columns = [str(name).strip() for name in table.columns]
    if id_column not in table.columns:
        problem = _unreadable(file, f"columns {', '.join(list(table.columns)[:8])} ...")
        raise CohortError([problem])
    table = table.replace(list(_NOT_KNOWN), "")
    return table[table[id_column].str.strip() != ""].reset_index(drop=True)


def convert_columns(
    table: pd.DataFrame, columns: Sequence[Column], ids: Sequence[str]
) -> tuple[pd.DataFrame, list[ReportRow]]:
    """Rename and recode the columns of a clinical table.

    A field that means nothing known becomes empty and is listed, as are columns that are absent.

    Parameters
    ----------
    table : pandas.DataFrame
        As read.
    columns : sequence of Column
        Which to take.
    ids : sequence of str
        Our identifier of each row.
    """
    converted = {"patient_id": list(ids)}
    report: list[ReportRow] = []
    for column in columns:
        if column.source not in table.columns:
            reason = f"the clinical table has no column {column.source}"
            report.append(ReportRow(source="clinical table", fate=Fate.FAILED, reason=reason))
            continue
        values = []
        for patient_id, text in zip(ids, table[column.source], strict=True):
            try:
                values.append(column.convert(text.strip()) if text.strip() else "")
            except ValueError:
                values.append("")
                report.append(_unknown_value(patient_id, column.source))
        converted[column.name] = values
    return pd.DataFrame(converted, dtype=str), report


def baseline_measurements(
    table: pd.DataFrame, ids: Sequence[str], column: str, analyte: str, unit: str
) -> list[dict[str, str]]:
    """Return a column of a clinical table as rows of ``biomarkers.csv`` at the baseline.

    The tables have no dates of blood draws: each is given the day of the patient's first scan.
    Empty fields, and a column that is absent, give no rows.
    """
    if column not in table.columns:
        return []
    return [
        {
            "patient_id": patient_id,
            "analyte": analyte,
            "value": value.strip(),
            "unit": unit,
            "drawn_on": pseudo_date(0),
            "timepoint": Timepoint.BASELINE.value,
        }
        for patient_id, value in zip(ids, table[column], strict=True)
        if value.strip()
    ]


def recode(codes: Mapping[str, str]) -> Callable[[str], str]:
    """Return a converter that knows these codes only; 1 and 1.0 are the same."""
    return lambda text: _look_up(codes, whole(text) if _is_number(text) else text)


def one_of(values: Sequence[str], *, prefix: str = "") -> Callable[[str], str]:
    """Return a converter that removes a prefix and knows these values only."""
    return lambda text: _look_up({value: value for value in values}, text.removeprefix(prefix))


def number(text: str) -> str:
    """Return a number as the file writes it; raises ValueError for other text."""
    float(text)
    return text


def whole(text: str) -> str:
    """Return a whole number without a decimal point; raises ValueError for other text."""
    if not float(text).is_integer():
        raise ValueError(text)
    return str(int(float(text)))


def _look_up(known: Mapping[str, str], text: str) -> str:
    if text not in known:
        raise ValueError(text)
    return known[text]


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()


def _unknown_value(patient_id: str, column: str) -> ReportRow:
    return ReportRow(
        patient_id=patient_id,
        source="clinical table",
        fate=Fate.FAILED,
        reason=f"column {column} holds a value that its description does not name; left empty",
    )


def _taken(found: Sequence[Path]) -> list[ReportRow]:
    others = ", ".join(file.name for file in found[1:])
    reason = f"{found[0].name} is taken; the same table is in {others}"
    return [ReportRow(source="clinical table", fate=Fate.NOTE, reason=reason)]


def _no_table(pattern: str, given: Path | None) -> Problem:
    return Problem(
        code=Code.TABLE_MISSING,
        what="the clinical table was not found",
        expected=f"an .xlsx or .csv file named {pattern} below the source, or --clinical FILE",
        got="nothing at the path given" if given else "none",
        next_step="Download the clinical table, or name it with --clinical.",
        file="" if given is None else given.name,
    )


def _tables_differ(found: Sequence[Path]) -> Problem:
    return Problem(
        code=Code.TABLE_AMBIGUOUS,
        what="several files may be the clinical table, and they differ",
        expected="one clinical table below the source, or copies of it with the same rows",
        got=", ".join(file.name for file in found),
        next_step="Name the one to use with --clinical FILE.",
    )


def _unreadable(file: Path, got: str) -> Problem:
    return Problem(
        code=Code.TABLE_UNREADABLE,
        what="the clinical table cannot be read",
        expected="the clinical table as published, with one row a patient",
        got=got,
        next_step="Download it again, or name the right one with --clinical.",
        file=file.name,
    )
