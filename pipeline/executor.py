"""Do the same work for many cases: in order, on several processes, no case stopping another.

The outcome does not depend on the number of processes. A case fails with a reason, whether its
input is wrong, the software is, or the operating system killed the process that worked on it.
"""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from pathlib import Path
from re import sub
from traceback import extract_tb
from typing import Generic, TypeVar

from pipeline.cli import pin_threads, track_progress
from pipeline.domain.errors import PipelineError

Case = TypeVar("Case")
Result = TypeVar("Result")
ResultOut = TypeVar("ResultOut", covariant=True)

MEMORY_PER_WORKER_BYTES = 1_500_000_000
"""What one worker may need: PyRadiomics on a thin-slice CT of 512 x 512 x 300 took 1.3 GB."""

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


def default_jobs() -> int:
    """Return how many cases this machine can work on at once, by its cores and free memory."""
    # Where the system can tell, the cores that this process may use, not all that exist.
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, min(cores, _available_memory_bytes() // MEMORY_PER_WORKER_BYTES))


def run_cases(
    work: Callable[[Case], Result], cases: Sequence[Case], jobs: int, label: str
) -> list[CaseOutcome[Result]]:
    """Work on every case and return what became of each, in the order of the cases.

    Parameters
    ----------
    work : callable
        Takes a case, returns its result. With several jobs it is sent to other processes: a
        function at the top level of a module, or a ``functools.partial`` of one.
    cases : sequence
        Small descriptions of what to read; they travel between processes.
    jobs : int
        Processes; 1 works in this process.
    label : str
        Name of the work in the progress display.
    """
    jobs = min(jobs, len(cases))
    if jobs <= 1:
        numbered: Iterator[Numbered[Result]] = (
            (number, _attempt(work, case)) for number, case in enumerate(cases)
        )
    else:
        numbered = _run_in_processes(work, cases, jobs)
    outcomes = dict(track_progress(numbered, len(cases), label))
    return [outcomes[number] for number in range(len(cases))]


def _attempt(work: Callable[[Case], Result], case: Case) -> CaseOutcome[Result]:
    try:
        return CaseOutcome(result=work(case))
    except PipelineError as error:
        return CaseOutcome(failure=Failure(_code(error), str(error)))
    except Exception as error:
        return CaseOutcome(failure=_defect(error))


def _run_in_processes(
    work: Callable[[Case], Result], cases: Sequence[Case], jobs: int
) -> Iterator[Numbered[Result]]:
    waiting = deque(range(len(cases)))
    while waiting:
        suspects = yield from _run_until_broken(work, cases, waiting, jobs)
        # A killed process takes its pool with it and does not say which case it had. Each case in
        # flight is tried once more, alone, so that only the one to blame is listed.
        for number in suspects:
            yield number, _attempt_alone(work, cases[number])


def _run_until_broken(
    work: Callable[[Case], Result], cases: Sequence[Case], waiting: deque[int], jobs: int
) -> Generator[Numbered[Result], None, list[int]]:
    """Empty ``waiting``; where a worker is killed, return the numbers that were in flight."""
    flying: dict[Future[CaseOutcome[Result]], int] = {}
    pool = _open_pool(jobs)
    try:
        while waiting or flying:
            # Twice as many as workers, so that none waits for this loop.
            while waiting and len(flying) < 2 * jobs:
                number = waiting.popleft()
                flying[pool.submit(_attempt, work, cases[number])] = number
            done, _ = wait(flying, return_when=FIRST_COMPLETED)
            if any(isinstance(future.exception(), BrokenProcessPool) for future in done):
                return sorted(flying.values())
            for future in done:
                yield flying.pop(future), _outcome(future)
    except BrokenProcessPool:
        return sorted([number, *flying.values()])
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return []


def _attempt_alone(work: Callable[[Case], Result], case: Case) -> CaseOutcome[Result]:
    with _open_pool(1) as pool:
        try:
            return _outcome(pool.submit(_attempt, work, case))
        except BrokenProcessPool:
            reason = (
                "the process working on this case was killed twice, most often for want of memory."
                " Use fewer jobs, or a machine with more memory."
            )
            return CaseOutcome(failure=Failure(KILLED_CODE, reason))


def _outcome(future: "Future[CaseOutcome[Result]]") -> CaseOutcome[Result]:
    try:
        return future.result()
    except BrokenProcessPool:
        raise
    except Exception as error:  # the case or its result cannot travel between processes
        return CaseOutcome(failure=_defect(error))


def _open_pool(jobs: int) -> ProcessPoolExecutor:
    # spawn: forking a process that has threads can deadlock. No max_tasks_per_child: it deadlocks
    # with spawn on Python 3.11 (CPython issue 115634).
    return ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_start_worker)


def _start_worker() -> None:
    pin_threads()
    # Ctrl-C reaches the whole process group: workers end at once, without a traceback each.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _code(error: PipelineError) -> str:
    own: str = getattr(error, "code", "")
    return own or sub(r"(?<=[a-z])(?=[A-Z])", "-", type(error).__name__).lower()


def _defect(error: Exception) -> Failure:
    """Say what happened and where; not the error's text, which may quote a header with a name."""
    frames = extract_tb(error.__traceback__)
    place = f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    return Failure(DEFECT_CODE, f"{type(error).__name__}{place}")


def _available_memory_bytes() -> int:
    """Return the memory that Linux says is available; elsewhere more than any machine has."""
    meminfo = Path("/proc/meminfo")
    lines = meminfo.read_text().splitlines() if meminfo.is_file() else []
    kibibytes = [int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
    return kibibytes[0] * 1024 if kibibytes else 2**63
