"""List every problem of a cohort folder at once: ``python -m pipeline.check COHORT``.

Exit code 1 where any problem is an error, else 0. Nothing is changed.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import ExitCode, at_least_one, run_command

if TYPE_CHECKING:
    from pipeline.domain.problem import Problem


def format_problems(problems: Sequence["Problem"], patients: int, scans: int) -> str:
    """Return the problems as text: errors first, alike ones together, then what was checked.

    Parameters
    ----------
    problems : sequence of Problem
        In any order; those of one kind keep theirs.
    patients, scans : int
        How many were checked.
    """
    errors = [problem for problem in problems if problem.is_error]
    warnings = [problem for problem in problems if not problem.is_error]
    lines: list[str] = []
    for title, members in (("Errors", errors), ("Warnings", warnings)):
        if members:
            lines += [f"{title} ({len(members)})", *_grouped(members), ""]
    checked = f"{_count(patients, 'patient')} and {_count(scans, 'scan row')} checked"
    if problems:
        found = f"{_count(len(errors), 'error')}, {_count(len(warnings), 'warning')}"
    else:
        found = "no problems"
    return "\n".join([*lines, f"{checked}: {found}."])


def _grouped(problems: Sequence["Problem"]) -> Iterator[str]:
    by_code: dict[str, list[Problem]] = {}
    for problem in problems:
        by_code.setdefault(problem.code, []).append(problem)
    for code, members in by_code.items():
        yield from _block(code, members)


def _block(code: str, problems: Sequence["Problem"]) -> Iterator[str]:
    """Say once what all problems of a code have in common, then a line each."""
    heads = {f"{problem.what}: expected {problem.expected}" for problem in problems}
    steps = {problem.next_step for problem in problems}
    width = max(len(_place(problem)) for problem in problems)
    yield f"  [{code}] {heads.copy().pop()}" if len(heads) == 1 else f"  [{code}]"
    for problem in problems:
        head = "" if len(heads) == 1 else f"{problem.what}: expected {problem.expected}, "
        step = "" if len(steps) == 1 else f". {problem.next_step}"
        yield f"    {_place(problem):<{width}}  {head}got {problem.got}{step}"
    if len(steps) == 1:
        yield f"    -> {steps.pop()}"


def _place(problem: "Problem") -> str:
    return "  ".join(part for part in (problem.patient_id, problem.file, problem.column) if part)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.check",
        description="List every problem of a cohort folder; exit code 1 if any is an error.",
    )
    parser.add_argument("cohort", type=Path, metavar="COHORT", help="the cohort folder")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the list as JSON")
    parser.add_argument(
        "--config",
        type=Path,
        default=Path("configs/cohort.yaml"),
        help="outcome and covariates (default: %(default)s; its root is replaced by COHORT)",
    )
    parser.add_argument(
        "--biomarkers",
        type=Path,
        default=Path("configs/biomarkers.yaml"),
        help="known analytes and units (default: %(default)s)",
    )
    parser.add_argument("--jobs", type=at_least_one, help="processes (default: as many as fit)")
    return parser.parse_args(argv)


def _command(argv: Sequence[str]) -> ExitCode:
    args = _parse(argv)

    from pipeline.config.biomarkers import load_biomarkers_config
    from pipeline.config.cohort import load_cohort_config
    from pipeline.executor import default_jobs
    from pipeline.stages.validate import read_and_check
    from pipeline.tabular import write_json

    config = load_cohort_config(args.config).model_copy(update={"root": args.cohort})
    biomarkers_config = load_biomarkers_config(args.biomarkers)
    cohort, problems = read_and_check(config, biomarkers_config, args.jobs or default_jobs())
    print(format_problems(problems, len(cohort.patients), len(cohort.scans)))
    if args.json:
        write_json([problem.as_dict() for problem in problems], args.json)
    failed = any(problem.is_error for problem in problems)
    return ExitCode.INPUT_HAS_PROBLEMS if failed else ExitCode.DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Check a cohort from the command line."""
    return run_command(_command, argv)


if __name__ == "__main__":
    raise SystemExit(main())
