"""Files are complete or absent, and what cannot be written is said."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline.domain.errors import OutputError
from pipeline.tabular import read_about, write_parquet, write_text


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


def test_what_is_said_of_a_table_is_read_back_and_the_table_is_the_same(tmp_path: Path) -> None:
    table = pd.DataFrame({"a": [1.5, float("nan")], "b": ["x", "y"]})
    about = {"engine": {"used": "fast"}, "codes": {"a": "Q4LE"}}
    write_parquet(table, tmp_path / "said.parquet", about)
    write_parquet(table, tmp_path / "plain.parquet")
    assert read_about(tmp_path / "said.parquet") == about
    assert read_about(tmp_path / "plain.parquet") == {}
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "said.parquet"), table)
