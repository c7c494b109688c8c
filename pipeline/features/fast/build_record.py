"""Whether the compiled kernels are those of the source beside them.

After a change of the source, old kernels would go on giving old numbers without a word.
"""

import hashlib
import json
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from pipeline.domain.errors import InstallationError

RECORD = "built.json"
"""Checksums of the sources that were compiled, by file name; ``setup.py`` writes it."""

_DISTRIBUTION = "hcc-necrosis"
_PLACE = Path("pipeline/features/fast/kernels")
_REMEDY = "Run `make setup`, or `pip install --no-build-isolation --no-deps --editable .`."


def find_built(folder: Path) -> Path:
    """Return the folder with the kernels compiled from the sources in a folder.

    That is the folder itself, or the one of the project that is installed: DVC runs experiments in
    copies of the project that lack what git ignores. The checksums tell that the source is the
    same.

    Raises
    ------
    InstallationError
        If nothing was compiled, or a source has changed since.
    """
    for place in (folder, *_installed()):
        built = _read(place / RECORD)
        if built:
            _check(folder, built)
            return place
    msg = f"the compiled kernels are missing: expected {RECORD} in {folder.name}. {_REMEDY}"
    raise InstallationError(msg)


def _installed() -> Iterator[Path]:
    """Yield the kernels' folder of the project that was installed as editable."""
    try:
        origin = metadata.distribution(_DISTRIBUTION).read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return
    if origin:
        yield Path(url2pathname(urlsplit(json.loads(origin)["url"]).path)) / _PLACE


def _read(record: Path) -> dict[str, str]:
    """Return a record, empty where there is none that was written to its end."""
    try:
        return dict(json.loads(record.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return {}


def _check(folder: Path, built: dict[str, str]) -> None:
    changed = [
        source.name
        for source in sorted(folder.glob("*.pyx"))
        if hashlib.sha256(source.read_bytes()).hexdigest() != built.get(source.name)
    ]
    if changed:
        msg = (
            f"the compiled kernels are older than their source: {', '.join(changed)} changed since"
            f" the set-up. {_REMEDY}"
        )
        raise InstallationError(msg)
