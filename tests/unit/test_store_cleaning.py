import os
import time
from pathlib import Path

import pytest

from pipeline.store.__main__ import main
from pipeline.store.cleaning import choose_removals, list_entries, remove
from pipeline.store.results import Kind, ResultStore

FEATURES = Kind("features", ".parquet")
DAY_S = 86_400


def _key(letter: str) -> str:
    return letter * 64


def _store(root: Path, ages_days: dict[str, float]) -> ResultStore:
    """Make entries of 100 bytes (and a manifest) each, last used so many days ago."""
    store = ResultStore(root)
    for key, age in ages_days.items():
        store.save(FEATURES, _key(key), bytes(100), {})
        for file in root.rglob(f"{_key(key)}*"):
            if file.is_file():
                os.utime(file, (time.time() - age * DAY_S,) * 2)
    return store


def _keys(entries: list[object]) -> list[str]:
    return [entry.files[-1].stem[0] for entry in entries]  # type: ignore[attr-defined]


def test_the_longest_unused_go_first_until_the_size_is_reached(tmp_path: Path) -> None:
    store = _store(tmp_path, {"a": 3, "b": 9, "c": 1, "d": 5})
    sizes = [entry.size_bytes for entry in list_entries(store)]
    assert len(sizes) == 4
    limit = sum(sizes) - sizes[0] - 1  # one entry is not enough
    assert _keys(list(choose_removals(store, limit, None))) == ["b", "d"]
    assert choose_removals(store, sum(sizes), None) == []


def test_reading_an_entry_counts_as_use(tmp_path: Path) -> None:
    store = _store(tmp_path, {"a": 30, "b": 40})
    assert store.load(FEATURES, _key("b")) is not None
    assert _keys(list(choose_removals(store, None, 20))) == ["a"]


def test_remains_of_killed_runs_go_after_a_day(tmp_path: Path) -> None:
    store = _store(tmp_path, {"a": 0})
    old, fresh = (tmp_path / "features" / "aa" / f".{n}.partial" for n in ("old", "fresh"))
    old.write_bytes(b"x")
    fresh.write_bytes(b"x")
    os.utime(old, (time.time() - 2 * DAY_S,) * 2)
    assert [entry.files for entry in choose_removals(store, None, None)] == [(old,)]


def test_a_dry_run_removes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = _store(tmp_path, {"a": 30, "b": 1})
    arguments = ["--root", str(tmp_path), "gc", "--unused-days", "7"]
    assert main([*arguments, "--dry-run"]) == 0
    assert "would go: 1 entries" in capsys.readouterr().out
    assert len(list_entries(store)) == 2
    assert main(arguments) == 0
    assert "removed: 1 entries" in capsys.readouterr().out
    assert _keys(list(list_entries(store))) == ["b"]
    assert not list(tmp_path.rglob("aaaa*"))


def test_a_removal_needs_a_limit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--root", str(tmp_path), "gc"])
    assert "expected --max-gb or --unused-days" in capsys.readouterr().err


def test_payloads_whose_manifest_was_never_written_go_after_a_day(tmp_path: Path) -> None:
    store = _store(tmp_path, {"a": 2, "b": 2, "c": 0})
    for letter in "ac":
        (tmp_path / "features" / (letter * 2) / f"{_key(letter)}.json").unlink()
    (alone,) = (tmp_path / "features" / "aa").iterdir()
    assert [entry.files for entry in choose_removals(store, None, None)] == [(alone,)]


def test_an_entry_used_since_it_was_chosen_stays(tmp_path: Path) -> None:
    store = _store(tmp_path, {"a": 30, "b": 30})
    chosen = choose_removals(store, None, 7)
    assert store.load(FEATURES, _key("b")) is not None
    remove(chosen)
    assert _keys(list(list_entries(store))) == ["b"]


def test_files_of_others_are_neither_listed_nor_removed(tmp_path: Path) -> None:
    foreign = [
        tmp_path / "features" / "aa" / "notes.json",
        tmp_path / "projects" / "ab" / "settings.json",
        tmp_path / "features" / "aa" / f"{_key('b')}.json",  # not the folder of this key
    ]
    for file in foreign:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("{}")
        os.utime(file, (0, 0))
    store = _store(tmp_path, {"a": 30})
    assert main(["--root", str(tmp_path), "gc", "--max-gb", "0"]) == 0
    assert list_entries(store) == []
    assert all(file.exists() for file in foreign)


def test_what_cannot_be_removed_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _store(tmp_path, {"a": 30})

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    assert main(["--root", str(tmp_path), "gc", "--max-gb", "0"]) == 1
    assert "cannot be removed (Permission denied)" in capsys.readouterr().err
