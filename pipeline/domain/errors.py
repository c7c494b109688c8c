"""Errors that a user can cause and mend.

Every message says what is wrong, where, what was expected, what was found and what to do next.
The command lines print these without a traceback; any other exception is a defect of the software.
"""

from collections.abc import Sequence

from pipeline.domain.problem import Problem


class PipelineError(Exception):
    """Base of all errors that are the input's, not the software's."""


class ConfigError(PipelineError):
    """A configuration file has an unknown key, a wrong type or an impossible value."""


class ImageError(PipelineError):
    """An image or mask cannot be read, or is not what it should be."""


class GeometryError(ImageError):
    """Two images that must share a grid do not."""


class MeasurementError(PipelineError):
    """A serum measurement cannot be interpreted."""


class LeakageError(PipelineError):
    """A predictor knows the outcome, or is only known after it."""


class ModelingError(PipelineError):
    """A model cannot be trained or judged on this table."""


class BundleError(PipelineError):
    """A model bundle is incomplete, altered, or of another version."""


class CaseError(PipelineError):
    """One case could not be processed; the others are unaffected."""


class RegionAbsentError(CaseError):
    """A case has no such region; that is a fact about the patient, not a failure."""

    code = "region-absent"


class ReferenceDataError(PipelineError):
    """Data of a published benchmark are absent, or not what was published."""


class OutputError(PipelineError):
    """A result cannot be written."""


class CohortError(PipelineError):
    """A cohort has problems; all of them are listed.

    Parameters
    ----------
    problems : sequence of Problem
        Every problem found, errors and warnings.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        errors = [problem for problem in self.problems if problem.is_error]
        lines = "\n".join(f"  {problem}" for problem in errors)
        super().__init__(f"{len(errors)} problem(s) in the cohort:\n{lines}")

    def __reduce__(self) -> tuple[type["CohortError"], tuple[tuple[Problem, ...]]]:
        """Survive the way back from a worker process."""
        return (type(self), (self.problems,))


class InstallationError(PipelineError):
    """The software is not set up as it must be."""
