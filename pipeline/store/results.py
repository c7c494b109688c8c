"""The store: files named by their key, each with a manifest that says what it is.

An entry never becomes wrong: whatever changes - a voxel, the geometry, a setting, the engine -
leads to another name. Entries are written whole or not at all, and read only when their checksum
agrees. There is no index and no lock, so any number of processes and machines may share one folder.
"""

import hashlib
import json
import logging
import os
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.domain.errors import CaseError, ConfigError

STORE_VARIABLE = "NECROSIS_STORE"
"""Environment variable with the absolute path of the store."""

PARTIAL = ".partial"
"""How the name of a file ends while it is being written."""

MANIFEST = ".json"
"""How the name of a manifest ends."""

_KEY = re.compile(r"[0-9a-f]{64}")
_MARK_EVERY_S = 86_400.0
_LOG = logging.getLogger(__name__)


def default_store_root() -> Path:
    """Return the folder that the environment names, else ``data/store`` here.

    Raises
    ------
    ConfigError
        If the environment's path is relative: DVC runs experiments in temporary copies, where a
        relative path would silently be another, empty store.
    """
    named = os.environ.get(STORE_VARIABLE)
    if not named:
        return (Path("data") / "store").absolute()
    if not Path(named).is_absolute():
        msg = f"{STORE_VARIABLE}: expected an absolute path, got {named!r}. Write it from the root."
        raise ConfigError(msg)
    return Path(named)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of result.

    Parameters
    ----------
    folder : str
        Where the entries lie in the store.
    suffix : str
        How the names of their files end, by the format of the payload.
    """

    folder: str
    suffix: str


@dataclass(frozen=True, slots=True)
class ResultStore:
    """A folder of results: ``<kind>/ab/abcdef...-<checksum><suffix>`` and manifests ``.json``.

    The manifest of an entry is named by its key and names the payload, so two writers of one entry
    never make a mixture of their files.

    Parameters
    ----------
    root : Path
        Made when the first result is saved.
    """

    root: Path

    def load(self, kind: Kind, key: str) -> bytes | None:
        """Return a result, or None where there is none that can be trusted.

        A damaged entry counts as absent and is reported through ``logging``; the caller computes
        it again and saves over it.
        """
        manifest = self.describe(kind, key)
        if manifest is None:
            return None
        path = self._payload_path(kind, key, str(manifest.get("sha256")))
        try:
            payload = path.read_bytes()
        except FileNotFoundError:
            payload = b""
        except OSError as error:
            _LOG.warning("%s: cannot be read (%s); computing it again.", path, error.strerror)
            return None
        if hashlib.sha256(payload).hexdigest() != manifest.get("sha256"):
            _LOG.warning("%s: is damaged (checksum differs); computing it again.", path)
            return None
        return payload

    def describe(self, kind: Kind, key: str) -> dict[str, Any] | None:
        """Return the manifest of an entry, or None where there is none; the payload is not read."""
        path = self._manifest_path(kind, key)
        try:
            manifest = json.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            _LOG.warning("%s: cannot be read (%s); computing it again.", path, error.strerror)
            return None
        except ValueError:
            manifest = None
        if not isinstance(manifest, dict):
            _LOG.warning("%s: is damaged (no JSON object); computing it again.", path)
            return None
        _mark_used(path)
        return manifest

    def save(self, kind: Kind, key: str, payload: bytes, about: Mapping[str, object]) -> None:
        """Keep a result; a reader sees all of it or nothing, even when the machine stops.

        Parameters
        ----------
        kind, key
            Its name.
        payload : bytes
            The result.
        about : mapping
            What the manifest says of it beside size and checksum; plain values as in JSON. Nothing
            of a patient: the store outlives the cohort.

        Raises
        ------
        CaseError
            If the folder cannot be written.
        """
        checksum = hashlib.sha256(payload).hexdigest()
        facts = {"sha256": checksum, "bytes": len(payload), **about}
        manifest = json.dumps(facts, indent=1, sort_keys=True).encode()
        # The manifest comes last: an entry without one does not exist.
        self._write(self._payload_path(kind, key, checksum), payload)
        self._write(self._manifest_path(kind, key), manifest)

    def manifests(self) -> Iterator[Path]:
        """Yield the manifest of each entry of any kind; other files in the folder are not ours."""
        return (path for path in self.files() if path.suffix == MANIFEST)

    def files(self) -> Iterator[Path]:
        """Yield manifests and payloads, also payloads without a manifest."""
        for path in self.root.glob("*/??/*"):
            key = _KEY.match(path.name)
            if key and path.parent.name == path.name[:2] and not path.is_dir():
                yield path

    def _payload_path(self, kind: Kind, key: str, checksum: str) -> Path:
        return self._folder(kind, key) / f"{key}-{checksum[:8]}{kind.suffix}"

    def _manifest_path(self, kind: Kind, key: str) -> Path:
        return self._folder(kind, key) / f"{key}{MANIFEST}"

    def _folder(self, kind: Kind, key: str) -> Path:
        return self.root / kind.folder / key[:2]

    def _write(self, path: Path, content: bytes) -> None:
        partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}{PARTIAL}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_synced(partial, content)
            partial.replace(path)
        except OSError as error:
            msg = (
                f"the result store {self.root} cannot be written ({error.strerror})."
                f" Free space there, or name another folder in {STORE_VARIABLE}."
            )
            raise CaseError(msg) from error
        finally:
            with suppress(OSError):  # renamed, never made, or on a disk that refuses everything
                partial.unlink(missing_ok=True)


def _mark_used(path: Path) -> None:
    """Let the file say when the entry was last used, to the day; access times are often off."""
    with suppress(OSError):  # another user's store, or removed just now
        if time.time() - path.stat().st_mtime > _MARK_EVERY_S:
            os.utime(path)


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("xb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
