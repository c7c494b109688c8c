"""What every command line shares: exit codes, errors without tracebacks, threads, progress."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import IntEnum
from typing import TypeVar

from pipeline.domain.errors import PipelineError

Item = TypeVar("Item")

_LINE_EVERY_S = 60.0
"""A log should not be silent for longer while cases become ready."""

_ONE_THREAD_EACH = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
)


class ExitCode(IntEnum):
    """Exit codes of all commands; 2 (wrong usage) is argparse's own."""

    DONE = 0
    INPUT_HAS_PROBLEMS = 1
    WRONG_USAGE = 2
    SOME_CASES_FAILED = 3
    INTERRUPTED = 130


def at_least_one(text: str) -> int:
    """Read a whole number from 1 on, as argparse's ``type``."""
    if not text.isdecimal() or int(text) < 1:
        msg = f"expected a whole number from 1, got {text}"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def run_command(
    command: Callable[[Sequence[str]], ExitCode],
    argv: Sequence[str] | None,
    when_interrupted: str = "What was finished is kept; the same command resumes.",
) -> int:
    """Run a command line and turn its outcome into an exit code.

    A :class:`PipelineError` becomes its message on standard error and exit code 1; Ctrl-C becomes
    130. Any other exception is a defect and keeps its traceback.

    Parameters
    ----------
    command : callable
        Takes the arguments, returns the exit code. Imports heavy libraries only when called.
    argv : sequence of str or None
        Arguments without the program's name; None takes them from ``sys.argv``.
    when_interrupted : str
        What is said of a run that Ctrl-C ended.
    """
    pin_threads()
    try:
        return command(sys.argv[1:] if argv is None else argv)
    except PipelineError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return ExitCode.INPUT_HAS_PROBLEMS
    except KeyboardInterrupt:
        print(f"Interrupted. {when_interrupted}", file=sys.stderr)
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has what it wanted: end as other Unix commands do.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


def pin_threads() -> None:
    """Give every numeric library one thread, unless the environment says otherwise.

    The work is parallel over cases; threads below that only fight for the cores, and ITK's
    registration and BLAS's sums differ in the last bits with their number. Libraries read these
    variables when they are first imported, so this runs before.
    """
    for name in _ONE_THREAD_EACH:
        os.environ.setdefault(name, "1")


def track_progress(items: Iterable[Item], total: int, label: str) -> Iterator[Item]:
    """Yield the items, with a progress bar on a terminal and plain lines elsewhere.

    Parameters
    ----------
    items : iterable
        Consumed one by one as they become ready.
    total : int
        How many there will be.
    label : str
        What is being done, such as ``extract``.
    """
    if sys.stderr.isatty():
        from tqdm import tqdm

        yield from tqdm(items, total=total, desc=label, unit="case")
        return
    step = max(1, total // 10)
    began = said = time.monotonic()
    for done, item in enumerate(items, start=1):
        now = time.monotonic()
        if done % step == 0 or done == total or now - said > _LINE_EVERY_S:
            said = now
            pace = describe_pace(done, total, now - began)
            print(f"{label}: {done}/{total}{pace}", file=sys.stderr, flush=True)
        yield item


def describe_pace(done: int, total: int, passed_s: float) -> str:
    """Say how fast the work goes and how long the rest takes at this pace.

    Nothing where it is too early to tell. The heaviest cases come first, so it takes less rather
    than more.
    """
    if passed_s < 1:
        return ""
    each_s = passed_s / done
    pace = f", {1 / each_s:.1f} cases/s" if each_s < 1 else f", {each_s:.1f} s a case"
    return pace if done == total else f"{pace}, about {_duration((total - done) * each_s)} left"


def _duration(seconds: float) -> str:
    for unit, length_s in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length_s:
            return f"{seconds / length_s:.0f} {unit}"
    return f"{max(1.0, seconds):.0f} s"
