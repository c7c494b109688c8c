"""Dates that cannot be right, and those that are far apart."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pipeline.config.checks import Checks
from pipeline.domain.cohort import Cohort, ScanRow
from pipeline.domain.scan import Modality, Timepoint
from pipeline.ingest.date_checks import find_timing_problems

ROW = ScanRow(
    patient_id="P1",
    timepoint=Timepoint.PREOP,
    modality=Modality.CT,
    phase="portal",
    image="image.nii.gz",
    mask="mask.nii.gz",
)


def found(*scans: tuple[Timepoint, str], **patient: str) -> list[tuple[str, bool, str]]:
    rows = tuple(replace(ROW, timepoint=timepoint, scan_date=day) for timepoint, day in scans)
    patients = pd.DataFrame([{"patient_id": "P1", **patient}])
    cohort = Cohort(Path(), rows, patients, pd.DataFrame())
    problems = find_timing_problems(cohort, Checks())
    assert {problem.patient_id for problem in problems} <= {"P1"}
    return [(problem.code, problem.is_error, problem.got) for problem in problems]


BASELINE, PREOP = Timepoint.BASELINE, Timepoint.PREOP


def test_a_usual_course() -> None:
    scans = (BASELINE, "2024-01-10"), (PREOP, "2024-05-10"), (PREOP, "2024-05-11")
    assert found(*scans, surgery_date="2024-06-09", pathology_date="2024-06-09") == []


@pytest.mark.parametrize("surgery", ["", "unknown"])
def test_without_dates_nothing_is_said(surgery: str) -> None:
    assert found((BASELINE, ""), (PREOP, ""), (PREOP, "2024-05-10"), surgery_date=surgery) == []
    assert found((PREOP, "2024-05-10")) == []


def test_baseline_after_preop() -> None:
    assert found((BASELINE, "2024-05-12"), (PREOP, "2024-05-10")) == [
        ("baseline-after-preop", True, "2 days after")
    ]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2024-05-10", []),
        ("2024-05-09", [("scan-outside-window", False, "31 days")]),
        ("2024-06-09", []),  # on the day of surgery
        ("2024-06-10", [("scan-after-surgery", True, "1 days after")]),
    ],
)
def test_preop_scan_and_surgery(day: str, expected: list[tuple[str, bool, str]]) -> None:
    assert found((PREOP, day), surgery_date="2024-06-09") == expected


def test_baseline_has_no_window_before_surgery() -> None:
    assert found((BASELINE, "2023-01-01"), surgery_date="2024-06-09") == []


def test_scans_of_one_time_point_far_apart() -> None:
    assert found((BASELINE, "2024-01-01"), (BASELINE, "2024-01-31")) == []
    assert found((BASELINE, "2024-01-01"), (BASELINE, "2024-02-01")) == [
        ("scans-far-apart", False, "31 days")
    ]


def test_pathology_before_surgery() -> None:
    assert found(surgery_date="2024-06-09", pathology_date="2024-06-01") == [
        ("pathology-before-surgery", False, "8 days before")
    ]
