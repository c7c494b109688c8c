"""Rows of the report that are alike, and the private file that leads to the files."""

from pathlib import Path

from pipeline.ingest.collections.import_report import alike, describe, nothing_usable, write_files
from pipeline.ingest.collections.plan import Fate, ReportRow


def row(patient_id: str, reason: str, fate: Fate = Fate.FAILED, source: str = "SEG") -> ReportRow:
    return ReportRow(patient_id=patient_id, source=source, fate=fate, reason=reason)


def test_rows_of_one_reason_are_one_line_with_their_number() -> None:
    rows = [row(f"P{number}", "torn") for number in range(5)] + [row("P9", "burnt")]
    assert [describe(group) for group in alike(rows)] == [
        "5 x P0  SEG; P1  SEG; P2  SEG and 2 more: torn",
        "P9  SEG: burnt",
    ]


def test_notes_are_no_reason_for_nothing() -> None:
    rows = [
        row("", "of the table", Fate.NOTE),
        row("P1", "no mask", Fate.NOT_USED, "series 1"),
        row("P1", "no mask", Fate.NOT_USED, "series 2"),
        row("P2", "torn."),
    ]
    problems = [str(problem) for problem in nothing_usable(rows)]
    wanted = "expected an image with a mask of the tumour, got nothing that can be used."
    assert problems == [
        f"[nothing-to-import] patient P2: SEG: torn: {wanted} Correct the source.",
        f"[nothing-to-import] patient P1: 2 entries: no mask: {wanted} Correct the source.",
    ]


def test_a_file_that_a_spreadsheet_may_run_is_named_so_that_it_does_not(tmp_path: Path) -> None:
    about = ReportRow(source="x", fate=Fate.USED, files=(tmp_path / "=1+1", tmp_path / "a" / "b"))
    write_files(tmp_path / "out.csv", tmp_path, [row("P1", "no file"), about])
    assert (tmp_path / "out.csv").read_text() == (
        "row,patient_id,file,segments\n2,,./=1+1,\n2,,a/b,\n"
    )
