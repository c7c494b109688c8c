"""Read which scans a second reader has drawn again."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from os.path import normpath
from pathlib import Path

from pipeline.domain.cohort import Cohort, ScanRow
from pipeline.domain.errors import CohortError
from pipeline.domain.problem import Problem
from pipeline.ingest.codes import Code
from pipeline.ingest.path_checks import find_path_problems
from pipeline.ingest.scan_rows import find_label_problems
from pipeline.ingest.tables import find_column_problems, read_table

SECOND_MASK_COLUMNS = {
    "patient_id": True,
    "timepoint": True,
    "modality": True,
    "phase": True,
    "lesion_id": False,
    "mask": True,
    "mask_label": False,
}
"""Columns of the file and whether each is required; they mean what they mean in ``scans.csv``."""


def read_second_masks(
    file: Path, cohort: Cohort, *, allow_outside: bool
) -> list[tuple[ScanRow, ScanRow]]:
    """Read a second reader's masks.

    Parameters
    ----------
    file : Path
        CSV, one row a row of ``scans.csv`` that was drawn again; columns
        :data:`SECOND_MASK_COLUMNS`. Paths are relative to the cohort folder.
    cohort : Cohort
        The scans.
    allow_outside : bool
        Whether masks may lie elsewhere.

    Returns
    -------
    list of (ScanRow, ScanRow)
        The first reader's row and the second's, which differ in ``mask`` and ``mask_label``.

    Raises
    ------
    CohortError
        Listing everything that is wrong with the file. Masks are looked up, not opened.
    """
    table, problems = read_table(file)
    if table is not None:
        problems += find_column_problems(file.name, table.columns, SECOND_MASK_COLUMNS)
    if table is None or problems:
        raise CohortError(problems)
    known = {row.case_id: row for row in cohort.scans}
    lines: dict[str, int] = {}
    pairs = []
    for line, (_, fields) in zip(table.index, table.iterrows(), strict=True):
        named = {str(name): str(value) for name, value in fields.items()}
        case_id = _case_id(named)
        found = list(_row_problems(file.name, named, line, known, lines))
        if not found:
            first = known[case_id]
            label = named.get("mask_label") or None
            second = replace(first, mask=named["mask"], mask_label=label)
            found = find_path_problems(cohort.root, second, allow_outside=allow_outside)
            found += _sameness(file.name, line, first, second)
            pairs.append((first, second))
        problems += found
    if problems:
        raise CohortError(problems)
    return pairs


def _case_id(fields: Mapping[str, str]) -> str:
    lesion = fields.get("lesion_id") or "1"
    names = ("patient_id", "timepoint", "modality", "phase")
    return "/".join((*(fields[name] for name in names), lesion))


def _row_problems(
    file: str,
    fields: Mapping[str, str],
    line: int,
    known: Mapping[str, ScanRow],
    lines: dict[str, int],
) -> Iterator[Problem]:
    """List what is wrong with a line; ``lines`` remembers where each scan stood first."""
    case_id = _case_id(fields)
    if case_id not in known:
        yield Problem(
            code=Code.VALUE_NOT_ALLOWED,
            what=f"line {line} names a scan that the checked scans.csv lacks",
            expected="patient_id, timepoint, modality, phase and lesion_id of one of its rows",
            got=case_id,
            next_step="Correct the line; remove it if the patient was excluded.",
            patient_id=fields["patient_id"],
            file=file,
        )
    first = lines.setdefault(case_id, line)
    if first != line:
        yield Problem(
            code=Code.ROW_DUPLICATE,
            what=f"lines {first} and {line} are second masks of one lesion on one scan",
            expected="one second mask",
            got=f"{case_id} twice",
            next_step="Remove one of them.",
            patient_id=fields["patient_id"],
            file=file,
        )
    if not fields["mask"].strip():
        yield Problem(
            code=Code.VALUE_MISSING,
            what="mask is not valid",
            expected="a path",
            got=f"an empty field in line {line}",
            next_step="Fill the field, or remove the line.",
            patient_id=fields["patient_id"],
            file=file,
            column="mask",
        )
    for problem in find_label_problems(fields, line):
        yield replace(problem, file=file)


def _sameness(file: str, line: int, first: ScanRow, second: ScanRow) -> Iterator[Problem]:
    """Report a second mask that is the first reader's or the image: it shows no agreement."""
    mask = normpath(second.mask)
    is_image = mask == normpath(first.image)
    if is_image or (mask, second.mask_label) == (normpath(first.mask), first.mask_label):
        yield Problem(
            code=Code.MASK_IS_IMAGE if is_image else Code.VALUE_NOT_ALLOWED,
            what=f"the second mask is {'the image' if is_image else 'that of the first reader'}",
            expected="what the second reader drew: another file, or another label of the file",
            got=f"{second.mask} in line {line}",
            next_step="Correct the columns mask and mask_label.",
            patient_id=second.patient_id,
            file=file,
            column="mask",
        )
