"""Turn the text of ``scans.csv`` into rows with a meaning, or say why that is not possible."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from pipeline.domain.cohort import MASK_COLUMNS, SCAN_COLUMNS, ScanRow
from pipeline.domain.lesions import UNION_ID, link_lesions
from pipeline.domain.problem import Problem
from pipeline.domain.scan import Modality, Timepoint
from pipeline.ingest.codes import Code
from pipeline.ingest.dicom.mask_labels import whole_number
from pipeline.ingest.image_file import is_image_file
from pipeline.ingest.slicer_segments import is_slicer_file
from pipeline.ingest.tables import (
    did_you_mean,
    find_date_problems,
    find_id_problem,
    text_table,
)

SCANS_FILE = "scans.csv"

KNOWN_PHASES = ("native", "arterial", "portal", "delayed", "hbp", "t1", "t2", "adc", "dwi", "suv")
"""Phases and sequences with a meaning of their own; others are allowed, written alike."""

_PHASE = re.compile(r"[a-z0-9][a-z0-9_]*")


def parse_scan_rows(
    table: pd.DataFrame, patient_ids: Collection[str] | None
) -> tuple[tuple[ScanRow, ...], tuple[ScanRow, ...], list[Problem]]:
    """Interpret the rows of ``scans.csv``.

    Parameters
    ----------
    table : pandas.DataFrame of str
        Indexed by line, with all required columns.
    patient_ids : collection of str or None
        The patients of ``patients.csv``; None where that file could not be read.

    Returns
    -------
    rows : tuple of ScanRow
        In file order, those without problems.
    unmasked : tuple of ScanRow
        Those whose only problem is that they name no mask.
    problems : list of Problem
        Everything wrong with the others.
    """
    rows: list[ScanRow] = []
    unmasked: list[ScanRow] = []
    problems: list[Problem] = []
    lines_by_case: dict[str, int] = {}
    for line, (_, row) in zip(table.index, table.iterrows(), strict=True):
        fields = {str(name): str(value) for name, value in row.items()}
        found = list(_row_problems(fields, line, patient_ids))
        has_mask = bool(fields["mask"].strip())
        if not found:
            scan = _scan_row(fields)
            found = list(_repetition(scan, line, lines_by_case))
            if not found:
                (rows if has_mask else unmasked).append(scan)
        if not has_mask:
            found.append(_no_mask(fields, line))
        problems += found
    return link_lesions(rows), tuple(unmasked), problems


def scan_table(scans: Sequence[ScanRow]) -> pd.DataFrame:
    """Return the rows as a table with the columns of ``scans.csv``, every field text."""
    return text_table(scans, list(SCAN_COLUMNS))


def _row_problems(
    fields: Mapping[str, str], line: int, patient_ids: Collection[str] | None
) -> Iterator[Problem]:
    patient_id = fields["patient_id"]
    id_problem = find_id_problem(SCANS_FILE, "patient_id", patient_id, line)
    if id_problem:
        yield id_problem
    elif patient_ids is not None and patient_id not in patient_ids:
        yield _patient_unknown(patient_id)
    if fields.get("lesion_id") == UNION_ID:
        expected = "another name: this one means the union of all lesions"
        step = "Rename the lesion."
        yield _field_problem(Code.VALUE_NOT_ALLOWED, fields, line, "lesion_id", expected, step)
    elif fields.get("lesion_id"):
        lesion_problem = find_id_problem(SCANS_FILE, "lesion_id", fields["lesion_id"], line)
        if lesion_problem:
            yield replace(lesion_problem, patient_id=patient_id)
    yield from _vocabulary_problems(fields, line)
    if not fields["image"].strip():
        yield _field_problem(Code.VALUE_MISSING, fields, line, "image", "a path", "Fill the field.")
    yield from _organ_problems(fields, line)
    yield from find_label_problems(fields, line)
    yield from find_date_problems(SCANS_FILE, pd.DataFrame([fields], index=[line]), ["scan_date"])


def _organ_problems(fields: Mapping[str, str], line: int) -> Iterator[Problem]:
    for column in MASK_COLUMNS.values():
        written = fields.get(column, "")
        if column != "mask" and written and not written.strip():
            step = "Empty the field, or write the path."
            expected = "a path, or nothing (not spaces)"
            yield _field_problem(Code.VALUE_NOT_ALLOWED, fields, line, column, expected, step)


def _no_mask(fields: Mapping[str, str], line: int) -> Problem:
    step = "Draw the tumour and fill the field, or remove the row."
    return _field_problem(Code.VALUE_MISSING, fields, line, "mask", "a path", step)


def find_label_problems(fields: Mapping[str, str], line: int) -> Iterator[Problem]:
    """Report a ``mask_label`` that cannot be a voxel value, of a mask whose regions need one."""
    label = fields.get("mask_label", "")
    if not (label and _needs_number(fields["mask"])):
        return
    number = whole_number(label)
    if not number:
        yield _field_problem(
            Code.LABEL_NOT_AN_INTEGER if number is None else Code.LABEL_BACKGROUND,
            fields,
            line,
            "mask_label",
            "a whole number from 1 on, or nothing",
            "Write the voxel value of the region.",
        )


def _needs_number(mask: str) -> bool:
    """Tell whether a mask's regions have no names: all image files but those of 3D Slicer."""
    return is_image_file(mask) and not is_slicer_file(mask)


def _vocabulary_problems(fields: Mapping[str, str], line: int) -> Iterator[Problem]:
    allowed: dict[str, list[str]] = {
        "timepoint": [item.value for item in Timepoint],
        "modality": [item.value for item in Modality],
    }
    for column, values in allowed.items():
        if fields[column] not in values:
            yield _field_problem(
                Code.VALUE_NOT_ALLOWED,
                fields,
                line,
                column,
                f"one of {', '.join(values)}",
                did_you_mean(fields[column], values, "Correct the field."),
            )
    if not _PHASE.fullmatch(fields["phase"]):
        yield _field_problem(
            Code.VALUE_NOT_ALLOWED,
            fields,
            line,
            "phase",
            f"small letters, digits and '_', such as {', '.join(KNOWN_PHASES)}",
            did_you_mean(fields["phase"], KNOWN_PHASES, "Correct the field."),
        )


def _scan_row(fields: Mapping[str, str]) -> ScanRow:
    label = fields.get("mask_label", "")
    return ScanRow(
        patient_id=fields["patient_id"],
        timepoint=Timepoint(fields["timepoint"]),
        modality=Modality(fields["modality"]),
        phase=fields["phase"],
        image=fields["image"],
        mask=fields["mask"].strip() and fields["mask"],
        mask_label=label or None,
        lesion_id=fields.get("lesion_id") or "1",
        liver_mask=fields.get("liver_mask", ""),
        vessel_mask=fields.get("vessel_mask", ""),
        muscle_mask=fields.get("muscle_mask", ""),
        site=fields.get("site", ""),
        scan_date=fields.get("scan_date", ""),
    )


def _repetition(scan: ScanRow, line: int, lines_by_case: dict[str, int]) -> Iterator[Problem]:
    first = lines_by_case.setdefault(scan.case_id, line)
    if first != line:
        yield Problem(
            code=Code.ROW_DUPLICATE,
            what=f"lines {first} and {line} describe the same lesion on the same scan",
            expected="one row a patient, time point, modality, phase and lesion",
            got=f"{scan.case_id} twice",
            next_step="Remove one of them, or tell the lesions apart by lesion_id.",
            patient_id=scan.patient_id,
            file=SCANS_FILE,
        )


def _patient_unknown(patient_id: str) -> Problem:
    """Report a patient, in the same words for all its rows, so that it is listed once."""
    return Problem(
        code=Code.PATIENT_UNKNOWN,
        what="rows name a patient that patients.csv lacks",
        expected="a patient_id of patients.csv",
        got=patient_id,
        next_step="Add the patient to patients.csv, or correct the identifier.",
        patient_id=patient_id,
        file=SCANS_FILE,
        column="patient_id",
    )


def _field_problem(
    code: Code, fields: Mapping[str, str], line: int, column: str, expected: str, next_step: str
) -> Problem:
    return Problem(
        code=code,
        what=f"{column} is not valid",
        expected=expected,
        got=f"{repr(fields[column]) if fields[column] else 'an empty field'} in line {line}",
        next_step=next_step,
        patient_id=fields["patient_id"],
        file=SCANS_FILE,
        column=column,
    )
