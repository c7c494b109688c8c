"""Everything that is wrong with the rows of ``biomarkers.csv``."""

from collections.abc import Iterator
from datetime import date

import pandas as pd

from pipeline.biomarkers.draw_window import find_distant_draws
from pipeline.biomarkers.measurement import find_analyte, read_measurement
from pipeline.biomarkers.timepoints import ScanDates, assign_timepoint
from pipeline.config.biomarkers import BiomarkersConfig
from pipeline.domain.errors import MeasurementError
from pipeline.domain.problem import Problem, Severity
from pipeline.ingest.codes import Code
from pipeline.ingest.cohort import BIOMARKERS_FILE
from pipeline.ingest.tables import dates_by_patient


def find_measurement_problems(
    biomarkers: pd.DataFrame,
    patients: pd.DataFrame,
    config: BiomarkersConfig,
    dates: ScanDates | None = None,
) -> list[Problem]:
    """List every problem of the measurements, row by row.

    Parameters
    ----------
    biomarkers, patients : pandas.DataFrame
        The cohort's tables as text; ``patients`` may have ``surgery_date`` (ISO 8601).
    config : BiomarkersConfig
        Known analytes and units.
    dates : mapping, optional
        Scan dates, to place draws that name no time point.
    """
    surgeries = dates_by_patient(patients, "surgery_date")
    problems = list(_unknown_analytes(biomarkers, config))
    for number, row in enumerate(biomarkers.to_dict("records"), start=2):
        fields = {str(name): str(value) for name, value in row.items() if pd.notna(value)}
        problems += _row_problems(fields, number, config, surgeries, dates or {})
    return [*problems, *find_distant_draws(biomarkers, dates or {}, config)]


def _row_problems(
    row: dict[str, str],
    number: int,
    config: BiomarkersConfig,
    surgeries: dict[str, date],
    dates: ScanDates,
) -> Iterator[Problem]:
    analyte = find_analyte(row.get("analyte", ""), config)
    if analyte is None:
        return  # reported once an analyte, not once a row
    try:
        read_measurement(row.get("value", ""), row.get("unit", ""), analyte)
    except MeasurementError as error:
        yield _measurement_problem(row, number, str(error))
    yield from _date_problems(row, number, config, surgeries, dates)


def _date_problems(
    row: dict[str, str],
    number: int,
    config: BiomarkersConfig,
    surgeries: dict[str, date],
    dates: ScanDates,
) -> Iterator[Problem]:
    patient_id, text = row.get("patient_id", ""), row.get("drawn_on", "")
    try:
        drawn_on = date.fromisoformat(text)
    except ValueError:
        return  # the reader of the tables has already said so
    surgery = surgeries.get(patient_id)
    if surgery is not None and drawn_on >= surgery:
        yield Problem(
            code=Code.DRAW_AFTER_SURGERY,
            what=f"{row['analyte']} in row {number} was drawn on or after the day of surgery",
            expected=f"a draw before {surgery}",
            got=text,
            next_step="Correct the date or remove the row; it cannot be a predictor.",
            patient_id=patient_id,
            file=BIOMARKERS_FILE,
            column="drawn_on",
        )
    placed = row.get("timepoint", "") or assign_timepoint(
        patient_id, drawn_on, dates, config.window_days
    )
    if not placed:
        yield Problem(
            code=Code.DRAW_WITHOUT_TIMEPOINT,
            what=f"{row['analyte']} in row {number} belongs to no time point and is not used",
            expected=f"a timepoint, or a scan_date within {config.window_days} days",
            got=f"drawn on {text}",
            next_step="Fill the column timepoint with baseline or preop.",
            patient_id=patient_id,
            file=BIOMARKERS_FILE,
            column="timepoint",
            severity=Severity.WARNING,
        )


def _measurement_problem(row: dict[str, str], number: int, message: str) -> Problem:
    column, _, rest = message.partition(": expected ")
    expected, _, got = rest.partition(", got ")
    return Problem(
        code=Code(f"measurement-{column}"),
        what=f"{row['analyte']} in row {number} cannot be used",
        expected=expected,
        got=got,
        next_step=f"Correct row {number}; configs/biomarkers.yaml lists analytes and units.",
        patient_id=row.get("patient_id", ""),
        file=BIOMARKERS_FILE,
        column=column,
    )


def _unknown_analytes(biomarkers: pd.DataFrame, config: BiomarkersConfig) -> Iterator[Problem]:
    counts = biomarkers["analyte"].value_counts() if "analyte" in biomarkers else pd.Series()
    for name, count in sorted(counts.items(), key=lambda item: str(item[0])):
        if find_analyte(str(name), config) is None:
            yield Problem(
                code=Code.ANALYTE_UNKNOWN,
                what=f"{count} row(s) of {name} are not used",
                expected=f"one of {', '.join(config.analytes)}",
                got=str(name),
                next_step="Correct the name, or describe the analyte in configs/biomarkers.yaml.",
                file=BIOMARKERS_FILE,
                column="analyte",
                severity=Severity.WARNING,
            )
