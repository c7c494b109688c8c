"""DVC reruns a stage when a declared dependency changes, so all its imports are declared."""

import ast
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
STAGES: dict[str, Any] = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]


def imported_names(file: Path) -> set[str]:
    """Return every ``pipeline`` module or attribute that a file imports anywhere in its code."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in names if name.split(".")[0] == "pipeline"}


def files_of(name: str) -> set[Path]:
    """Return the files that importing a dotted name runs: the module and the packages above it."""
    parts = name.split(".")
    places = [ROOT.joinpath(*parts[: length + 1]) for length in range(len(parts))]
    candidates = [path / "__init__.py" for path in places] + [p.with_suffix(".py") for p in places]
    return {path for path in candidates if path.is_file()}


def import_closure(module: str) -> set[Path]:
    """Return every file of the package that running a module can load."""
    closure: set[Path] = set()
    waiting = files_of(module)
    while waiting:
        file = waiting.pop()
        closure.add(file)
        found = {path for name in imported_names(file) for path in files_of(name)}
        waiting |= found - closure
    return closure


def module_of(stage: dict[str, Any]) -> str:
    words = shlex.split(stage["cmd"])
    return words[words.index("-m") + 1]


def is_covered(file: Path, deps: list[str]) -> bool:
    relative = file.relative_to(ROOT)
    return any(relative == Path(dep) or Path(dep) in relative.parents for dep in deps)


@pytest.mark.parametrize("name", STAGES)
def test_deps_cover_the_import_closure(name: str) -> None:
    closure = import_closure(module_of(STAGES[name]))
    missing = sorted(
        str(file.relative_to(ROOT))
        for file in closure
        if not is_covered(file, STAGES[name]["deps"])
    )
    assert not missing, f"stage {name} imports what dvc.yaml does not list in its deps"


@pytest.mark.parametrize("name", STAGES)
def test_the_command_is_a_stage_of_that_name(name: str) -> None:
    assert module_of(STAGES[name]) == f"pipeline.stages.{name}"


def test_the_closure_finds_imports_inside_functions() -> None:
    closure = import_closure("pipeline.stages.biomarkers")
    assert ROOT / "pipeline/biomarkers/scores.py" in closure
