"""Every command answers --help at once: heavy libraries are imported only when work starts."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = {
    *("numpy", "pandas", "sklearn", "lightgbm", "SimpleITK", "pydicom", "highdicom"),
    *("radiomics", "matplotlib", "mlflow"),
}
COMMANDS = [f"pipeline.{name}" for name in ("check", "extract", "crossval", "ingest", "predict")]
STAGES = [
    f"pipeline.stages.{path.stem}" for path in sorted((ROOT / "pipeline/stages").glob("[a-z]*.py"))
]


@pytest.mark.parametrize("module", COMMANDS + STAGES)
def test_help_loads_no_heavy_library(module: str) -> None:
    code = (
        "import sys, runpy\n"
        f"sys.argv = ['{module}', '--help']\n"
        "try:\n"
        f"    runpy.run_module('{module}', run_name='__main__')\n"
        "except SystemExit as end:\n"
        "    print('exit', end.code)\n"
        "print('loaded', *sorted({name.split('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert "exit 0" in done.stdout, done.stderr
    assert not HEAVY & set(done.stdout.split("loaded")[1].split())


@pytest.mark.parametrize("module", COMMANDS + STAGES)
def test_wrong_usage_is_exit_code_2(module: str) -> None:
    command = [sys.executable, "-m", module, "--no-such-option"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
