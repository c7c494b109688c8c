"""Problems read as one line, and travel between processes."""

import pickle

import pytest

from pipeline.domain.errors import CohortError, PipelineError
from pipeline.domain.prediction import Prediction
from pipeline.domain.problem import Problem, Severity

PROBLEM = Problem(
    code="mask-empty",
    what="the mask is empty",
    expected="voxels above 0",
    got="none",
    next_step="Draw the region.",
    patient_id="P1",
    file="m.nii",
)
WARNING = Problem(
    code="hint", what="odd", expected="a", got="b", next_step="Look.", severity=Severity.WARNING
)


def test_wording() -> None:
    assert str(PROBLEM) == (
        "[mask-empty] patient P1, file m.nii: the mask is empty: expected voxels above 0, got none."
        " Draw the region."
    )
    assert str(WARNING) == "[hint] odd: expected a, got b. Look."


def test_fields_by_name() -> None:
    assert WARNING.as_dict() == {
        "code": "hint", "what": "odd", "expected": "a", "got": "b", "next_step": "Look.",
        "patient_id": "", "file": "", "column": "", "severity": "warning",
    }  # fmt: skip


def test_only_errors_are_errors() -> None:
    assert PROBLEM.is_error
    assert not WARNING.is_error


def test_cohort_error_lists_its_errors() -> None:
    error = CohortError([PROBLEM, WARNING])
    assert str(error) == f"1 problem(s) in the cohort:\n  {PROBLEM}"
    assert error.problems == (PROBLEM, WARNING)
    assert isinstance(error, PipelineError)


def test_cohort_error_survives_the_way_between_processes() -> None:
    copy = pickle.loads(pickle.dumps(CohortError([PROBLEM, WARNING])))
    assert copy.problems == (PROBLEM, WARNING)
    assert str(copy) == str(CohortError([PROBLEM, WARNING]))


@pytest.mark.parametrize("probability", [-0.01, 1.01, float("nan")])
def test_what_is_no_probability(probability: float) -> None:
    with pytest.raises(ValueError, match="within 0 and 1"):
        Prediction(patient_id="P1", probability=probability)
