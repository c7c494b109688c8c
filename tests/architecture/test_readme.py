"""Every command that the README shows is one that this project runs."""

import re
import shlex
import subprocess
import sys

import pytest
from conftest import ROOT, readme_commands

README = (ROOT / "README.md").read_text()


def makefile_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("line", [line for line in readme_commands() if line.startswith("make ")])
def test_make_targets_exist(line: str) -> None:
    assert line.split()[1] in makefile_targets()


@pytest.mark.parametrize("line", [line for line in readme_commands() if "-m pipeline." in line])
def test_options_of_our_commands_are_accepted(line: str) -> None:
    words = shlex.split(line)
    module = words[words.index("-m") + 1]
    after = words[words.index(module) + 1 :]
    sub_command = after[:1] if module == "pipeline.store" else []
    done = subprocess.run(
        [sys.executable, "-m", module, *sub_command, "--help"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0
    options = {word for word in words if word.startswith("--")}
    assert options <= set(re.findall(r"--[a-z-]+", done.stdout))


def test_the_first_screen_has_both_commands_and_the_warning() -> None:
    screen = "\n".join(README.splitlines()[:25])
    assert "make demo" in screen
    assert "make test" in screen
    assert "Research use only" in screen


def test_set_up_by_hand_is_what_make_does() -> None:
    makefile = (ROOT / "Makefile").read_text().replace("$(BIN)/", "").replace(" --quiet", "")
    for line in readme_commands():
        if line.startswith("python -m pip "):
            assert line in makefile, f"the Makefile does not run: {line}"


def test_every_file_that_a_command_names_exists() -> None:
    named = {word.split(":")[0] for line in readme_commands() for word in shlex.split(line)}
    files = {word for word in named if re.match(r"(configs|requirements)/", word)}
    assert files
    assert all((ROOT / word).is_file() for word in files)
