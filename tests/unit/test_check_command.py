"""``python -m pipeline.check``: what the user sees, the JSON file and the exit code."""

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from pipeline.check import format_problems, main
from pipeline.domain.problem import Problem, Severity
from pipeline.ingest.codes import Code

CONFIGS = Path(__file__).parents[2] / "configs"
CONFIG = """root: /nowhere
outcome: {column: complete, positive: "== 1"}
"""


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    folder = tmp_path / "cohort"
    folder.mkdir()
    mask = np.zeros((8, 10, 12), np.uint8)
    mask[2:6, 3:7, 4:8] = 1
    rows = ["patient_id,timepoint,modality,phase,image,mask"]
    for patient in ("P1", "P2"):
        voxels = np.random.default_rng(int(patient[1:])).normal(0, 50, mask.shape).astype(np.int16)
        for name, array in (("image", voxels), ("mask", mask)):
            image = sitk.GetImageFromArray(array)
            image.SetSpacing((1, 1, 2))
            sitk.WriteImage(image, str(folder / f"{patient}_{name}.nii.gz"))
        rows.append(f"{patient},preop,CT,portal,{patient}_image.nii.gz,{patient}_mask.nii.gz")
    (folder / "scans.csv").write_text("\n".join(rows) + "\n")
    (folder / "patients.csv").write_text("patient_id,complete\nP1,1\nP2,0\n")
    (tmp_path / "cohort.yaml").write_text(CONFIG)
    return folder


def run(cohort: Path, *options: str) -> int:
    config = str(cohort.parent / "cohort.yaml")
    biomarkers = str(CONFIGS / "biomarkers.yaml")
    return main(
        [str(cohort), "--config", config, "--biomarkers", biomarkers, "--jobs", "1", *options]
    )


def test_sound_cohort(cohort: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(cohort, "--json", str(cohort.parent / "p.json")) == 0
    assert capsys.readouterr().out == "2 patients and 2 scan rows checked: no problems.\n"
    assert json.loads((cohort.parent / "p.json").read_text()) == []


def test_errors_of_tables_images_and_measurements_come_together(
    cohort: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (cohort / "patients.csv").write_text("patient_id,complete\nP1,1\nP2,maybe\n")
    (cohort / "P2_mask.nii.gz").unlink()
    (cohort / "biomarkers.csv").write_text(
        "patient_id,analyte,value,unit,drawn_on,timepoint\nP1,AFP,many,ng/mL,2023-04-01,preop\n"
    )
    assert run(cohort, "--json", str(cohort.parent / "p.json")) == 1
    listed = json.loads((cohort.parent / "p.json").read_text())
    assert {problem["code"] for problem in listed} >= {
        "file-missing",
        "outcome-not-a-number",
        "outcome-one-class",
        "measurement-value",
    }
    assert set(listed[0]) == {
        "code", "what", "expected", "got", "next_step", "patient_id", "file", "column", "severity",
    }  # fmt: skip
    out = capsys.readouterr().out
    assert "P2_mask.nii.gz" in out
    assert "got 'maybe'" in out


def test_an_interrupted_check_does_not_say_that_it_resumes(
    cohort: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pipeline.stages.validate.read_and_check", interrupt)
    assert run(cohort) == 130
    assert capsys.readouterr().err == (
        "Interrupted. Nothing is kept; the same command starts again from the beginning.\n"
    )


def test_a_table_of_identifiers_alone_lacks_a_column(
    cohort: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (cohort / "patients.csv").write_text("patient_id\nP1\nP2\n")
    assert run(cohort) == 1
    said = capsys.readouterr().out
    assert "complete" in said
    assert "cannot be read" not in said


def test_warnings_alone_are_no_failure(cohort: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (cohort / "patients.csv").write_text("patient_id,complete,note\nP1,1,x\nP2,0,y\n")
    assert run(cohort) == 0
    assert "0 errors, 1 warning." in capsys.readouterr().out


def test_not_a_folder(cohort: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (cohort.parent / "file").write_text("")
    assert run(cohort.parent / "file") == 1
    assert (
        "expected a folder with scans.csv and patients.csv, got a file" in capsys.readouterr().err
    )


def test_broken_config(cohort: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (cohort.parent / "cohort.yaml").write_text(CONFIG + "polcy: strict\n")
    assert run(cohort) == 1
    assert "Did you mean policy?" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options", [["--jobs", "0"], ["--jobs", "two"], ["--no-such"], ["--html", "."], ["--json", "."]]
)
def test_wrong_usage(cohort: Path, options: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(cohort, *options)


def _problem(code: str, patient: str, severity: Severity = Severity.ERROR, **texts: str) -> Problem:
    fields = {"what": "it is wrong", "expected": "one", "got": "two", "next_step": "Mend it."}
    return Problem(code=code, patient_id=patient, severity=severity, **{**fields, **texts})


def test_listing_puts_errors_first_and_says_common_things_once() -> None:
    problems = [
        _problem("hint", "P1", Severity.WARNING),
        _problem("bad", "P1"),
        _problem("other", "P1", file="f.csv"),
        _problem("bad", "P22", got="three"),
    ]
    assert format_problems(problems, patients=1, scans=3) == (
        "Errors (3)\n"
        "  [bad] it is wrong: expected one\n"
        "    P1   got two\n"
        "    P22  got three\n"
        "    -> Mend it.\n"
        "  [other] it is wrong: expected one\n"
        "    P1  f.csv  got two\n"
        "    -> Mend it.\n"
        "\n"
        "Warnings (1)\n"
        "  [hint] it is wrong: expected one\n"
        "    P1  got two\n"
        "    -> Mend it.\n"
        "\n"
        "By code\n"
        "      2  error    bad    in 2 patients\n"
        "      1  error    other  in 1 patient\n"
        "      1  warning  hint  in 1 patient\n"
        "\n"
        "1 patient and 3 scan rows checked: 3 errors, 1 warning."
    )


def test_listing_says_what_differs_on_each_line() -> None:
    problems = [
        _problem("bad", "P1", what="line 2", next_step="Do a."),
        _problem("bad", "P2", what="line 3", next_step="Do b."),
    ]
    assert format_problems(problems, 2, 2).splitlines()[1:4] == [
        "  [bad]",
        "    P1  line 2: expected one, got two. Do a.",
        "    P2  line 3: expected one, got two. Do b.",
    ]


def test_lines_for_a_terminal_are_wrapped_and_nothing_is_cut_off() -> None:
    path = "folder/" + "a" * 70 + ".nii.gz"
    problems = [_problem("bad", "P1", file=path, got="one two three " * 10)]
    text = format_problems(problems, 1, 1, width=60)
    whole = format_problems(problems, 1, 1)
    assert text.split() == whole.split()
    assert max(len(line) for line in text.splitlines() if path not in line) <= 60
    assert path in text


@pytest.mark.parametrize("width", [None, 100])
def test_one_line_for_what_differs_only_in_the_file(width: int | None) -> None:
    phases = [_problem("slices-thick", "P1", file=f"{name}.nii.gz") for name in ("a", "p", "d")]
    text = format_problems([*phases, _problem("slices-thick", "P2", file="a.nii.gz")], 2, 4, width)
    assert "Errors (4)" in text
    assert [line.split()[:5] for line in text.splitlines() if line.startswith("    P")] == [
        ["P1", "a.nii.gz", "and", "2", "more"],
        ["P2", "a.nii.gz", "got", "two"],
    ]


def test_tables_without_a_patient_keep_their_names() -> None:
    tables = [_problem("table-missing", "", file=name) for name in ("scans.csv", "patients.csv")]
    text = format_problems(tables, 0, 0)
    assert "scans.csv " in text
    assert "patients.csv" in text


@pytest.mark.parametrize(("patients", "left_out"), [(10, None), (13, "    and 3 more")])
def test_a_long_list_of_one_code_is_cut_and_says_so(patients: int, left_out: str | None) -> None:
    problems = [_problem("bad", f"P{number:02d}") for number in range(patients)]
    lines = format_problems(problems, patients, patients).splitlines()
    assert lines[0] == f"Errors ({patients})"
    assert sum(line.startswith("    P") for line in lines) == 10
    more = [line for line in lines if line.startswith("    and")]
    assert more == ([f"{left_out} (--json FILE or --html FILE lists all)"] if left_out else [])


def test_a_preset_describes_the_cohort(cohort: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = cohort.parent / "settings"
    (folder / "presets").mkdir(parents=True)
    (folder / "cohort.yaml").write_text(
        "root: nowhere\noutcome: {column: absent, positive: '>= 1'}\ncovariates: {}\n"
    )
    (folder / "presets" / "known.yaml").write_text(
        "outcome: {column: complete, positive: '>= 1'}\n"
    )
    options = ("--config", str(folder / "cohort.yaml"))
    assert run(cohort, *options) == 1
    assert "outcome-column-missing" in capsys.readouterr().out
    assert run(cohort, *options, "--preset", "known") == 0
    assert run(cohort, *options, "--preset", "unknown") == 1
    assert "no preset 'unknown'. Known: known" in capsys.readouterr().err


def test_control_signs_do_not_reach_the_terminal(
    cohort: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header, row, _ = (cohort / "scans.csv").read_text().splitlines()
    evil = row.replace("P1_image", "\x1b]0;title\x07P1_image")
    (cohort / "scans.csv").write_text(f"{header}\n{evil}\n", encoding="utf-8")
    assert run(cohort) == 1
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\\x1b]0;title\\x07P1_image.nii.gz" in out


def test_page_beside_the_list(cohort: Path) -> None:
    file = cohort.parent / "page.html"
    assert run(cohort, "--html", str(file)) == 0
    first = file.read_bytes()
    assert first.count(b"<svg") == 8
    assert b"Synthetic" not in first
    assert str(cohort).encode() not in first
    assert run(cohort, "--html", str(file)) == 0
    assert file.read_bytes() == first
    (cohort / "SYNTHETIC.md").write_text("invented")
    run(cohort, "--html", str(file))
    assert b"Synthetic, not evidence" in file.read_bytes()


def test_rows_without_a_mask_are_checked_and_drawn(
    cohort: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scans = (cohort / "scans.csv").read_text().replace("P2_mask.nii.gz", "")
    (cohort / "scans.csv").write_text(scans.replace("CT,portal,P2", "CT,unknown1,P2"))
    file = cohort.parent / "page.html"
    assert run(cohort, "--html", str(file)) == 1
    out = capsys.readouterr().out
    assert "[value-missing] mask is not valid" in out
    assert "[phase-unknown] the phase is not known" in out
    assert "2 patients and 2 scan rows checked: 1 error, 1 warning." in out
    assert file.read_text().count("<svg") == 7  # three planes of the second scan, as of the first
    assert "P2_image.nii.gz, no mask" in file.read_text()


def test_page_of_a_cohort_whose_tables_cannot_be_read(cohort: Path) -> None:
    (cohort / "scans.csv").write_bytes(b"\xff\xfe\x00")
    (cohort / "patients.csv").unlink()
    file = cohort.parent / "page.html"
    assert run(cohort, "--html", str(file)) == 1
    assert "table-missing" in file.read_text()


def test_codes_are_printed_without_a_cohort(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--codes"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(Code)
    assert "mask-empty" in {line.split()[0] for line in lines}
