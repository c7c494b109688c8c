"""Marker response is defined only where the baseline was elevated."""

from math import isnan, log, nan

import pytest

from pipeline.biomarkers.kinetics import MarkerState, compute_kinetics
from pipeline.biomarkers.scores import albi_grade, compute_albi
from pipeline.config.biomarkers import Analyte

AFP = Analyte(
    key="afp",
    unit="ng/mL",
    unit_key="ng_ml",
    accepted_units={"ng/mL": 1},
    hard_range=(0.2, 1e6),
    upper_normal=20,
    kinetics=True,
)


@pytest.mark.parametrize(
    ("baseline", "preop", "state"),
    [
        (1000.0, 20.0, MarkerState.INFORMATIVE),
        (20.0, 5.0, MarkerState.BASELINE_NORMAL),
        (8.0, nan, MarkerState.BASELINE_NORMAL),
        (nan, 5.0, MarkerState.MISSING),
        (1000.0, nan, MarkerState.MISSING),
    ],
)
def test_three_states(baseline: float, preop: float, state: MarkerState) -> None:
    assert compute_kinetics(baseline, preop, AFP, 50).state is state


def test_a_fall_from_1000_to_20() -> None:
    change = compute_kinetics(1000, 20, AFP, 50)
    assert change.log_ratio == pytest.approx(log(0.02))
    assert (change.responded, change.normalised) == (1.0, 1.0)


@pytest.mark.parametrize(("preop", "responded"), [(50.0, 1.0), (50.1, 0.0), (200.0, 0.0)])
def test_response_is_a_fall_by_half_or_more(preop: float, responded: float) -> None:
    assert compute_kinetics(100, preop, AFP, 50).responded == responded


def test_a_normal_baseline_has_no_response_and_it_is_not_zero() -> None:
    change = compute_kinetics(5, 2, AFP, 50)
    assert all(isnan(value) for value in (change.log_ratio, change.responded, change.normalised))


def test_albi_of_the_published_example_values() -> None:
    # bilirubin 1 mg/dL, albumin 4 g/dL: 0.66 * log10(17.1) - 0.085 * 40
    assert compute_albi(17.1, 40) == pytest.approx(-2.586, abs=5e-4)
    assert albi_grade(compute_albi(17.1, 40)) == 2


@pytest.mark.parametrize(
    ("score", "grade"), [(-2.61, 1), (-2.60, 1), (-2.59, 2), (-1.39, 2), (-1.38, 3)]
)
def test_albi_grades(score: float, grade: int) -> None:
    assert albi_grade(score) == grade


def test_albi_is_missing_where_an_input_is() -> None:
    assert isnan(compute_albi(nan, 40))
    assert isnan(compute_albi(17.1, nan))
