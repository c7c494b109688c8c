"""What of the store may go: entries that nothing has used for long, and remains of killed runs."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.domain.errors import OutputError
from pipeline.store.results import MANIFEST, PARTIAL, ResultStore

_DAY_S = 86_400.0
_ABANDONED_AFTER_S = _DAY_S
"""A file still being written is younger than this."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Files that go together.

    Parameters
    ----------
    files : tuple of Path
        The payload before its manifest, so that an interrupted removal leaves what counts as
        damaged and not what counts as whole.
    size_bytes : int
        Of all of them.
    used_s : float
        When it was last written or read, in seconds since 1970.
    """

    files: tuple[Path, ...]
    size_bytes: int
    used_s: float


def list_entries(store: ResultStore) -> list[Entry]:
    """List all entries, the longest unused first."""
    entries = (_entry((*_payloads(path), path)) for path in store.manifests())
    return sorted((entry for entry in entries if entry), key=lambda entry: entry.used_s)


def choose_removals(
    store: ResultStore, limit_bytes: int | None, unused_days: float | None
) -> list[Entry]:
    """Choose what may go.

    Parameters
    ----------
    store : ResultStore
        The store.
    limit_bytes : int or None
        What the store may hold: the longest unused entries go first. None for any size.
    unused_days : float or None
        Entries that were not used for longer go. None for any age.

    Returns
    -------
    list of Entry
        Remains of killed runs, older than a day, are always among them.
    """
    now_s = time.time()
    chosen = list(_abandoned(store, now_s))  # first: what is written meanwhile is not among them
    entries = list_entries(store)
    excess = 0 if limit_bytes is None else sum(e.size_bytes for e in entries) - limit_bytes
    for entry in entries:
        old = unused_days is not None and now_s - entry.used_s > unused_days * _DAY_S
        if old or excess > 0:
            chosen.append(entry)
            excess -= entry.size_bytes
    return chosen


def remove(entries: list[Entry]) -> None:
    """Remove entries, but those that were used since they were chosen.

    What another process has removed meanwhile does not matter.

    Raises
    ------
    OutputError
        If a file cannot be removed.
    """
    for entry in entries:
        now = _entry(entry.files)
        if now is not None and now.used_s > entry.used_s:
            continue
        for file in entry.files:
            _unlink(file)


def _unlink(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        msg = (
            f"{file}: cannot be removed ({error.strerror})."
            " Run this as the user who owns the store."
        )
        raise OutputError(msg) from None


def _payloads(manifest: Path) -> Iterator[Path]:
    return (path for path in manifest.parent.glob(f"{manifest.stem}-*"))


def _entry(files: tuple[Path, ...]) -> Entry | None:
    try:
        states = [file.stat() for file in files]
    except FileNotFoundError:  # removed by another process just now
        return None
    size = sum(state.st_size for state in states)
    return Entry(files, size, max(state.st_mtime for state in states))


def _abandoned(store: ResultStore, now_s: float) -> Iterator[Entry]:
    """Yield files of runs that were killed while writing: partial ones, payloads alone."""
    # Payloads are listed before the manifests: an entry being written now is not taken for one.
    files = list(store.files())
    known = {path.stem for path in store.manifests()}
    alone = (path for path in files if path.suffix != MANIFEST and path.name[:64] not in known)
    for path in (*store.root.glob(f"*/??/.*{PARTIAL}"), *alone):
        entry = _entry((path,))
        if entry and now_s - entry.used_s > _ABANDONED_AFTER_S:
            yield entry
