"""One call for all cases, wherever the work is done."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Protocol

from pipeline.cli import track_progress
from pipeline.executor.batches import plan_batches
from pipeline.executor.local import LocalExecutor
from pipeline.executor.outcome import Case, CaseOutcome, Numbered, Result


class Executor(Protocol):
    """Where the work is done."""

    def run(
        self,
        work: Callable[[Case], Result],
        cases: Sequence[Case],
        batches: Sequence[tuple[int, ...]],
    ) -> Iterator[Numbered[Result]]:
        """Yield the outcome of each case of the batches, as they become ready."""
        ...


def run_cases(
    work: Callable[[Case], Result],
    cases: Sequence[Case],
    executor: "Executor | int",
    label: str,
    together: Callable[[Case], Hashable] | None = None,
    weight: Callable[[Case], float] | None = None,
) -> list[CaseOutcome[Result]]:
    """Work on every case and return what became of each, in the order of the cases.

    Parameters
    ----------
    work : callable
        Takes a case, returns its result; must be able to travel to other processes.
    cases : sequence
        Small descriptions of what to read.
    executor : Executor or int
        Where the work is done; a number means so many processes on this machine.
    label : str
        Name of the work in the progress display.
    together, weight
        See :func:`pipeline.executor.batches.plan_batches`.
    """
    where = LocalExecutor(executor) if isinstance(executor, int) else executor
    numbered = where.run(work, cases, plan_batches(cases, together, weight))
    outcomes = dict(track_progress(numbered, len(cases), label))
    return [outcomes[number] for number in range(len(cases))]
