import os
import time
from pathlib import Path

import pytest

from pipeline.store.__main__ import main
from pipeline.store.cleaning import choose_removals, list_entries
from pipeline.store.results import Kind, ResultStore

FEATURES = Kind("features", ".parquet")
DAY_S = 86_400


def _store(root: Path, ages_days: dict[str, float]) -> ResultStore:
    """Make entries of 100 bytes (and a manifest) each, last used so many days ago."""
    store = ResultStore(root)
    for key, age in ages_days.items():
        store.save(FEATURES, key, key.encode() * (100 // len(key)), {})
        for file in root.rglob(f"{key}*"):
            if file.is_file():
                os.utime(file, (time.time() - age * DAY_S,) * 2)
    return store


def _keys(entries: list[object]) -> list[str]:
    return [entry.files[-1].stem for entry in entries]  # type: ignore[attr-defined]


def test_the_longest_unused_go_first_until_the_size_is_reached(tmp_path: Path) -> None:
    store = _store(tmp_path, {"aaaa": 3, "bbbb": 9, "cccc": 1, "dddd": 5})
    sizes = [entry.size_bytes for entry in list_entries(store)]
    assert len(sizes) == 4
    limit = sum(sizes) - sizes[0] - 1  # one entry is not enough
    assert _keys(list(choose_removals(store, limit, None))) == ["bbbb", "dddd"]
    assert choose_removals(store, sum(sizes), None) == []


def test_reading_an_entry_counts_as_use(tmp_path: Path) -> None:
    store = _store(tmp_path, {"aaaa": 30, "bbbb": 40})
    assert store.load(FEATURES, "bbbb") is not None
    assert _keys(list(choose_removals(store, None, 20))) == ["aaaa"]


def test_remains_of_killed_runs_go_after_a_day(tmp_path: Path) -> None:
    store = _store(tmp_path, {"aaaa": 0})
    old, fresh = (tmp_path / "features" / "aa" / f".{n}.partial" for n in ("old", "fresh"))
    old.write_bytes(b"x")
    fresh.write_bytes(b"x")
    os.utime(old, (time.time() - 2 * DAY_S,) * 2)
    assert [entry.files for entry in choose_removals(store, None, None)] == [(old,)]


def test_a_dry_run_removes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = _store(tmp_path, {"aaaa": 30, "bbbb": 1})
    arguments = ["--root", str(tmp_path), "gc", "--unused-days", "7"]
    assert main([*arguments, "--dry-run"]) == 0
    assert "would go: 1 entries" in capsys.readouterr().out
    assert len(list_entries(store)) == 2
    assert main(arguments) == 0
    assert "removed: 1 entries" in capsys.readouterr().out
    assert _keys(list(list_entries(store))) == ["bbbb"]
    assert not list(tmp_path.rglob("aaaa*"))


def test_a_removal_needs_a_limit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--root", str(tmp_path), "gc"])
    assert "expected --max-gb or --unused-days" in capsys.readouterr().err
