"""Workers of a Dask cluster: on this machine, on others, or started by a batch system.

The scheduler and its workers are the user's (``dask scheduler``, ``dask worker``, dask-jobqueue);
here they are only given work. All must see the cohort and the store under the same paths. Dask
sends pickles between its processes, so the network in between must be a trusted one.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import pin_threads
from pipeline.domain.errors import ConfigError
from pipeline.executor.local import Batch, attempt_all
from pipeline.executor.outcome import Case, CaseOutcome, Numbered, Result, defect, killed

if TYPE_CHECKING:
    from distributed import Client

_PATIENCE_S = 30
"""How long a scheduler may take to answer, and to have a worker."""

_OTHER_VERSION = (
    "a Dask worker runs another version of this software, or lacks it."
    " Install the same version on all machines and restart the workers."
)


@dataclass(frozen=True, slots=True)
class DaskExecutor:
    """Works on cases on the workers of a scheduler.

    Parameters
    ----------
    scheduler : str
        Its address, such as ``tcp://10.0.0.1:8786``.
    """

    scheduler: str

    def run(
        self, work: Callable[[Case], Result], cases: Sequence[Case], batches: Sequence[Batch]
    ) -> Iterator[Numbered[Result]]:
        """Yield the outcome of each case of the batches, as they become ready.

        Dask moves the work of a worker that dies to another one. A batch that keeps killing
        workers is tried once more, case by case, so that only the one to blame is listed.

        Raises
        ------
        ConfigError
            If Dask is not installed, no scheduler or worker answers, or a worker runs another
            version of this software.
        """
        client = _connect(self.scheduler)
        try:
            yield from _run_all(client, work, cases, batches)
        except CancelledError:
            msg = (
                f"the Dask scheduler at {self.scheduler} was lost. What was finished is kept:"
                " start it again with its workers and run the same command."
            )
            raise ConfigError(msg) from None
        finally:
            client.close()


def _run_all(
    client: "Client",
    work: Callable[[Case], Result],
    cases: Sequence[Case],
    batches: Sequence[Batch],
) -> Iterator[Numbered[Result]]:
    suspects = yield from _run_until_done(client, work, cases, batches)
    for number in (number for batch in suspects for number in batch):
        # One at a time: Dask blames all that a dead worker was to do.
        if (yield from _run_until_done(client, work, cases, [(number,)])):
            yield number, killed()


def _run_until_done(
    client: "Client",
    work: Callable[[Case], Result],
    cases: Sequence[Case],
    batches: Sequence[Batch],
) -> Generator[Numbered[Result], None, list[Batch]]:
    """Yield outcomes; return the batches that killed their workers."""
    from distributed import KilledWorker, as_completed

    mine = code_identity()
    flying = {
        client.submit(_attempt_all, mine, work, [cases[number] for number in batch], pure=False): (
            batch
        )
        for batch in batches
    }
    suspects = []
    for future in as_completed(flying, loop=client.loop):
        batch = flying.pop(future)
        error = future.exception()
        if isinstance(error, KilledWorker):
            suspects.append(batch)
        elif isinstance(error, ConfigError):
            raise error
        elif error is not None:  # the cases or their results cannot travel between processes
            yield from ((number, defect(error)) for number in batch)
        else:
            yield from zip(batch, future.result(), strict=True)
    return sorted(suspects)


def _attempt_all(
    identity: str, work: Callable[[Case], Result], cases: Sequence[Case]
) -> list[CaseOutcome[Result]]:
    """Work on a worker, which may have come after the others were checked."""
    pin_threads()
    if code_identity() != identity:
        raise ConfigError(_OTHER_VERSION)
    return attempt_all(work, cases)


def _connect(scheduler: str) -> "Client":
    try:
        from distributed import Client
    except ImportError:
        msg = "the executor dask needs Dask. Install it with: pip install '.[cluster]'"
        raise ConfigError(msg) from None
    try:
        client = Client(scheduler, timeout=_PATIENCE_S, set_as_default=False)
    except (OSError, ValueError) as error:
        msg = (
            f"no Dask scheduler answers at {scheduler} ({type(error).__name__})."
            " Start one with `dask scheduler`, or correct --scheduler."
        )
        raise ConfigError(msg) from None
    try:
        _check_workers(client, scheduler)
    except ConfigError:
        client.close()
        raise
    return client


def _check_workers(client: "Client", scheduler: str) -> None:
    try:
        client.wait_for_workers(1, timeout=_PATIENCE_S)
    except TimeoutError:
        msg = (
            f"the Dask scheduler at {scheduler} has no worker."
            f" Start some with `dask worker {scheduler} --nthreads 1`."
        )
        raise ConfigError(msg) from None
    try:
        identities = set(client.run(code_identity).values())
    except Exception as error:  # whatever another version, or none, makes of the question
        msg = f"{_OTHER_VERSION} One said: {type(error).__name__}."
        raise ConfigError(msg) from None
    if identities != {code_identity()}:
        raise ConfigError(_OTHER_VERSION)


@cache
def code_identity() -> str:
    """Return a hash of this software's source."""
    digest = sha256()
    root = Path(__file__).parents[1]
    for source in sorted(path for path in root.rglob("*.py*") if path.suffix in (".py", ".pyx")):
        digest.update(source.read_bytes())
    return digest.hexdigest()
