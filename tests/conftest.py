"""What several test files need: where the real data is, a project to run DVC in."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from hypothesis import settings

# The same examples in every run: a failure belongs to the change that it comes with.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

ROOT = Path(__file__).parents[1]
REAL_DATA = ROOT.parent / "shared" / "data"
BIN = Path(sys.executable).parent

# Matplotlib and DVC want a home for caches; telemetry stays off in every child.
os.environ.setdefault("DVC_NO_ANALYTICS", "1")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")


def readme_commands() -> list[str]:
    """Return the lines of the README's shell blocks, without comments."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [re.sub(r"\s+#.*", "", line) for line in lines if line and not line.startswith("#")]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real scans, or a skip that says why."""
    if not REAL_DATA.is_dir():
        pytest.skip("real data is not on this machine (../shared/data)")
    return REAL_DATA


@dataclass(frozen=True)
class Project:
    """A copy of this project's committed and new files, with settings of its own."""

    folder: Path

    def run(
        self, *command: str, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of this environment in the project."""
        path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            command,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PATH": path, **(env or {})},
        )

    def edit(self, config: str, **changes: object) -> None:
        """Change top-level keys of a settings file."""
        path = self.folder / "configs" / config
        content = yaml.safe_load(path.read_text())
        path.write_text(yaml.safe_dump({**content, **changes}, sort_keys=False))


def copy_project(folder: Path) -> Project:
    """Copy the files that git knows or would add into a new repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        source, target = ROOT / name, folder / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    project = Project(folder)
    for command in (["init", "-q"], ["add", "-A"], _commit("start")):
        done = project.run("git", *command)
        assert done.returncode == 0, done.stderr
    return project


def _commit(message: str) -> list[str]:
    who = ["-c", "user.name=test", "-c", "user.email=test@example.invalid"]
    return [*who, "commit", "-q", "-m", message]


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A finished `dvc repro` on 24 invented patients with one repeat: about a minute."""
    project = copy_project(tmp_path_factory.mktemp("project"))
    project.edit("demo.yaml", patients=24)
    project.edit("train.yaml", repeats=1, candidates=["elastic_net", "lightgbm"])
    project.edit("evaluate.yaml", bootstraps=200)
    saved = project.run("git", *_commit("small"), "--all")
    assert saved.returncode == 0, saved.stderr
    done = project.run("dvc", "repro")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return project
