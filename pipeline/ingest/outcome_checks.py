"""Whether ``patients.csv`` holds an outcome that a model can be trained on."""

from collections.abc import Iterator

import pandas as pd

from pipeline.config.cohort import CohortConfig, Outcome
from pipeline.domain.problem import Problem, Severity
from pipeline.ingest.codes import Code
from pipeline.ingest.cohort import PATIENTS_FILE
from pipeline.ingest.tables import did_you_mean

PERCENT_SUFFIX = "_percent"


def find_outcome_problems(patients: pd.DataFrame, config: CohortConfig) -> list[Problem]:
    """List what is wrong with the outcome column.

    Parameters
    ----------
    patients : pandas.DataFrame
        As read by :func:`pipeline.ingest.cohort.read_cohort`.
    config : CohortConfig
        Names the column and the positive values.
    """
    column = config.outcome.column
    if column not in patients.columns:
        return [_column_missing(column, patients)]
    numbers = outcome_numbers(patients, column)
    problems = list(_value_problems(patients, numbers, column))
    return problems + _class_problems(config.outcome.is_positive(numbers), config.outcome)


def outcome_numbers(patients: pd.DataFrame, column: str) -> "pd.Series[float]":
    """Return an outcome column as numbers; what is missing or not a number is NaN."""
    return pd.to_numeric(patients[column], errors="coerce").astype(float)


def _value_problems(
    patients: pd.DataFrame, numbers: "pd.Series[float]", column: str
) -> Iterator[Problem]:
    is_percent = column.endswith(PERCENT_SUFFIX)
    for patient_id, written, number in zip(
        patients["patient_id"], patients[column], numbers, strict=True
    ):
        if pd.isna(written):
            yield _missing(patient_id, column)
        elif pd.isna(number):
            yield _bad_value(
                Code.OUTCOME_NOT_A_NUMBER, patient_id, column, "a number, or nothing", repr(written)
            )
        elif is_percent and not 0 <= number <= 100:
            yield _bad_value(
                Code.OUTCOME_OUT_OF_RANGE, patient_id, column, "0 to 100 percent", f"{number:g}"
            )


def _class_problems(positive: "pd.Series[float]", outcome: Outcome) -> list[Problem]:
    known = positive.dropna()
    events = int(known.sum())
    if 0 < events < len(known):
        return []
    return [
        Problem(
            code=Code.OUTCOME_ONE_CLASS,
            what="not both classes of the outcome occur",
            expected=f"some patients with {outcome.name} ({outcome.column} {outcome.positive}) and "
            "some without",
            got=f"{events} of {len(known)} patients with a known outcome",
            next_step="Check the rule outcome.positive in cohort.yaml, or add patients.",
            file=PATIENTS_FILE,
            column=outcome.column,
        )
    ]


def _column_missing(column: str, patients: pd.DataFrame) -> Problem:
    present = [str(name) for name in patients.columns]
    return Problem(
        code=Code.OUTCOME_COLUMN_MISSING,
        what="the outcome's column is missing",
        expected=f"a column {column} (outcome.column in cohort.yaml)",
        got=f"columns {', '.join(present)}",
        next_step=did_you_mean(column, present, "Add the column, or name another in cohort.yaml."),
        file=PATIENTS_FILE,
        column=column,
    )


def _missing(patient_id: str, column: str) -> Problem:
    return Problem(
        code=Code.OUTCOME_MISSING,
        what="the outcome is missing; the patient is not used for training",
        expected="a number",
        got="an empty field",
        next_step="Fill the field, where the outcome is known.",
        patient_id=patient_id,
        file=PATIENTS_FILE,
        column=column,
        severity=Severity.WARNING,
    )


def _bad_value(code: Code, patient_id: str, column: str, expected: str, got: str) -> Problem:
    return Problem(
        code=code,
        what="the outcome is not valid",
        expected=expected,
        got=got,
        next_step="Correct the field, or leave it empty where the outcome is unknown.",
        patient_id=patient_id,
        file=PATIENTS_FILE,
        column=column,
    )
