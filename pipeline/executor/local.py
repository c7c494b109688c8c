"""Processes on this machine."""

import os
import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context, parent_process

from pipeline.cli import pin_threads
from pipeline.executor.outcome import (
    Case,
    CaseOutcome,
    Numbered,
    Result,
    attempt,
    defect,
    killed,
)

Batch = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LocalExecutor:
    """Works on cases in processes of its own; with one job, or one case, in this process.

    Parameters
    ----------
    jobs : int
        Processes.
    """

    jobs: int

    def run(
        self, work: Callable[[Case], Result], cases: Sequence[Case], batches: Sequence[Batch]
    ) -> Iterator[Numbered[Result]]:
        """Yield the outcome of each case of the batches, as they become ready.

        Parameters
        ----------
        work : callable
            Takes a case, returns its result. With several jobs it is sent to other processes: a
            function at the top level of a module, or a ``functools.partial`` of one.
        cases : sequence
            Small descriptions of what to read; they travel between processes.
        batches : sequence of tuple of int
            Numbers of cases, as :func:`pipeline.executor.batches.plan_batches` gives them.
        """
        jobs = min(self.jobs, len(batches))
        if jobs > 1:
            yield from _run_in_processes(work, cases, batches, jobs)
            return
        for batch in batches:
            for number in batch:
                yield number, attempt(work, cases[number])


def _run_in_processes(
    work: Callable[[Case], Result], cases: Sequence[Case], batches: Sequence[Batch], jobs: int
) -> Iterator[Numbered[Result]]:
    waiting = deque(batches)
    while waiting:
        suspects = yield from _run_until_broken(work, cases, waiting, jobs)
        # A killed process takes its pool with it and does not say which case it had. Each case in
        # flight is tried once more, alone, so that only the one to blame is listed.
        for number in suspects:
            yield number, _attempt_alone(work, cases[number])


def _run_until_broken(
    work: Callable[[Case], Result], cases: Sequence[Case], waiting: deque[Batch], jobs: int
) -> Generator[Numbered[Result], None, list[int]]:
    """Empty ``waiting``; where a worker is killed, return the numbers that were in flight."""
    flying: dict[Future[list[CaseOutcome[Result]]], Batch] = {}
    pool = _open_pool(jobs)
    try:
        while waiting or flying:
            # Twice as many as workers, so that none waits for this loop.
            while waiting and len(flying) < 2 * jobs:
                batch = waiting.popleft()
                members = [cases[number] for number in batch]
                try:
                    flying[pool.submit(attempt_all, work, members)] = batch
                except BrokenProcessPool:
                    return _numbers([batch, *flying.values()])
            done, _ = wait(flying, return_when=FIRST_COMPLETED)
            if any(isinstance(future.exception(), BrokenProcessPool) for future in done):
                return _numbers(flying.values())
            for future in done:
                batch = flying.pop(future)
                yield from zip(batch, _outcomes(future, len(batch)), strict=True)
    except BaseException:
        # Ctrl-C, or nobody wants the rest: what the workers have begun could take many minutes.
        for process in pool._processes.values():
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return []


def attempt_all(work: Callable[[Case], Result], cases: Sequence[Case]) -> list[CaseOutcome[Result]]:
    """Do the work for the cases of a batch, each whatever becomes of the others."""
    return [_portable(attempt(work, case)) for case in cases]


def _portable(outcome: CaseOutcome[Result]) -> CaseOutcome[Result]:
    """Replace a result that cannot travel, which would take its whole batch with it."""
    try:
        pickle.dumps(outcome)
    except Exception as error:  # pickling runs the code of whatever is pickled
        return defect(error)
    return outcome


def _numbers(batches: Iterable[Batch]) -> list[int]:
    return sorted(number for batch in batches for number in batch)


def _attempt_alone(work: Callable[[Case], Result], case: Case) -> CaseOutcome[Result]:
    with _open_pool(1) as pool:
        try:
            return _outcomes(pool.submit(attempt_all, work, [case]), 1)[0]
        except BrokenProcessPool:
            return killed()


def _outcomes(future: "Future[list[CaseOutcome[Result]]]", count: int) -> list[CaseOutcome[Result]]:
    try:
        return future.result()
    except BrokenProcessPool:
        raise
    except Exception as error:  # the cases or their results cannot travel between processes
        return [defect(error)] * count


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
