"""One new patient described in a YAML file."""

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

from pydantic import Field, field_validator

from pipeline.config.loading import Settings, load_settings
from pipeline.domain.cohort import BIOMARKER_COLUMNS, SCAN_COLUMNS
from pipeline.tabular import write_text

Value = str | int | float | date | None


class CaseFile(Settings):
    """A patient as ``--case`` takes it.

    Parameters
    ----------
    patient_id : str
        A pseudonym.
    scans : list of mapping
        As rows of ``scans.csv`` without ``patient_id``; paths are relative to the file.
    biomarkers : list of mapping
        As rows of ``biomarkers.csv`` without ``patient_id``.
    covariates : mapping
        As columns of ``patients.csv``.
    """

    patient_id: str = Field(min_length=1)
    scans: tuple[dict[str, Value], ...] = Field(min_length=1)
    biomarkers: tuple[dict[str, Value], ...] = ()
    covariates: dict[str, Value] = Field(default_factory=dict)

    @field_validator("patient_id", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        return str(value) if isinstance(value, int) else value


def write_as_cohort(path: Path, folder: Path) -> None:
    """Write a case file as the tables of a cohort with one patient.

    A case then goes through the very functions that read, check and score a cohort.

    Parameters
    ----------
    path : Path
        The YAML file.
    folder : Path
        Where to write ``scans.csv``, ``patients.csv`` and ``biomarkers.csv``.

    Raises
    ------
    ConfigError
        If the file is not a case file.
    """
    case = load_settings(CaseFile, path)
    tables = {
        "scans": (list(SCAN_COLUMNS), case.scans),
        "patients": (["patient_id"], [case.covariates]),
        "biomarkers": (list(BIOMARKER_COLUMNS), case.biomarkers),
    }
    for name, (columns, rows) in tables.items():
        write_text(_as_csv(columns, rows, case.patient_id), folder / f"{name}.csv")


def _as_csv(columns: list[str], rows: Iterable[Mapping[str, Value]], patient_id: str) -> str:
    full = [{"patient_id": patient_id, **row} for row in rows]
    # Unknown names become columns, so that the cohort's checks name them.
    names = columns + sorted({name for row in full for name in row} - set(columns))
    stream = io.StringIO()
    writer = csv.DictWriter(stream, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(full)
    return stream.getvalue()
