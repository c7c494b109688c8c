"""Files are complete or absent, and what cannot be written is said."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline.domain.errors import OutputError, PipelineError
from pipeline.tabular import (
    read_about,
    read_feature_table,
    read_parquet,
    write_parquet,
    write_text,
)


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


def test_a_table_that_is_absent_or_another_is_named(tmp_path: Path) -> None:
    path = tmp_path / "measures.parquet"
    absent = rf"{path}: .*\(there is no such file\). Correct the path, or run the stage measure"
    with pytest.raises(PipelineError, match=absent):
        read_parquet(path, ["patient_id"], "measure")
    write_text("no Parquet", path)
    with pytest.raises(PipelineError, match=f"{path}: cannot be read as Parquet"):
        read_parquet(path, ["patient_id"], "measure")
    write_parquet(pd.DataFrame({"patient_id": ["A"], "p": [0.5]}), path)
    other = f"{path}: expected the columns patient_id, lesion_id, got patient_id, p. Give the table"
    with pytest.raises(PipelineError, match=other):
        read_parquet(path, ["patient_id", "lesion_id"], "measure")
    with pytest.raises(PipelineError, match=f"{path}: expected a feature table"):
        read_feature_table(path)
    with pytest.raises(PipelineError, match="there is no such file"):
        read_feature_table(tmp_path / "features.parquet")
    read = read_parquet(path, ["patient_id"], "measure")
    pd.testing.assert_frame_equal(read, pd.read_parquet(path))
