import math
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.domain.errors import CaseError, GeometryError
from pipeline.executor.cgroup import free_group_bytes
from pipeline.executor.machine import default_jobs
from pipeline.executor.outcome import DEFECT_CODE, KILLED_CODE, Failure
from pipeline.executor.running import run_cases


def _work(case: str) -> float:
    """Fail as the case says, else take the root."""
    if case == "wrong":
        msg = "mask is empty"
        raise CaseError(msg)
    if case == "askew":
        msg = "other grid"
        raise GeometryError(msg)
    if case == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    return math.sqrt(float(case))


def _slow_first(case: int) -> int:
    time.sleep(0.5 if case == 0 else 0)
    return case


def _unpicklable(case: int) -> object:
    return (lambda: case) if case == 1 else case


@pytest.mark.parametrize("jobs", [1, 2])
def test_one_bad_case_does_not_stop_the_others(jobs: int) -> None:
    outcomes = run_cases(_work, ["4", "wrong", "9", "askew", "x", "16"], jobs, "roots")
    assert [outcome.result for outcome in outcomes] == [2.0, None, 3.0, None, None, 4.0]
    assert outcomes[1].failure == Failure("case-error", "mask is empty")
    assert outcomes[3].failure == Failure("geometry-error", "other grid")
    # Where it happened, not its text: that quotes a value, which may be a name from a header.
    failure = outcomes[4].failure
    assert failure is not None
    assert failure.code == DEFECT_CODE
    assert re.fullmatch(r"ValueError in test_executor\.py, line \d+", failure.reason)


def test_outcomes_are_in_the_order_of_the_cases_not_of_their_end() -> None:
    outcomes = run_cases(_slow_first, range(6), 2, "order")
    assert [outcome.result for outcome in outcomes] == list(range(6))


def test_a_killed_worker_costs_its_case_only() -> None:
    cases = ["1", "killed", "4", "9", "16", "25", "36"]
    outcomes = run_cases(_work, cases, 2, "roots")
    assert [outcome.result for outcome in outcomes] == [1.0, None, 2.0, 3.0, 4.0, 5.0, 6.0]
    failure = outcomes[1].failure
    assert failure is not None
    assert failure.code == KILLED_CODE


def test_a_result_that_cannot_travel_is_a_defect_of_its_case() -> None:
    outcomes = run_cases(_unpicklable, range(3), 2, "travel")
    assert [outcome.result for outcome in outcomes] == [0, None, 2]
    failure = outcomes[1].failure
    assert failure is not None
    assert failure.code == DEFECT_CODE


def test_a_result_that_cannot_travel_does_not_take_its_batch_with_it() -> None:
    outcomes = run_cases(_unpicklable, range(4), 2, "travel", together=lambda case: case // 2)
    assert [outcome.result for outcome in outcomes] == [0, None, 2, 3]


def test_no_cases_give_no_outcomes() -> None:
    assert run_cases(_work, [], 2, "none") == []


def test_jobs_are_at_least_one_and_at_most_the_cores() -> None:
    assert 1 <= default_jobs() <= (os.cpu_count() or 1)


@pytest.mark.parametrize(
    ("files", "free"),
    [
        ({"memory.max": "1000", "memory.current": "700"}, 300 + 50),
        ({"memory.max": "max", "memory.current": "700"}, 2**63),
        ({}, 2**63),
    ],
)
def test_the_memory_left_in_a_group_counts(
    tmp_path: Path, files: dict[str, str], free: int
) -> None:
    group = tmp_path / "batch" / "job_7"
    (group / "step").mkdir(parents=True)
    for name, content in files.items():
        (group / name).write_text(content + "\n")
    (group / "memory.stat").write_text("anon 600\ninactive_file 50\n")
    membership = tmp_path / "membership"
    membership.write_text("9:name=systemd:/other\n0::/batch/job_7/step\n")
    assert free_group_bytes(tmp_path, membership) == free


def test_the_first_version_of_groups_counts_too(tmp_path: Path) -> None:
    group = tmp_path / "memory" / "job"
    group.mkdir(parents=True)
    (group / "memory.limit_in_bytes").write_text("1000\n")
    (group / "memory.usage_in_bytes").write_text("400\n")
    (group / "memory.stat").write_text("total_inactive_file 100\n")
    (tmp_path / "membership").write_text("4:memory:/job\n0::/\n")
    assert free_group_bytes(tmp_path, tmp_path / "membership") == 700


_SLEEPERS = """
import os, time
from pathlib import Path
from pipeline.cli import ExitCode, run_command
from pipeline.executor.running import run_cases

def work(folder):
    Path(folder, str(os.getpid())).touch()
    time.sleep(60)

def command(argv):
    run_cases(work, [argv[0]] * 2, 2, "sleep")
    return ExitCode.DONE

if __name__ == "__main__":
    import sys
    raise SystemExit(run_command(command, sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("sent", "to_group", "code"),
    [
        (signal.SIGINT, True, 130),  # as a terminal does on Ctrl-C
        (signal.SIGINT, False, 130),
        (signal.SIGKILL, False, -9),
    ],
)
def test_no_worker_outlives_an_interrupted_run(
    tmp_path: Path, sent: signal.Signals, to_group: bool, code: int
) -> None:
    script = tmp_path / "sleepers.py"
    script.write_text(_SLEEPERS)
    seen = tmp_path / "seen"
    seen.mkdir()
    run = subprocess.Popen(
        [sys.executable, str(script), str(seen)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    _wait_until(lambda: len(list(seen.iterdir())) == 2)
    (os.killpg if to_group else os.kill)(run.pid, sent)
    _, errors = run.communicate(timeout=30)
    assert run.returncode == code
    assert "Traceback" not in errors
    workers = [int(file.name) for file in seen.iterdir()]
    _wait_until(lambda: not any(_is_running(worker) for worker in workers))


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def _is_running(process: int) -> bool:
    stat = Path(f"/proc/{process}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
