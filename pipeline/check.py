"""List every problem of a cohort folder at once: ``python -m pipeline.check COHORT``.

Exit code 1 where any problem is an error, else 0. Nothing is changed.
"""

import argparse
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import ExitCode, at_least_one, run_command

if TYPE_CHECKING:
    from pipeline.config.cohort import CohortConfig
    from pipeline.domain.cohort import Cohort
    from pipeline.domain.problem import Problem


_WIDEST_PLACE = 60
"""Longer names of patients and files do not push the others' texts to the right."""

_MOST_LINES = 10
"""Lines of one code that are shown, so that a first look at a large cohort fits a screen."""

_INTERRUPTED = "Nothing is kept; the same command starts again from the beginning."

_ALL_LISTED = "--json FILE or --html FILE lists all"


def format_problems(
    problems: Sequence["Problem"], patients: int, scans: int, width: int | None = None
) -> str:
    """Return the problems as text: errors first, alike ones together, then how many of each code.

    A patient's problems that differ only in the file share a line; of each code the first lines
    are shown, and how many more there are.

    Parameters
    ----------
    problems : sequence of Problem
        In any order; those of one kind keep theirs.
    patients, scans : int
        How many were checked.
    width : int, optional
        Longest line; longer ones go on below, indented. None for lines of any length.
    """
    errors = [problem for problem in problems if problem.is_error]
    warnings = [problem for problem in problems if not problem.is_error]
    lines: list[str] = []
    for title, members in (("Errors", errors), ("Warnings", warnings)):
        if members:
            lines += [f"{title} ({len(members)})", *_grouped(members), ""]
    if len({problem.code for problem in problems}) > 1:
        lines += ["By code", *_tally(errors, "error"), *_tally(warnings, "warning"), ""]
    checked = f"{_count(patients, 'patient')} and {_count(scans, 'scan row')} checked"
    if problems:
        found = f"{_count(len(errors), 'error')}, {_count(len(warnings), 'warning')}"
    else:
        found = "no problems"
    lines.append(f"{checked}: {found}.")
    return "\n".join(lines if width is None else (_wrapped(line, width) for line in lines))


def _merged(problems: Sequence["Problem"]) -> "list[Problem]":
    """Make one problem of a patient's that differ only in the file: all phases of a thick scan."""
    groups: dict[Problem, list[str]] = {}
    for problem in problems:
        alike = replace(problem, file="") if problem.patient_id else problem
        groups.setdefault(alike, []).append(problem.file)
    return [
        replace(problem, file=files[0] + (f" and {len(files) - 1} more" if files[1:] else ""))
        for problem, files in groups.items()
    ]


def _grouped(problems: Sequence["Problem"]) -> Iterator[str]:
    for code, members in _by_code(problems).items():
        yield from _block(code, _merged(members))


def _by_code(problems: Sequence["Problem"]) -> "dict[str, list[Problem]]":
    groups: dict[str, list[Problem]] = {}
    for problem in problems:
        groups.setdefault(problem.code, []).append(problem)
    return groups


def _tally(problems: Sequence["Problem"], severity: str) -> Iterator[str]:
    """Yield a line a code, the most frequent first, with the number of patients concerned."""
    groups = _by_code(problems)
    width = max(map(len, groups), default=0)
    for code in sorted(groups, key=lambda name: (-len(groups[name]), name)):
        members = groups[code]
        patients = len({problem.patient_id for problem in members if problem.patient_id})
        where = f"in {_count(patients, 'patient')}" if patients else ""
        yield f"  {len(members):>5}  {severity:<7}  {code:<{width}}  {where}".rstrip()


def _block(code: str, problems: Sequence["Problem"]) -> Iterator[str]:
    """Say once what all problems of a code have in common, then a line each of the first."""
    left_out = len(problems) - _MOST_LINES
    problems = problems[:_MOST_LINES]
    heads = {f"{problem.what}: expected {problem.expected}" for problem in problems}
    steps = {problem.next_step for problem in problems}
    width = min(max(len(_place(problem)) for problem in problems), _WIDEST_PLACE)
    yield f"  [{code}] {heads.copy().pop()}" if len(heads) == 1 else f"  [{code}]"
    for problem in problems:
        head = "" if len(heads) == 1 else f"{problem.what}: expected {problem.expected}, "
        step = "" if len(steps) == 1 else f". {problem.next_step}"
        yield f"    {_place(problem):<{width}}  {head}got {problem.got}{step}"
    if left_out > 0:
        yield f"    and {left_out} more ({_ALL_LISTED})"
    if len(steps) == 1:
        yield f"    -> {steps.pop()}"


def _place(problem: "Problem") -> str:
    return "  ".join(part for part in (problem.patient_id, problem.file, problem.column) if part)


def _wrapped(line: str, width: int) -> str:
    """Break a line that is too long, never within a word: paths stay whole to be copied."""
    if len(line) <= width:
        return line
    indent = " " * (len(line) - len(line.lstrip()) + 4)
    return textwrap.fill(
        line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.check",
        description="List every problem of a cohort folder; exit code 1 if any is an error.",
    )
    parser.add_argument("cohort", type=Path, metavar="COHORT", help="the cohort folder")
    parser.add_argument(
        "--json", type=_output_file, metavar="FILE", help="also write the list as JSON"
    )
    parser.add_argument(
        "--html",
        type=_output_file,
        metavar="FILE",
        help="also write a page with the list and every scan in three planes with its outlines",
    )
    parser.add_argument(
        "--codes", action=_PrintCodes, help="print every code with its meaning and exit"
    )
    parser.add_argument(
        "--config",
        type=Path,
        default=Path("configs/cohort.yaml"),
        help="outcome and covariates (default: %(default)s; its root is replaced by COHORT)",
    )
    parser.add_argument(
        "--preset", metavar="NAME", help="description of a known cohort, see configs/presets"
    )
    parser.add_argument(
        "--biomarkers",
        type=Path,
        default=Path("configs/biomarkers.yaml"),
        help="known analytes and units (default: %(default)s)",
    )
    parser.add_argument("--jobs", type=at_least_one, help="processes (default: as many as fit)")
    return parser.parse_args(argv)


def _output_file(text: str) -> Path:
    if Path(text).is_dir():
        msg = f"expected a file to write, got the folder {text}"
        raise argparse.ArgumentTypeError(msg)
    return Path(text)


class _PrintCodes(argparse.Action):
    """Print the table of codes, as ``--help`` prints help: no other argument is needed."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str) -> None:  # noqa: A002 - argparse's name
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from pipeline.ingest.code_meanings import code_meanings

        meanings = code_meanings()
        width = max(map(len, meanings))
        for code, meaning in meanings.items():
            print(f"{code:<{width}}  {meaning}")
        parser.exit(ExitCode.DONE)


def _command(argv: Sequence[str]) -> ExitCode:
    args = _parse(argv)

    from pipeline.config.biomarkers import load_biomarkers_config
    from pipeline.config.cohort import load_cohort_config
    from pipeline.executor.machine import default_jobs
    from pipeline.report.plain_text import plain_problem
    from pipeline.stages.validate import read_and_check
    from pipeline.tabular import write_json

    config = load_cohort_config(args.config, args.preset).model_copy(update={"root": args.cohort})
    biomarkers_config = load_biomarkers_config(args.biomarkers)
    jobs = args.jobs or default_jobs()
    cohort, found = read_and_check(config, biomarkers_config, jobs)
    problems = [plain_problem(problem) for problem in found]
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    print(format_problems(problems, len(cohort.patients), len(cohort.listed_scans), width))
    if args.json:
        write_json([problem.as_dict() for problem in problems], args.json)
    if args.html:
        _write_page(cohort, problems, config, jobs, args.html)
    failed = any(problem.is_error for problem in problems)
    return ExitCode.INPUT_HAS_PROBLEMS if failed else ExitCode.DONE


def _write_page(
    cohort: "Cohort", problems: Sequence["Problem"], config: "CohortConfig", jobs: int, file: Path
) -> None:
    from pipeline.ingest.code_meanings import code_meanings
    from pipeline.report.cohort_page import CohortPage, render_cohort_page
    from pipeline.report.cohort_pictures import draw_cohort
    from pipeline.stages.validate import SYNTHETIC_MARK
    from pipeline.tabular import write_text

    page = CohortPage(
        patients=list(cohort.patients["patient_id"]),
        pictures=draw_cohort(cohort, jobs, allow_outside=config.allow_outside),
        problems=problems,
        meanings=code_meanings(),
        synthetic=(config.root / SYNTHETIC_MARK).is_file(),
    )
    write_text(render_cohort_page(page), file)


def main(argv: Sequence[str] | None = None) -> int:
    """Check a cohort from the command line."""
    return run_command(_command, argv, _INTERRUPTED)


if __name__ == "__main__":
    raise SystemExit(main())
