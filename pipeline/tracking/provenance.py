"""What a run was made from: commit, data and settings."""

import hashlib
import re
import subprocess
from pathlib import Path


def git_commit(project: Path) -> str:
    """Return the commit of the project, ``-dirty`` where files differ from it; '' without git."""
    commit = _git(project, "rev-parse", "HEAD")
    if not commit:
        return ""
    # DVC rewrites its lock file while it runs; that is a result, not a change of the code.
    listed = ("status", "--porcelain", "--untracked-files=no", "--", ".", ":(exclude)dvc.lock")
    changed = _git(project, *listed)
    return f"{commit}-dirty" if changed else commit


def _git(project: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=project, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def flatten(settings: dict[str, object], prefix: str = "") -> dict[str, str]:
    """Turn nested settings into dotted names and text, as MLflow's parameters are.

    Characters that MLflow does not allow in names, as in the unit ``10^9/L``, become ``_``.
    """
    flat: dict[str, str] = {}
    for name, value in settings.items():
        dotted = prefix + re.sub(r"[^\w\-. :/]", "_", str(name))
        if isinstance(value, dict) and value:
            flat |= flatten(value, f"{dotted}.")
        else:
            flat[dotted] = str(value)
    return flat
