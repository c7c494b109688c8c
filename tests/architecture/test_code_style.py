"""Budgets of the style guide that no linter measures."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "pipeline").rglob("*.py"))
MOST_LINES = 50


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count lines from ``def`` to the end without the docstring."""
    total = (function.end_lineno or 0) - function.lineno + 1
    first = function.body[0]
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return total - ((first.end_lineno or 0) - first.lineno + 1 if is_docstring else 0)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_functions_are_short(file: Path) -> None:
    functions = [
        node
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    long = {node.name: code_lines(node) for node in functions if code_lines(node) > MOST_LINES}
    assert not long


@pytest.mark.parametrize("file", sorted((ROOT / "tests").rglob("test_*.py")), ids=lambda f: f.name)
def test_every_raises_has_a_match(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.raises":
            assert any(keyword.arg == "match" for keyword in node.keywords), node.lineno


def test_no_committed_text_names_a_host_or_a_path_of_one_machine() -> None:
    forbidden = ("pypi" + ".org", "python" + "hosted", "/work" + "/")
    for file in ROOT.rglob("*"):
        if file.suffix in {".py", ".md", ".yaml", ".toml", ".txt", ".sh"} and _is_ours(file):
            text = file.read_text(encoding="utf-8")
            assert not [word for word in forbidden if word in text], file


def _is_ours(file: Path) -> bool:
    skipped = {".venv", "data", "predictions", "mlflow-artifacts", ".git", ".dvc", ".hypothesis"}
    top = file.relative_to(ROOT).parts
    return not skipped & set(top) and top[:2] not in {("models", "bundle"), ("models", "report")}
