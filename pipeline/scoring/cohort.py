"""New patients, read and checked: who can be scored, and why others cannot."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.biomarkers.checks import find_measurement_problems
from pipeline.biomarkers.timepoints import scan_dates
from pipeline.config.cohort import CohortConfig
from pipeline.domain.cohort import Cohort
from pipeline.domain.errors import CohortError
from pipeline.domain.problem import Problem, Severity
from pipeline.ingest.checks import find_problems
from pipeline.ingest.codes import Code
from pipeline.ingest.cohort import read_cohort
from pipeline.ingest.scan_rows import scan_table
from pipeline.scoring.settings import ScoringSettings


@dataclass(frozen=True, slots=True)
class NewPatients:
    """Patients to score, and the reasons against the others.

    Parameters
    ----------
    cohort : Cohort
        Only patients without errors.
    declined : dict
        Problems by patient identifier.
    warnings : tuple of Problem
        What does not stop anybody.
    """

    cohort: Cohort
    declined: dict[str, list[Problem]]
    warnings: tuple[Problem, ...]


def read_new_patients(
    tables: Path, images: Path, settings: ScoringSettings, jobs: int
) -> NewPatients:
    """Read and check patients whose outcome is not known.

    Parameters
    ----------
    tables, images : Path
        Folder of the CSV files, and the folder that image paths are relative to.
    settings : ScoringSettings
        From the bundle.
    jobs : int
        Processes that read images.

    Raises
    ------
    CohortError
        If a problem concerns the whole cohort, such as a missing column.
    """
    config = settings.cohort
    cohort, problems = read_cohort(tables, images, config.reading)
    problems += find_problems(cohort, config, jobs, need_outcome=False)
    dates = scan_dates(scan_table(cohort.scans))
    problems += find_measurement_problems(
        cohort.biomarkers, cohort.patients, settings.biomarkers, dates
    )
    problems += _without_scan(cohort, config)
    errors = [problem for problem in problems if problem.is_error]
    if any(not problem.patient_id for problem in errors):
        raise CohortError(errors)
    declined: dict[str, list[Problem]] = {}
    for problem in errors:
        declined.setdefault(problem.patient_id, []).append(problem)
    warnings = tuple(problem for problem in problems if not problem.is_error)
    return NewPatients(keep_patients(cohort, declined), declined, warnings)


def keep_patients(cohort: Cohort, declined: dict[str, list[Problem]]) -> Cohort:
    """Return the cohort without the declined patients."""
    return replace(
        cohort,
        scans=tuple(row for row in cohort.scans if row.patient_id not in declined),
        patients=cohort.patients[~cohort.patients["patient_id"].isin(list(declined))],
        biomarkers=cohort.biomarkers[~cohort.biomarkers["patient_id"].isin(list(declined))],
    )


def _without_scan(cohort: Cohort, config: CohortConfig) -> Sequence[Problem]:
    """List patients without a scan at the time point that predictions are made at."""
    timepoint = config.scoring_timepoint
    scanned = {row.patient_id for row in cohort.scans if row.timepoint is timepoint}
    return [
        Problem(
            code=Code.NO_SCAN_TO_SCORE,
            what="the patient has no readable scan at the time point that the model scores",
            expected=f"at least one row with timepoint {timepoint}",
            got="none",
            next_step=f"Add the {timepoint} scan to scans.csv, or mend its row.",
            patient_id=patient_id,
            file="scans.csv",
            column="timepoint",
            severity=Severity.ERROR,
        )
        for patient_id in cohort.patients["patient_id"]
        if patient_id not in scanned
    ]
