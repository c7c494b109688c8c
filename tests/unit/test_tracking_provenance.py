"""Settings and commits as MLflow gets them."""

import subprocess
from pathlib import Path

from pipeline.tracking.provenance import flatten, git_commit, sha256_of


def test_settings_become_dotted_names_that_mlflow_takes() -> None:
    settings: dict[str, object] = {"a": {"10^9/L": 1, "b": [1, 2]}, "c": None, "d": {}}
    assert flatten(settings, "x.") == {
        "x.a.10_9/L": "1",
        "x.a.b": "[1, 2]",
        "x.c": "None",
        "x.d": "{}",
    }


def test_a_hash_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_of(tmp_path / "f") == expected


def test_a_commit_is_dirty_for_changes_but_not_for_the_lock_of_dvc(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        who = ("-c", "user.name=t", "-c", "user.email=t@example.invalid")
        command = ["git", *who, *words]
        done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    assert git_commit(tmp_path) == ""
    git("init", "-q")
    for name in ("dvc.lock", "code.py"):
        (tmp_path / name).write_text("1")
    git("add", "-A")
    git("commit", "-qm", "start")
    head = git("rev-parse", "HEAD")
    (tmp_path / "dvc.lock").write_text("2")
    assert git_commit(tmp_path) == head
    (tmp_path / "code.py").write_text("2")
    assert git_commit(tmp_path) == f"{head}-dirty"
