"""Names of results: the hash of everything that decides them."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

import numpy as np

from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Region, Scan

_ROOT = Path(__file__).parents[2]
_CODE = (".py", ".so", ".pyd")


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


def derived_key(key: str, settings: Mapping[str, object], engine: str) -> str:
    """Name what an engine makes of a result that has a key already.

    Parameters
    ----------
    key : str
        Of the result that it is made from.
    settings, engine
        As for :func:`content_key`.
    """
    digest = hashlib.sha256()
    _add_text(digest, engine, json.dumps(settings, sort_keys=True, separators=(",", ":")), key)
    return digest.hexdigest()


def identify_software(parts: Iterable[str], libraries: Iterable[str]) -> str:
    """Name the software that makes a result, so that a changed one makes results of its own.

    Parameters
    ----------
    parts : iterable of str
        Packages and modules of this software, as paths such as ``pipeline/ingest``; what runs of
        them counts, compiled modules among it.
    libraries : iterable of str
        Distributions; the version counts, or that it is not installed.

    Returns
    -------
    str
        SHA-256 in 64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for file in (file for part in parts for file in _code_files(_ROOT / part)):
        _add_text(digest, file.relative_to(_ROOT).as_posix())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    for library in libraries:
        _add_text(digest, library, _version(library))
    return digest.hexdigest()


def _code_files(part: Path) -> Iterator[Path]:
    if part.is_file():
        yield part
    yield from sorted(file for file in part.rglob("*") if file.suffix in _CODE)


def _version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return "absent"


def _geometry_text(geometry: Geometry) -> str:
    # Python writes floats so that they read back exactly: different bits, different text.
    return json.dumps(asdict(geometry), sort_keys=True)


def _add_text(digest: "hashlib._Hash", *texts: str) -> None:
    for text in texts:
        encoded = text.encode()
        digest.update(len(encoded).to_bytes(8, "little") + encoded)
