"""Results of single cases on disk, found again by the content that they were made from.

An entry's name is the hash of everything that decides the result, so an entry never becomes wrong:
whatever changes - a voxel, the geometry, a setting, the engine - leads to another name. Entries
are written whole or not at all, and read only when their checksum agrees. There is no index and no
lock, so any number of processes and machines may share one folder. Nothing is ever deleted; to free
space, delete the folder.
"""

import hashlib
import json
import logging
import os
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from pipeline.domain.errors import CaseError, ConfigError
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Region, Scan

STORE_VARIABLE = "NECROSIS_STORE"
"""Environment variable with the absolute path of the store."""

_DIGEST_BYTES = hashlib.sha256().digest_size
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


def content_key(
    scan: Scan, regions: Mapping[str, Region], settings: Mapping[str, object], engine: str
) -> str:
    """Name a result by everything that decides it.

    Parameters
    ----------
    scan : Scan
        Its voxel values, their type and the geometry count, and the modality.
    regions : mapping of str to Region
        By name; the order does not count.
    settings : mapping
        All settings that matter, defaults filled in; plain values as in JSON.
    engine : str
        Name and version of what computes the result.

    Returns
    -------
    str
        SHA-256 in 64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    _add_text(digest, engine, json.dumps(settings, sort_keys=True, separators=(",", ":")))
    _add_text(digest, scan.modality, scan.voxels.dtype.str, _geometry_text(scan.geometry))
    digest.update(np.ascontiguousarray(scan.voxels).data)
    for name, region in sorted(regions.items()):
        _add_text(digest, name, _geometry_text(region.geometry))
        digest.update(np.packbits(region.inside).data)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class ResultStore:
    """A folder of results, ``kind/ab/abcdef...``, each preceded by its SHA-256.

    Parameters
    ----------
    root : Path
        Made when the first result is saved.
    """

    root: Path

    def load(self, kind: str, key: str) -> bytes | None:
        """Return a result, or None where there is none that can be trusted.

        A damaged entry counts as absent and is reported through ``logging``; the caller computes
        it again and saves over it.
        """
        path = self._path(kind, key)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            _LOG.warning("%s: cannot be read (%s); computing it again.", path, error.strerror)
            return None
        checksum, payload = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
        if hashlib.sha256(payload).digest() != checksum:
            _LOG.warning("%s: is damaged (checksum differs); computing it again.", path)
            return None
        return payload

    def save(self, kind: str, key: str, payload: bytes) -> None:
        """Keep a result; a reader sees all of it or nothing, even when the machine stops.

        Raises
        ------
        CaseError
            If the folder cannot be written.
        """
        path = self._path(kind, key)
        partial = path.with_name(f".{key}.{uuid.uuid4().hex}.partial")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_synced(partial, hashlib.sha256(payload).digest() + payload)
            partial.replace(path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            msg = (
                f"the result store {self.root} cannot be written ({error.strerror})."
                f" Free space there, or name another folder in {STORE_VARIABLE}."
            )
            raise CaseError(msg) from error

    def _path(self, kind: str, key: str) -> Path:
        return self.root / kind / key[:2] / key


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("xb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _geometry_text(geometry: Geometry) -> str:
    # Python writes floats so that they read back exactly: different bits, different text.
    return json.dumps(asdict(geometry), sort_keys=True)


def _add_text(digest: "hashlib._Hash", *texts: str) -> None:
    for text in texts:
        encoded = text.encode()
        digest.update(len(encoded).to_bytes(8, "little") + encoded)
