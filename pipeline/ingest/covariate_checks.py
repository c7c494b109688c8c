"""Whether ``patients.csv`` holds the covariates that ``cohort.yaml`` declares, and what else."""

from collections.abc import Iterator

import pandas as pd

from pipeline.config.cohort import CohortConfig, Covariate, category_text
from pipeline.domain.lr_tr import LrTr, read_lr_tr
from pipeline.domain.problem import Problem, Severity
from pipeline.ingest.codes import Code
from pipeline.ingest.cohort import PATIENTS_FILE
from pipeline.ingest.tables import did_you_mean


def find_covariate_problems(patients: pd.DataFrame, config: CohortConfig) -> list[Problem]:
    """List missing and wrong covariates, and the columns that are not used.

    Missing values are no problem: they are imputed within training.

    Parameters
    ----------
    patients : pandas.DataFrame
        As read by :func:`pipeline.ingest.cohort.read_cohort`.
    config : CohortConfig
        Declares the covariates, the outcome and what must never be a predictor.
    """
    missing = [name for name in config.covariates if name not in patients.columns]
    problems = [_columns_missing(missing, patients)] if missing else []
    for name, covariate in config.covariates.items():
        if name not in missing:
            problems += _value_problems(patients, name, covariate)
            problems += _range_problems(patients, name, config)
    return problems + list(_unused_columns(patients, config))


def _value_problems(patients: pd.DataFrame, name: str, covariate: Covariate) -> Iterator[Problem]:
    known = patients[patients[name].notna()]
    for patient_id, value in zip(known["patient_id"], known[name], strict=True):
        if covariate.kind == "numeric" and not _is_number(value):
            yield _bad_value(
                Code.COVARIATE_NOT_A_NUMBER,
                patient_id,
                name,
                f"a number ({covariate.unit}), or nothing",
                repr(value),
                "Correct the field, or leave it empty where unknown.",
            )
        text = category_text(value)
        if covariate.kind == "categorical" and text not in covariate.categories:
            yield _bad_value(
                Code.CATEGORY_UNKNOWN,
                patient_id,
                name,
                f"one of {', '.join(covariate.categories)}, or nothing",
                repr(text),
                "Correct the field, or add the category under covariates in cohort.yaml.",
            )
        if covariate.kind == "lr_tr" and not _is_lr_tr(text):
            yield _bad_value(
                Code.CATEGORY_UNKNOWN,
                patient_id,
                name,
                f"LR-TR {', '.join(LrTr)}, or nothing",
                repr(text),
                "Correct the field, or leave it empty where unknown.",
            )


def _range_problems(patients: pd.DataFrame, name: str, config: CohortConfig) -> Iterator[Problem]:
    limits = config.range_of(name)
    if limits is None:
        return
    lowest, highest = limits
    unit = config.covariates[name].unit
    numbers = pd.to_numeric(patients[name], errors="coerce")
    outside = (numbers < lowest) | (numbers > highest)
    for patient_id, value in zip(patients["patient_id"][outside], numbers[outside], strict=True):
        yield _bad_value(
            Code.COVARIATE_OUT_OF_RANGE,
            patient_id,
            name,
            f"{lowest:g} to {highest:g}" + ("" if unit == "1" else f" {unit}"),
            f"{value:g}",
            "Correct the field, leave it empty where unknown, or change range in cohort.yaml.",
        )


def _is_number(value: object) -> bool:
    return bool(pd.notna(pd.to_numeric(pd.Series([value]), errors="coerce")).all())


def _is_lr_tr(written: str | None) -> bool:
    try:
        read_lr_tr(written or "")
    except ValueError:
        return False
    return True


def _unused_columns(patients: pd.DataFrame, config: CohortConfig) -> Iterator[Problem]:
    others = [
        str(name)
        for name in patients.columns
        if name not in ("patient_id", config.outcome.column, *config.covariates)
        and not str(name).endswith("_date")  # dates place draws and scans in time
    ]
    late = [name for name in others if config.forbids(name)]
    idle = [name for name in others if name not in late]
    if late:
        yield _column_list(
            Code.COLUMNS_AFTER_OUTCOME,
            late,
            "columns known only after the outcome, never used",
            "nothing to do; not_predictors in cohort.yaml names them",
        )
    if idle:
        yield _column_list(
            Code.COLUMNS_NOT_USED,
            idle,
            "columns that are neither outcome nor covariate are not used",
            "to use one as a predictor, declare it under covariates in cohort.yaml",
        )


def _column_list(code: Code, names: list[str], what: str, next_step: str) -> Problem:
    return Problem(
        code=code,
        what=what,
        expected="only columns that cohort.yaml names",
        got=", ".join(names),
        next_step=f"{next_step[0].upper()}{next_step[1:]}.",
        file=PATIENTS_FILE,
        severity=Severity.WARNING,
    )


def _columns_missing(names: list[str], patients: pd.DataFrame) -> Problem:
    present = [str(column) for column in patients.columns]
    hints = [f"{name}: {did_you_mean(name, present, '')}" for name in names]
    alike = [hint for hint in hints if hint.endswith("?")]
    return Problem(
        code=Code.COVARIATE_COLUMN_MISSING,
        what="declared covariates are missing",
        expected=f"columns {', '.join(names)} (covariates in cohort.yaml)",
        got=f"columns {', '.join(present)}",
        next_step=" ".join([*alike, "Add the columns, or remove them from covariates."]),
        file=PATIENTS_FILE,
        column=", ".join(names),
    )


def _bad_value(
    code: Code, patient_id: str, column: str, expected: str, got: str, next_step: str
) -> Problem:
    return Problem(
        code=code,
        what="the covariate is not valid",
        expected=expected,
        got=got,
        next_step=next_step,
        patient_id=patient_id,
        file=PATIENTS_FILE,
        column=column,
    )
