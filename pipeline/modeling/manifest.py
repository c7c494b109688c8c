"""The hash of every file of a bundle, so that a change is noticed before anything is used."""

import hashlib
import json
from pathlib import Path

from pipeline.domain.errors import BundleError
from pipeline.tabular import write_json

MANIFEST = "manifest.json"


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_manifest(folder: Path) -> None:
    """Write the hash of every file in the folder but the manifest itself."""
    write_json({name: hash_file(folder / name) for name in _list_files(folder)}, folder / MANIFEST)


def check_manifest(folder: Path) -> None:
    """Compare the folder with its manifest.

    This finds damage and stray edits. It does not prove who made the bundle: whoever can write
    the folder can write the manifest too.

    Raises
    ------
    BundleError
        Naming every file that is missing, altered or not listed.
    """
    try:
        listed = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        expected = {str(name): str(digest) for name, digest in listed.items()}
    except (OSError, ValueError, AttributeError):
        msg = (
            f"{folder}: expected a model bundle with a readable {MANIFEST}, got none."
            " Check the path, or run dvc repro to train one."
        )
        raise BundleError(msg) from None
    present = set(_list_files(folder))
    problems = [
        *(f"{name} is missing" for name in sorted(expected.keys() - present)),
        *(f"{name} is not listed" for name in sorted(present - expected.keys())),
        *(
            f"{name} was altered"
            for name in sorted(present & expected.keys())
            if hash_file(folder / name) != expected[name]
        ),
    ]
    if problems:
        msg = (
            f"{folder}: expected the files of {MANIFEST}, got: {'; '.join(problems)}."
            " Fetch the bundle anew or train again."
        )
        raise BundleError(msg)


def _list_files(folder: Path) -> list[str]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    return sorted(path.relative_to(folder).as_posix() for path in files)
