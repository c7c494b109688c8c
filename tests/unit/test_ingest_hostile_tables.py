"""Tables made to harm become problems in the list, soon and in little memory."""

import time
from pathlib import Path

import pytest

from pipeline.domain.problem import Problem
from pipeline.ingest import tables
from pipeline.ingest.cohort import read_cohort
from pipeline.ingest.tables import MOST_COLUMNS, read_table

HEADER = "patient_id,timepoint,modality,phase,image,mask\n"


def read(folder: Path, content: bytes) -> list[Problem]:
    file = folder / "scans.csv"
    file.write_bytes(content)
    start = time.perf_counter()
    _, problems = read_table(file)
    assert time.perf_counter() - start < 5
    return problems


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (HEADER.encode("utf-16"), "byte 0xff in line 1"),
        (HEADER.encode("utf-16-le"), "NUL characters"),
        (b"a,b\n1,\0\n", "NUL characters"),
        (b'a,b\n1,"never closed\n', "unexpected end of data"),
        (b'a,b\n1,"x"y\n', "expected after"),
        (b"a,b\n1," + b"x" * 200_000 + b"\n", "field larger than field limit"),
        (b"a,b\n" + b'1,"' + b"x\n" * 200_000, "field larger than field limit"),
        (b",".join(b"c%d" % n for n in range(1_000_000)) + b"\n1\n", "1000000"),
        (b"," * 1_000_000, "none for column 1"),
        (b"", "empty file"),
        (b"\0" * 1000, "NUL characters"),
    ],
)
def test_hostile_contents(tmp_path: Path, content: bytes, got: str) -> None:
    (problem,) = read(tmp_path, content)
    assert problem.code == "table-unreadable"
    assert got in problem.got


def test_many_equal_columns_are_counted_soon(tmp_path: Path) -> None:
    (problem,) = read(tmp_path, b",".join([b"a"] * MOST_COLUMNS) + b"\n1\n")
    assert (problem.code, problem.got) == ("column-duplicate", f"{MOST_COLUMNS} times")


def test_a_huge_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_BYTES", 10)
    (problem,) = read(tmp_path, b"a,b\n1,2\n3,4\n")
    assert problem.expected == "at most 10 bytes"


def test_a_folder_in_place_of_a_table(tmp_path: Path) -> None:
    (tmp_path / "scans.csv").mkdir()
    _, problems = read_cohort(tmp_path)
    assert {problem.code for problem in problems} == {"table-missing"}


@pytest.mark.parametrize("identifier", ["=1+1", "@SUM(A1)", "+1", "-1", "a/b", "..", "a b", "a\tb"])
def test_identifiers_that_a_spreadsheet_or_a_shell_would_run(
    tmp_path: Path, identifier: str
) -> None:
    (tmp_path / "patients.csv").write_text(f"patient_id,age\n{identifier},5\n")
    _, problems = read_cohort(tmp_path)
    assert "id-not-plain" in {problem.code for problem in problems}
