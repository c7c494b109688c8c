"""What an import tells: ``ingest_report.csv``, and alike rows of it together.

The report has no paths, which may hold names. Its rows are numbered, and a file beside the key of
the pseudonyms leads from a number to the files (:func:`write_files`).
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from pipeline.domain.problem import Problem
from pipeline.ingest.codes import Code
from pipeline.ingest.collections.formulas import is_formula
from pipeline.ingest.collections.plan import Fate, ReportRow
from pipeline.ingest.pseudonyms import KEY_MODE
from pipeline.ingest.tables import text_table
from pipeline.tabular import write_bytes

REPORT_FILE = "ingest_report.csv"

_FILES_COLUMNS = ("row", "patient_id", "file", "segments")
_PRIVATE = ("advice", "files", "segments")
_COLUMNS = [name for name in ReportRow.__dataclass_fields__ if name not in _PRIVATE]
_PLACES_SHOWN = 3
"""Places that are named of rows alike; the report has all."""


def in_report_order(rows: Iterable[ReportRow]) -> tuple[ReportRow, ...]:
    """Return the rows by patient, each patient's in the given order."""
    return tuple(sorted(rows, key=lambda row: row.patient_id))


def report_table(rows: Sequence[ReportRow]) -> pd.DataFrame:
    """Return ``ingest_report.csv``: the rows in their order, numbered from 1."""
    table = text_table(rows, _COLUMNS)
    table.insert(0, "row", [str(number) for number in range(1, len(rows) + 1)])
    return table


def write_files(file: Path, source: Path, report: Sequence[ReportRow]) -> None:
    """Write which files each row of the report is about, readable by the owner only.

    One line a file, relative to the source, with the number of the row in the report; for masks
    also the numbers and names of their segments. A name that a spreadsheet may run as a formula
    gets ``./`` before it, which leads to the same file.

    Parameters
    ----------
    file : Path
        What to write.
    source : Path
        The folder that was imported.
    report : sequence of ReportRow
        In the order of the report.
    """
    lines = [
        (str(number), row.patient_id, _relative(path, source), "; ".join(row.segments))
        for number, row in enumerate(report, start=1)
        for path in row.files
    ]
    table = pd.DataFrame(lines, columns=list(_FILES_COLUMNS), dtype=str)
    text = table.to_csv(index=False, lineterminator="\n")
    # Names of files need not be UTF-8; those bytes come out as they are.
    write_bytes(text.encode(errors="surrogateescape"), file, KEY_MODE)


def is_list_of_files(file: Path) -> bool:
    """Tell by its first line whether a file is one that :func:`write_files` writes."""
    expected = (",".join(_FILES_COLUMNS) + "\n").encode()
    with file.open("rb") as stream:
        return stream.read(len(expected)) == expected


def _relative(path: Path, source: Path) -> str:
    text = path.relative_to(source).as_posix()
    return f"./{text}" if is_formula(text) else text


def alike(rows: Iterable[ReportRow]) -> list[tuple[ReportRow, ...]]:
    """Put the rows of one reason together, in the order in which the reasons first come."""
    groups: dict[str, list[ReportRow]] = {}
    for row in rows:
        groups.setdefault(row.reason, []).append(row)
    return [tuple(group) for group in groups.values()]


def describe(rows: Sequence[ReportRow]) -> str:
    """Return rows alike as one line: where, how many, why."""
    shown = ["  ".join(filter(None, (row.patient_id, row.source))) for row in rows[:_PLACES_SHOWN]]
    more = f" and {len(rows) - _PLACES_SHOWN} more" if len(rows) > _PLACES_SHOWN else ""
    count = f"{len(rows)} x " if len(rows) > 1 else ""
    return f"{count}{'; '.join(shown)}{more}: {rows[0].reason}"


def count(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 scan``, ``2 scans``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def nothing_usable(report: Sequence[ReportRow]) -> tuple[Problem, ...]:
    """Say why nothing was imported: failures, then what was not used; notes are no reasons."""
    by_fate = [[row for row in report if row.fate is fate] for fate in (Fate.FAILED, Fate.NOT_USED)]
    return tuple(_problem(group) for rows in by_fate for group in alike(rows))


def no_image(looked_for: str) -> ReportRow:
    """Return the row of a source without any image of its format."""
    return ReportRow(
        source="images",
        fate=Fate.FAILED,
        reason=f"none found below the source; looked for {looked_for}",
        advice="Correct the path or --format.",
    )


def patients_without_images(known: Iterable[str], found: Iterable[str]) -> list[ReportRow]:
    """Return a row for each patient of a clinical table of whom there is no image."""
    return [
        ReportRow(
            patient_id=patient_id,
            source="patient",
            fate=Fate.NOTE,
            reason="in the clinical table, but no image below the source",
        )
        for patient_id in sorted(set(known) - set(found))
    ]


def _problem(rows: Sequence[ReportRow]) -> Problem:
    patients = {row.patient_id for row in rows}
    of = f" of {len(patients)} patients" if len(patients) > 1 else ""
    which = rows[0].source if len(rows) == 1 else f"{len(rows)} entries{of}"
    return Problem(
        code=Code.NOTHING_TO_IMPORT,
        what=f"{which}: {rows[0].reason.rstrip('.')}",
        expected="an image with a mask of the tumour",
        got="nothing that can be used",
        next_step=rows[0].advice,
        patient_id="" if len(patients) > 1 else rows[0].patient_id,
    )
