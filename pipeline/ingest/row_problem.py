"""Problems about the files of a row of ``scans.csv``."""

from functools import partial

from pipeline.domain.cohort import ScanRow
from pipeline.domain.problem import Problem
from pipeline.ingest.read_error import ReadError


def about(row: ScanRow, file: str) -> partial[Problem]:
    """Return the maker of problems about a file of a row."""
    return partial(Problem, patient_id=row.patient_id, file=file)


def as_problem(error: ReadError, row: ScanRow, file: str) -> Problem:
    """Turn a reading error into a problem of a row."""
    return about(row, file)(
        code=error.code,
        what=error.what,
        expected=error.expected,
        got=error.got,
        next_step=error.next_step,
    )
