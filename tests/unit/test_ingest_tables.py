"""CSV files are read as written, and what is wrong with their form is said with its line."""

from pathlib import Path
from urllib.parse import quote

import pytest

from pipeline.ingest.codes import Code
from pipeline.ingest.tables import did_you_mean, find_id_problem, is_iso_date, read_table
from pipeline.tabular import write_text


def write(tmp_path: Path, content: bytes | str) -> Path:
    path = tmp_path / "table.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_fields_stay_text_with_their_lines(tmp_path: Path) -> None:
    table, problems = read_table(write(tmp_path, 'a,b\n007,"x,y"\n\n,NA\n,\n'))
    assert problems == []
    assert table is not None
    assert table.index.tolist() == [2, 4]
    assert table.to_dict("list") == {"a": ["007", ""], "b": ["x,y", "NA"]}


def test_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    table, problems = read_table(write(tmp_path, b"\xef\xbb\xbfa,b\n1,2\n"))
    assert problems == []
    assert table is not None
    assert list(table.columns) == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "code", "got"),
    [
        ("a,b\n1,2\nM\u00fcller,3\n".encode("latin-1"), Code.TABLE_UNREADABLE, "0xfc in line 3"),
        ("a;b\n1;2\n", Code.TABLE_UNREADABLE, "semicolons"),
        ("", Code.TABLE_UNREADABLE, "an empty file"),
        ("a\tb\n1\t2\n", Code.TABLE_UNREADABLE, "['a\\tb']"),
        ("a,,c\n1,2,3\n", Code.TABLE_UNREADABLE, "none for column 2"),
        ('a,b\n1,"2\n', Code.TABLE_UNREADABLE, "unexpected end of data"),
        ("a,b,a\n1,2,3\n", Code.COLUMN_DUPLICATE, "2 times"),
        ("a,b\n", Code.TABLE_EMPTY, "none"),
    ],
)
def test_unusable_form(tmp_path: Path, content: bytes | str, code: Code, got: str) -> None:
    _, problems = read_table(write(tmp_path, content))
    assert [problem.code for problem in problems] == [code]
    assert got in problems[0].got
    assert problems[0].file == "table.csv"


def test_a_single_column_is_a_table_whose_columns_its_reader_judges(tmp_path: Path) -> None:
    table, problems = read_table(write(tmp_path, "patient_id\nP1\n"))
    assert problems == []
    assert table is not None
    assert table.to_dict("list") == {"patient_id": ["P1"]}


def test_header_alone_may_be_allowed(tmp_path: Path) -> None:
    table, problems = read_table(write(tmp_path, "a,b\n"), may_be_empty=True)
    assert problems == []
    assert table is not None
    assert table.empty


def test_rows_of_the_wrong_length_are_listed_and_left_out(tmp_path: Path) -> None:
    table, problems = read_table(write(tmp_path, "a,b\n1\n1,2\n1,2,3\n"))
    assert [(problem.what, problem.got) for problem in problems] == [
        ("line 2 does not fit the header", "1"),
        ("line 4 does not fit the header", "3"),
    ]
    assert table is not None
    assert table.index.tolist() == [3]


def test_missing_file_and_folder_in_its_place(tmp_path: Path) -> None:
    _, missing = read_table(tmp_path / "absent.csv")
    _, folder = read_table(tmp_path)
    assert [problem.got for problem in missing] == ["no such file"]
    assert [problem.got for problem in folder] == ["something that is not a file"]


@pytest.mark.parametrize("value", ["P1", "HCC-001", "a.b_c", "M\u00fcller7"])
def test_plain_identifiers(value: str) -> None:
    assert find_id_problem("scans.csv", "patient_id", value, 2) is None


@pytest.mark.parametrize("value", [" P1", "P1 ", "P 1", "../P1", "P/1", ".P1", "-1", "a\nb"])
def test_identifiers_that_cannot_name_a_file(value: str) -> None:
    problem = find_id_problem("scans.csv", "patient_id", value, 2)
    assert problem is not None
    assert problem.code == Code.ID_NOT_PLAIN
    assert repr(value) in problem.got


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("2024-02-29", True),
        ("2023-02-29", False),
        ("20240229", False),
        ("2024-W09-4", False),
        ("29.02.2024", False),
        ("2024-02-29T10:00", False),
        ("", False),
    ],
)
def test_dates(text: str, valid: bool) -> None:
    assert is_iso_date(text) is valid


def test_suggestions() -> None:
    assert did_you_mean("MRI", ["CT", "MR"], "no") == "Did you mean MR?"
    assert did_you_mean(" Arterial", ["native", "arterial"], "no") == "Did you mean arterial?"
    assert did_you_mean("xyz", ["native"], "no") == "no"


@pytest.mark.parametrize(
    ("value", "size"), [("a" * 64, 64), ("a" * 65, 65), ("\u00dc" * 32, 64), ("\u00dc" * 33, 66)]
)
def test_identifiers_too_long_for_a_file_name(value: str, size: int, tmp_path: Path) -> None:
    problem = find_id_problem("scans.csv", "patient_id", value, 2)
    assert (problem is None) == (size <= 64)
    if problem is None:
        write_text("page", tmp_path / f"{quote(value, safe='')}.html")
    else:
        assert (problem.code, problem.what) == (Code.ID_NOT_PLAIN, "patient_id is too long")
        assert problem.got == f"{value!r}, {size} bytes"
