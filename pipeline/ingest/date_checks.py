"""Whether the dates of scans, surgery and pathology fit together.

Dates come from ``scan_date`` in ``scans.csv`` and from ``surgery_date`` and ``pathology_date`` in
``patients.csv``; where one is missing, nothing is said. Blood draws are judged by
:mod:`pipeline.biomarkers.checks`. Nothing is compared with today, so that a cohort is judged alike
on every day.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import partial

from pipeline.config.checks import Checks
from pipeline.domain.cohort import Cohort
from pipeline.domain.problem import Problem, Severity
from pipeline.domain.scan import Timepoint
from pipeline.ingest.codes import Code
from pipeline.ingest.cohort import PATIENTS_FILE
from pipeline.ingest.scan_rows import SCANS_FILE
from pipeline.ingest.tables import as_date, dates_by_patient

VisitDates = Mapping[Timepoint, Sequence[date]]
"""Dates of a patient's scans by time point, in order."""


def find_timing_problems(cohort: Cohort, limits: Checks) -> list[Problem]:
    """List the dates of a cohort that do not fit together, patient by patient.

    Parameters
    ----------
    cohort : Cohort
        Dates that are malformed are left out; the readers of the tables list them.
    limits : Checks
        Windows in days.
    """
    surgeries = dates_by_patient(cohort.patients, "surgery_date")
    pathologies = dates_by_patient(cohort.patients, "pathology_date")
    problems: list[Problem] = []
    for patient_id, visits in _scan_dates(cohort).items():
        about = partial(Problem, patient_id=patient_id, file=SCANS_FILE, column="scan_date")
        problems += _find_order_problem(about, visits)
        problems += _find_spread(about, visits, limits.visit_spread_days)
        if patient_id in surgeries:
            surgery = surgeries[patient_id]
            problems += _find_late_scans(about, visits, surgery)
            problems += _find_early_scans(about, visits, surgery, limits.surgery_window_days)
    for patient_id, surgery in surgeries.items():
        if patient_id in pathologies and pathologies[patient_id] < surgery:
            problems.append(_early_pathology(patient_id, (surgery - pathologies[patient_id]).days))
    return problems


def _find_order_problem(about: partial[Problem], visits: VisitDates) -> Iterator[Problem]:
    baseline, preop = visits.get(Timepoint.BASELINE), visits.get(Timepoint.PREOP)
    if baseline and preop and baseline[-1] > preop[0]:
        yield about(
            code=Code.BASELINE_AFTER_PREOP,
            what="a baseline scan is later than a pre-operative one",
            expected="every baseline scan before every pre-operative scan",
            got=f"{(baseline[-1] - preop[0]).days} days after",
            next_step="Correct the dates, or exchange the time points.",
        )


def _find_spread(about: partial[Problem], visits: VisitDates, most: int) -> Iterator[Problem]:
    for timepoint, dates in visits.items():
        spread = (dates[-1] - dates[0]).days
        if spread > most:
            yield about(
                code=Code.SCANS_FAR_APART,
                what=f"the {timepoint} scans are of different days",
                expected=f"at most {most} days apart (checks.visit_spread_days)",
                got=f"{spread} days",
                next_step="Check the dates; leave out the scan that does not belong.",
                severity=Severity.WARNING,
            )


def _find_late_scans(
    about: partial[Problem], visits: VisitDates, surgery: date
) -> Iterator[Problem]:
    for timepoint, dates in visits.items():
        if dates[-1] > surgery:
            yield about(
                code=Code.SCAN_AFTER_SURGERY,
                what=f"a {timepoint} scan is later than the surgery",
                expected="a scan on or before surgery_date",
                got=f"{(dates[-1] - surgery).days} days after",
                next_step="Correct the date, or remove the scan; it cannot be a predictor.",
            )


def _find_early_scans(
    about: partial[Problem], visits: VisitDates, surgery: date, window: int
) -> Iterator[Problem]:
    dates = visits.get(Timepoint.PREOP, ())
    if dates and (surgery - dates[0]).days > window:
        yield about(
            code=Code.SCAN_OUTSIDE_WINDOW,
            what="a pre-operative scan is long before surgery",
            expected=f"at most {window} days (checks.surgery_window_days)",
            got=f"{(surgery - dates[0]).days} days",
            next_step="Use a later scan where there is one; the tumour may have changed since.",
            severity=Severity.WARNING,
        )


def _early_pathology(patient_id: str, days: int) -> Problem:
    return Problem(
        code=Code.PATHOLOGY_BEFORE_SURGERY,
        what="the pathology is earlier than the surgery",
        expected="pathology_date on or after surgery_date",
        got=f"{days} days before",
        next_step="Check both dates; the outcome must come from the resected specimen.",
        patient_id=patient_id,
        file=PATIENTS_FILE,
        column="pathology_date",
        severity=Severity.WARNING,
    )


def _scan_dates(cohort: Cohort) -> dict[str, dict[Timepoint, list[date]]]:
    """Collect the scan dates of each patient and time point, sorted."""
    found: dict[str, dict[Timepoint, list[date]]] = defaultdict(lambda: defaultdict(list))
    for row in cohort.scans:
        seen = as_date(row.scan_date)
        if seen is not None:
            found[row.patient_id][row.timepoint].append(seen)
    return {
        patient: {timepoint: sorted(dates) for timepoint, dates in visits.items()}
        for patient, visits in found.items()
    }
