"""What becomes of one case: a result, or a reason why there is none."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from re import sub
from traceback import extract_tb
from typing import Generic, TypeVar

from pipeline.domain.errors import PipelineError

Case = TypeVar("Case")
Result = TypeVar("Result")
ResultOut = TypeVar("ResultOut", covariant=True)

DEFECT_CODE = "defect"
"""The software failed, not the input."""
KILLED_CODE = "worker-killed"
"""The operating system ended the process, most often for want of memory."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a case has no result.

    Parameters
    ----------
    code : str
        Stable, in kebab case: the error's own code (``mask-empty``) or class (``geometry-error``),
        ``defect`` or ``worker-killed``.
    reason : str
        The error's message.
    """

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class CaseOutcome(Generic[ResultOut]):
    """What became of one case: a result, or a failure."""

    result: ResultOut | None = None
    failure: Failure | None = None


Numbered = tuple[int, CaseOutcome[Result]]
"""An outcome and the number of its case."""


def attempt(work: Callable[[Case], Result], case: Case) -> CaseOutcome[Result]:
    """Do the work for one case; whatever it raises becomes the reason of its failure."""
    try:
        return CaseOutcome(result=work(case))
    except PipelineError as error:
        return CaseOutcome(failure=Failure(_code(error), str(error)))
    except Exception as error:
        return defect(error)


def defect(error: Exception) -> CaseOutcome[Result]:
    """Say what happened and where; not the error's text, which may quote a header with a name."""
    frames = extract_tb(error.__traceback__)
    place = f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    return CaseOutcome(failure=Failure(DEFECT_CODE, f"{type(error).__name__}{place}"))


def killed() -> CaseOutcome[Result]:
    """Return the outcome of a case whose process was killed twice."""
    reason = (
        "the process working on this case was killed twice, most often for want of memory."
        " Use fewer jobs, or a machine with more memory."
    )
    return CaseOutcome(failure=Failure(KILLED_CODE, reason))


def _code(error: PipelineError) -> str:
    own: str = getattr(error, "code", "")
    return own or sub(r"(?<=[a-z])(?=[A-Z])", "-", type(error).__name__).lower()
