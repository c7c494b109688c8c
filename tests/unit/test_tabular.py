"""Files are complete or absent, and what cannot be written is said."""

from pathlib import Path

import pytest

from pipeline.domain.errors import OutputError
from pipeline.tabular import write_text


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    write_text("old and long", path)
    write_text("new", path)
    assert path.read_text(encoding="utf-8") == "new"
    assert [item.name for item in path.parent.iterdir()] == ["a.txt"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file where a folder must be")
    with pytest.raises(OutputError, match=r"file/a\.txt: cannot be written \("):
        write_text("x", tmp_path / "file" / "a.txt")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match=r"folder: cannot be written \("):
        write_text("x", tmp_path / "folder")
    assert sorted(item.name for item in tmp_path.iterdir()) == ["file", "folder"]
