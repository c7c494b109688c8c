"""Runs that are killed, interrupted, short of disk or given damaged files: what the next one does.

Every run is compared, byte for byte, with an undisturbed one that had a store of its own.
"""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from pipeline.extract import main
from pipeline.store.cleaning import choose_removals
from pipeline.store.results import STORE_VARIABLE, ResultStore

ROOT = Path(__file__).parents[2]
PARAMETERS = "imageType: {Original: {}}\nfeatureClass: {firstorder: , shape: }\n"
KILLS = int(os.environ.get("NECROSIS_TEST_KILLS", "15"))
CASES = 5 * KILLS  # more than killed runs finish
TABLES = ("features.csv", "features.parquet", "failures.csv", "extraction.json")
FILES_A_CASE = 4  # a payload and a manifest each of the features and of the memory of the files

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and tmpfs of Linux")


def _write(path: Path, voxels: "np.typing.NDArray[np.generic]") -> None:
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing((2.0, 2.0, 3.0))
    sitk.WriteImage(image, str(path))


def _mask(first_slice: int) -> "np.typing.NDArray[np.uint8]":
    mask = np.zeros((10, 12, 14), dtype=np.uint8)
    mask[first_slice : first_slice + 4, 3:8, 4:9] = 1
    return mask


@pytest.fixture(scope="module")
def parameters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("parameters") / "parameters.yaml"
    file.write_text(PARAMETERS)
    return file


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Patients of one scan each, each one HU brighter than the one before."""
    folder = tmp_path_factory.mktemp("cohort")
    noise = np.random.default_rng(0).integers(0, 100, (10, 12, 14)).astype(np.int16)
    lines = ["patient_id,timepoint,modality,phase,image,mask,mask_label"]
    for number in range(CASES):
        _write(folder / f"{number}_image.nrrd", noise + np.int16(number))
        _write(folder / f"{number}_mask.nrrd", _mask(2))
        files = f"{number}_image.nrrd,{number}_mask.nrrd"
        lines.append(f"P{number:03},preop,CT,portal,{files},1")
    (folder / "scans.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def copy(cohort: Path, tmp_path: Path) -> Path:
    """A cohort to spoil, of the first eight patients."""
    shutil.copytree(cohort, tmp_path / "copy")
    table = tmp_path / "copy" / "scans.csv"
    table.write_text("".join(table.read_text().splitlines(keepends=True)[:9]))
    return tmp_path / "copy"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ResultStore:
    monkeypatch.setenv(STORE_VARIABLE, str(tmp_path / "store"))
    return ResultStore(tmp_path / "store")


def _run(cohort: Path, parameters: Path, out: Path, jobs: int = 1) -> int:
    arguments = ["--cohort", str(cohort), "--config", str(parameters), "--out", str(out)]
    return main([*arguments, "--jobs", str(jobs)])


def _undisturbed(cohort: Path, parameters: Path, folder: Path) -> dict[str, bytes]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(STORE_VARIABLE, str(folder / "other_store"))
        assert _run(cohort, parameters, folder / "undisturbed") == 0
    return _tables(folder / "undisturbed")


def _tables(out: Path) -> dict[str, bytes]:
    return {name: (out / name).read_bytes() for name in TABLES}


def _start(cohort: Path, parameters: Path, out: Path, jobs: int) -> "subprocess.Popen[str]":
    files = ["--cohort", str(cohort), "--config", str(parameters), "--out", str(out)]
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline.extract", *files, "--jobs", str(jobs)],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _computed(store: ResultStore) -> dict[str, int]:
    """Return when each result was written, by its key."""
    manifests = store.root.glob("features/*/*.json")
    return {manifest.stem: manifest.stat().st_mtime_ns for manifest in manifests}


def _file_count(store: ResultStore) -> int:
    return sum(1 for _ in store.files())


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.001)


def _group_ended(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def _kill_at_a_random_moment(
    run: "subprocess.Popen[str]", chance: random.Random, store: ResultStore
) -> None:
    """Kill after some files were written and some more milliseconds: also in the middle of one."""
    enough = _file_count(store) + chance.randrange(2 * FILES_A_CASE)
    _wait_until(lambda: run.poll() is not None or _file_count(store) >= enough)
    time.sleep(chance.uniform(0, 0.02))
    if chance.random() < 0.5:
        run.kill()  # the workers notice by themselves
    else:
        with suppress(ProcessLookupError):  # finished by itself
            os.killpg(run.pid, signal.SIGKILL)
    run.communicate()
    _wait_until(lambda: _group_ended(run.pid))


@pytest.mark.slow
def test_runs_killed_at_random_moments_lose_and_repeat_nothing(
    cohort: Path, parameters: Path, store: ResultStore, tmp_path: Path
) -> None:
    chance = random.Random(20261124)
    finished: dict[str, int] = {}
    for number in range(KILLS):
        run = _start(cohort, parameters, tmp_path / "out", jobs=2 if number % 5 == 0 else 1)
        _kill_at_a_random_moment(run, chance, store)
        now = _computed(store)
        assert finished.items() <= now.items()
        finished = now
    assert 0 < len(finished) < CASES  # none of the runs was let finish
    assert _run(cohort, parameters, tmp_path / "out") == 0
    assert finished.items() <= _computed(store).items()
    assert len(_computed(store)) == CASES
    assert _tables(tmp_path / "out") == _undisturbed(cohort, parameters, tmp_path)
    _only_remains_go_after_a_day(store)


def _only_remains_go_after_a_day(store: ResultStore) -> None:
    """Remains of killed runs do no harm, and ``python -m pipeline.store gc`` takes only them."""
    whole = {path.stem for path in store.manifests()}
    remains = set(store.root.rglob("*.partial"))
    remains |= {path for path in store.files() if path.name[:64] not in whole}
    for path in remains:
        os.utime(path, (time.time() - 90_000,) * 2)
    chosen = choose_removals(store, None, None)
    assert {file for entry in chosen for file in entry.files} == remains


@pytest.mark.slow
def test_an_interrupted_run_says_so_and_resumes(
    cohort: Path, parameters: Path, store: ResultStore, tmp_path: Path
) -> None:
    run = _start(cohort, parameters, tmp_path / "out", jobs=2)
    _wait_until(lambda: _file_count(store) >= FILES_A_CASE)
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does on Ctrl-C
    _, errors = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "Interrupted. What was finished is kept" in errors
    assert "Traceback" not in errors
    before = _computed(store)
    assert 0 < len(before) < CASES
    assert _run(cohort, parameters, tmp_path / "out") == 0
    assert before.items() <= _computed(store).items()
    assert _tables(tmp_path / "out") == _undisturbed(cohort, parameters, tmp_path)


@pytest.mark.slow
def test_two_runs_at_once_share_a_store(
    cohort: Path, parameters: Path, store: ResultStore, tmp_path: Path
) -> None:
    runs = [_start(cohort, parameters, tmp_path / name, jobs=1) for name in ("one", "two")]
    errors = [run.communicate(timeout=120)[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], errors
    expected = _undisturbed(cohort, parameters, tmp_path)
    assert _tables(tmp_path / "one") == expected == _tables(tmp_path / "two")
    assert len(_computed(store)) == CASES


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [2, 3])
def test_the_number_of_processes_does_not_show(
    copy: Path, parameters: Path, store: ResultStore, tmp_path: Path, jobs: int
) -> None:
    assert _run(copy, parameters, tmp_path / "out", jobs) == 0
    assert len(_computed(store)) == 8
    assert _tables(tmp_path / "out") == _undisturbed(copy, parameters, tmp_path)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 40 KiB, in memory."""
    mount = tmp_path / "disk"
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", str(mount)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs the right to mount a tmpfs")
    yield mount
    subprocess.run(["umount", str(mount)], check=True)


def test_a_full_disk_fails_the_cases_it_must_and_damages_nothing(
    copy: Path,
    parameters: Path,
    small_disk: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv(STORE_VARIABLE, str(small_disk / "store"))
    store = ResultStore(small_disk / "store")
    assert _run(copy, parameters, tmp_path / "out") == 3
    failures = (tmp_path / "out" / "failures.csv").read_text().splitlines()[1:]
    assert 0 < len(failures) < 8
    assert all("cannot be written (No space left on device)" in line for line in failures)
    assert not list(small_disk.rglob("*.partial"))
    before = _computed(store)
    assert len(before) == 8 - len(failures)
    command = ["mount", "-o", "remount,size=1m", str(small_disk)]
    subprocess.run(command, check=True)
    assert _run(copy, parameters, tmp_path / "out") == 0
    assert before.items() <= _computed(store).items()
    assert _tables(tmp_path / "out") == _undisturbed(copy, parameters, tmp_path)


def test_a_damaged_entry_is_reported_and_only_its_case_computed_again(
    copy: Path,
    parameters: Path,
    store: ResultStore,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert _run(copy, parameters, tmp_path / "out") == 0
    first, before = _tables(tmp_path / "out"), _computed(store)
    damaged = next(iter(sorted(store.root.glob("features/*/*.parquet"))))
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    caplog.clear()
    assert _run(copy, parameters, tmp_path / "out") == 0
    assert re.search(rf"{damaged.name}: is damaged \(checksum differs\)", caplog.text)
    after = _computed(store)
    assert {key for key in before if before[key] != after[key]} == {damaged.name[:64]}
    assert _tables(tmp_path / "out") == first


def _settle(folder: Path) -> None:
    """Wait until a second change of the files could not bear the same time as the first."""
    newest = max(file.stat().st_ctime for file in folder.iterdir())
    _wait_until(lambda: time.time() - newest > 2.01)


def test_a_mask_replaced_under_its_name_and_time_is_noticed(
    copy: Path, parameters: Path, store: ResultStore, tmp_path: Path
) -> None:
    _settle(copy)
    assert _run(copy, parameters, tmp_path / "out") == 0
    first, mask = _tables(tmp_path / "out"), copy / "3_mask.nrrd"
    state = mask.stat()
    _write(mask, _mask(3))
    os.utime(mask, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert mask.stat().st_size == state.st_size
    assert _run(copy, parameters, tmp_path / "out") == 0
    assert len(_computed(store)) == 9
    tables = _tables(tmp_path / "out")
    changed = [
        old.split(b",")[0]
        for old, new in zip(
            first["features.csv"].splitlines(), tables["features.csv"].splitlines(), strict=True
        )
        if old != new
    ]
    assert changed == [b"P003"]
    assert tables == _undisturbed(copy, parameters, tmp_path)


def test_a_second_run_reads_no_image_and_says_so(
    copy: Path,
    parameters: Path,
    store: ResultStore,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _settle(copy)
    assert _run(copy, parameters, tmp_path / "out") == 0
    first, before = _tables(tmp_path / "out"), _computed(store)
    assert "extract: 8 cases, 1 process of about 0.4 GB" in capsys.readouterr().err
    monkeypatch.setattr(
        "pipeline.cases.read_case", lambda *_: pytest.fail("an image was read again")
    )
    assert _run(copy, parameters, tmp_path / "out") == 0
    assert "extract: 8 of 8 cases from the store" in capsys.readouterr().err
    assert (_tables(tmp_path / "out"), _computed(store)) == (first, before)


def test_a_result_counts_where_only_the_memory_of_its_files_cannot_be_kept(
    copy: Path,
    parameters: Path,
    store: ResultStore,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store.root.mkdir()
    (store.root / "sources").write_text("")  # no folder can be made here, whoever runs this
    _settle(copy)
    assert _run(copy, parameters, tmp_path / "out") == 0
    assert "Files will be read again by the next run" in caplog.text
    assert _tables(tmp_path / "out") == _undisturbed(copy, parameters, tmp_path)
