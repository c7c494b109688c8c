"""Measure how long the pipeline takes here and write the table of the README.

    python tests/benchmarks/measure_pipeline.py            # print the table
    python tests/benchmarks/measure_pipeline.py --write    # and put it into README.md

Works in a fresh clone of the committed state, with an empty store; the environment is the one that
runs this script. Times are wall time of whole commands.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMANDS = ("check", "extract", "crossval", "predict")
START, END = "<!-- times: made by `make benchmark` -->", "<!-- end of times -->"


def main() -> int:
    """Measure and print, or write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the table into README.md")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        run(["git", "clone", "-q", str(ROOT), str(clone)], ROOT)
        table = render(list(measure(clone)))
    sys.stdout.write(table)
    if args.write:
        write_into_readme(table)
    return 0


def measure(clone: Path) -> Iterator[tuple[str, float]]:
    """Yield what was measured and its seconds, in the order of the table."""
    yield "`dvc repro` on the demo cohort from nothing (80 patients, 477 scans)", run(REPRO, clone)
    yield "`dvc repro` again, nothing changed", run(REPRO, clone)
    score = ["-m", "pipeline.predict", "--bundle", "models/bundle", "--cohort", "data/demo"]
    yield (
        "scoring the 80 patients, features from the store",
        run([sys.executable, *score, "--out", "predictions"], clone),
    )
    set_patients(clone, 81)
    yield "`dvc repro` with one patient more, training included", run(REPRO, clone)
    slowest = max(
        run([sys.executable, "-m", f"pipeline.{name}", "--help"], clone) for name in COMMANDS
    )
    yield "the slowest `--help`", slowest


REPRO = [str(Path(sys.executable).with_name("dvc")), "repro", "--quiet"]


def run(command: list[str], folder: Path) -> float:
    """Run a command to its end and return the seconds it took; stop where it fails."""
    environment = dict(os.environ)
    environment.pop("NECROSIS_STORE", None)
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    started = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - started
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return seconds


def set_patients(clone: Path, number: int) -> None:
    """Change the number of invented patients; the first ones stay as they are."""
    path = clone / "configs" / "demo.yaml"
    lines = path.read_text().splitlines(keepends=True)
    changed = [f"patients: {number}\n" if line.startswith("patients:") else line for line in lines]
    path.write_text("".join(changed))


def render(rows: list[tuple[str, float]]) -> str:
    """Return the table as Markdown."""
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    lines = [f"| {label} | {seconds:.1f} s |\n" for label, seconds in rows]
    return f"\nWall time on {machine}:\n\n| what | time |\n|---|---|\n{''.join(lines)}\n"


def write_into_readme(table: str) -> None:
    """Replace what stands between the two marks."""
    readme = ROOT / "README.md"
    text = readme.read_text()
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    readme.write_text(f"{before}{START}\n{table}{END}{after}")


if __name__ == "__main__":
    raise SystemExit(main())
