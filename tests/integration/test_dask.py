"""Cases on a real Dask scheduler with two worker processes, all on this machine."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from pipeline.domain.errors import ConfigError
from pipeline.executor.cluster import DaskExecutor, _attempt_all, code_identity
from pipeline.executor.outcome import KILLED_CODE
from pipeline.executor.running import run_cases
from pipeline.extract import main
from pipeline.store.results import STORE_VARIABLE

ROOT = Path(__file__).parents[2]
WORK = """
import math, os, signal, time
from pathlib import Path
from pipeline.domain.errors import CaseError

def root(case):
    if case == "wrong":
        raise CaseError("mask is empty")
    if case == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    return math.sqrt(float(case))

def slow_root(case, seen):
    Path(seen, f"{os.getpid()}").touch()
    time.sleep(0.4)
    return math.sqrt(case)
"""


def _start(module: str, *arguments: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.{module}", *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ["WORK_DIR"]])},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _stop(process: "subprocess.Popen[bytes]") -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture
def scheduler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    (tmp_path / "cluster_work.py").write_text(WORK)
    monkeypatch.setenv("WORK_DIR", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    code_identity.cache_clear()  # the source may have been edited since another test asked
    file = tmp_path / "scheduler.json"
    loopback = ["--host", "127.0.0.1"]
    started = [_start("dask_scheduler", "--scheduler-file", str(file), *loopback, "--no-dashboard")]
    try:
        address = _address(file)
        started += [_worker(address, tmp_path / name) for name in ("one", "two")]
        (tmp_path / "scheduler.pid").write_text(str(started[0].pid))
        yield address
    finally:
        for process in started:
            _stop(process)


def _worker(address: str, folder: Path) -> "subprocess.Popen[bytes]":
    return _start(
        "dask_worker",
        address,
        *("--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1"),
        *("--local-directory", str(folder)),
    )


def _address(file: Path) -> str:
    import json

    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            return str(json.loads(file.read_text())["address"])
        except (FileNotFoundError, ValueError):
            time.sleep(0.1)
    pytest.fail("the scheduler did not start")


@pytest.mark.slow
def test_one_bad_case_does_not_stop_the_others(scheduler: str) -> None:
    from cluster_work import root  # type: ignore[import-not-found]

    cases = ["4", "wrong", "9", "x", "16"]
    outcomes = run_cases(root, cases, DaskExecutor(scheduler), "roots")
    assert [outcome.result for outcome in outcomes] == [2.0, None, 3.0, None, 4.0]
    failures = [outcome.failure.code for outcome in outcomes if outcome.failure]
    assert failures == ["case-error", "defect"]


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_loses_nothing(scheduler: str, tmp_path: Path) -> None:
    from functools import partial
    from threading import Thread

    from cluster_work import slow_root

    seen = tmp_path / "seen"
    seen.mkdir()

    def kill_one() -> None:
        while not (found := list(seen.iterdir())):
            time.sleep(0.05)
        os.kill(int(found[0].name), signal.SIGKILL)

    killer = Thread(target=kill_one)
    killer.start()
    cases = [float(number) ** 2 for number in range(12)]
    work = partial(slow_root, seen=str(seen))
    outcomes = run_cases(work, cases, DaskExecutor(scheduler), "roots")
    killer.join()
    assert [outcome.result for outcome in outcomes] == list(range(12))


@pytest.mark.slow
def test_a_case_that_kills_its_workers_is_listed_and_the_others_are_not(scheduler: str) -> None:
    from cluster_work import root

    cases = ["1", "killed", "4", "9"]
    outcomes = run_cases(root, cases, DaskExecutor(scheduler), "roots")
    assert [outcome.result for outcome in outcomes] == [1.0, None, 2.0, 3.0]
    assert outcomes[1].failure is not None
    assert outcomes[1].failure.code == KILLED_CODE


def test_no_scheduler_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.executor.cluster._PATIENCE_S", 1)
    with pytest.raises(ConfigError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        run_cases(str, [1], DaskExecutor("tcp://127.0.0.1:9"), "none")


def _write_cohort(folder: Path) -> None:
    """Six patients, two regions on one image each; the mask of the last is empty."""
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 100, (10, 12, 14)).astype(np.int16)
    lines = ["patient_id,timepoint,modality,phase,image,mask,mask_label,lesion_id"]
    for number in range(6):
        mask = np.zeros(noise.shape, dtype=np.uint8)
        mask[2:5, 3:8, 4:9], mask[6:9, 3:8, 4:9] = 1, 2
        for name, voxels in (("image", noise + np.int16(number)), ("mask", mask * (number < 5))):
            sitk.WriteImage(sitk.GetImageFromArray(voxels), str(folder / f"{number}_{name}.nrrd"))
        files = f"{number}_image.nrrd,{number}_mask.nrrd"
        lines += [f"P{number},preop,CT,portal,{files},{label},L{label}" for label in (1, 2)]
    (folder / "scans.csv").write_text("\n".join(lines) + "\n")


@pytest.mark.slow
def test_a_cohort_on_a_cluster_gives_the_bytes_of_one_process(
    scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write_cohort(tmp_path / "cohort")
    config = tmp_path / "parameters.yaml"
    config.write_text("imageType: {Original: {}}\nfeatureClass: {firstorder: , shape: }\n")
    files = ["--cohort", str(tmp_path / "cohort"), "--config", str(config), "--out"]
    for name, where in (("here", ["--jobs", "1"]), ("dask", _on(scheduler))):
        monkeypatch.setenv(STORE_VARIABLE, str(tmp_path / f"store_{name}"))
        assert main([*files, str(tmp_path / name), *where]) == 3
    for name in ("features.csv", "features.parquet", "failures.csv", "extraction.json"):
        assert (tmp_path / "dask" / name).read_bytes() == (tmp_path / "here" / name).read_bytes()
    rows = (tmp_path / "dask" / "features.csv").read_text().splitlines()[1:]
    assert [row.split(",")[0] for row in rows] == [f"P{number // 2}" for number in range(10)]
    kept = [
        len(list(tmp_path.glob(f"store_{name}/features/*/*.json"))) for name in ("here", "dask")
    ]
    assert kept == [10, 10]


def _on(scheduler: str) -> list[str]:
    return ["--executor", "dask", "--scheduler", scheduler]


@pytest.mark.slow
def test_a_lost_scheduler_is_said(scheduler: str, tmp_path: Path) -> None:
    from functools import partial
    from threading import Thread

    from cluster_work import slow_root

    seen = tmp_path / "seen"
    seen.mkdir()

    def kill_scheduler() -> None:
        while not list(seen.iterdir()):
            time.sleep(0.05)
        os.kill(int((tmp_path / "scheduler.pid").read_text()), signal.SIGKILL)

    killer = Thread(target=kill_scheduler)
    killer.start()
    with pytest.raises(ConfigError, match=r"was lost\. What was finished is kept"):
        run_cases(partial(slow_root, seen=str(seen)), range(50), DaskExecutor(scheduler), "roots")
    killer.join()


def test_a_worker_of_another_version_that_comes_late_is_refused() -> None:
    assert [outcome.result for outcome in _attempt_all(code_identity(), float, ["4"])] == [4.0]
    with pytest.raises(ConfigError, match="another version of this software"):
        _attempt_all("another", float, ["4"])
