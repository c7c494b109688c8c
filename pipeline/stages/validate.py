"""Stage ``validate``: a cohort folder becomes a checked cohort, or a list of what is wrong.

Inputs
    The cohort folder that ``configs/cohort.yaml`` names.
Outputs
    ``scans.csv``, ``patients.csv``, ``biomarkers.csv`` (the rows that are used; image paths still
    relative to the cohort folder), ``exclusions.csv``, ``problems.json``, ``cohort.json``.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import ExitCode, at_least_one, run_command

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.config.biomarkers import BiomarkersConfig
    from pipeline.config.cohort import CohortConfig
    from pipeline.domain.cohort import Cohort
    from pipeline.domain.problem import Problem

SYNTHETIC_MARK = "SYNTHETIC.md"
"""A file in the cohort folder whose presence says that the patients are invented."""


@dataclass(frozen=True, slots=True)
class CheckedCohort:
    """A cohort without errors, and what it took to get there.

    Parameters
    ----------
    cohort : Cohort
        The patients that are used.
    exclusions : pandas.DataFrame
        ``patient_id, code, reason``: one row an error of a patient who was left out.
    problems : tuple of Problem
        Everything that was found, warnings included.
    """

    cohort: "Cohort"
    exclusions: "pd.DataFrame"
    problems: tuple["Problem", ...]


def read_and_check(
    config: "CohortConfig", biomarkers_config: "BiomarkersConfig", jobs: int
) -> tuple["Cohort", list["Problem"]]:
    """Read the cohort at ``config.root`` and list everything that is wrong with it.

    Parameters
    ----------
    config, biomarkers_config : CohortConfig, BiomarkersConfig
        What the cohort must hold.
    jobs : int
        Processes that read images.

    Raises
    ------
    CohortError
        If the root is not a folder.
    """
    from pipeline.biomarkers.checks import find_measurement_problems
    from pipeline.biomarkers.timepoints import scan_dates
    from pipeline.ingest.checks import find_problems
    from pipeline.ingest.cohort import read_cohort
    from pipeline.ingest.scan_rows import scan_table

    cohort, problems = read_cohort(config.root, reading=config.reading)
    problems += find_problems(cohort, config, jobs)
    dates = scan_dates(scan_table(cohort.scans))
    problems += find_measurement_problems(
        cohort.biomarkers, cohort.patients, biomarkers_config, dates
    )
    return cohort, problems


def run(cohort: "Cohort", problems: Sequence["Problem"], config: "CohortConfig") -> CheckedCohort:
    """Apply the policy to the problems of a cohort.

    ``strict``: any error stops. ``exclude``: patients with errors are left out of all tables;
    errors that are nobody's in particular (a missing column, one class) still stop, and the
    outcome is judged again on those who remain. Without any scan left it stops as well.

    Inputs
        The cohort as read and all problems found in it.
    Outputs
        The rows that are used and the exclusions.

    Raises
    ------
    CohortError
        Listing every problem, if the policy does not allow to go on.
    """
    from pipeline.config.cohort import Policy
    from pipeline.domain.errors import CohortError
    from pipeline.ingest.outcome_checks import find_outcome_problems

    errors = [problem for problem in problems if problem.is_error]
    stopping = [
        problem for problem in errors if config.policy is Policy.STRICT or not problem.patient_id
    ]
    if stopping:
        raise CohortError(problems)
    checked = _without(cohort, {problem.patient_id for problem in errors})
    if errors:
        remaining = find_outcome_problems(checked.patients, config)
        if not checked.scans or any(problem.is_error for problem in remaining):
            raise CohortError([*problems, *remaining])
    return CheckedCohort(checked, _exclusions(errors), tuple(problems))


def summarise(
    checked: CheckedCohort, config: "CohortConfig", *, synthetic: bool
) -> dict[str, object]:
    """Return the content of ``cohort.json``: the outcome and how many there are of what."""
    from pipeline.ingest.outcome_checks import outcome_numbers

    patients = checked.cohort.patients
    positive = config.outcome.is_positive(outcome_numbers(patients, config.outcome.column))
    return {
        "synthetic": synthetic,
        "outcome": config.outcome.model_dump(),
        "patients": len(patients),
        "with_outcome": int(positive.notna().sum()),
        "positive": int(positive.sum()),
        "excluded": int(checked.exclusions["patient_id"].nunique()),
        "scans": len(checked.cohort.scans),
    }


def _without(cohort: "Cohort", excluded: set[str]) -> "Cohort":
    def kept(table: "pd.DataFrame") -> "pd.DataFrame":
        return table[~table["patient_id"].isin(excluded)].reset_index(drop=True)

    return replace(
        cohort,
        scans=tuple(scan for scan in cohort.scans if scan.patient_id not in excluded),
        patients=kept(cohort.patients),
        biomarkers=kept(cohort.biomarkers),
    )


def _exclusions(errors: Sequence["Problem"]) -> "pd.DataFrame":
    import pandas as pd

    rows = sorted({(problem.patient_id, str(problem.code), str(problem)) for problem in errors})
    return pd.DataFrame(rows, columns=["patient_id", "code", "reason"])


def _as_written(patients: "pd.DataFrame") -> "pd.DataFrame":
    """Write whole numbers without decimals, though gaps made their column floating point."""
    import pandas as pd

    def restored(column: "pd.Series[float]") -> "pd.Series[float] | pd.Series[int]":
        is_float = pd.api.types.is_float_dtype(column)
        return column.astype("Int64") if is_float and (column.dropna() % 1 == 0).all() else column

    return patients.apply(restored)


def _write(checked: CheckedCohort, summary: dict[str, object], out: Path) -> None:
    from pipeline.ingest.scan_rows import scan_table
    from pipeline.tabular import write_csv, write_json

    write_csv(scan_table(checked.cohort.scans), out / "scans.csv")
    write_csv(_as_written(checked.cohort.patients), out / "patients.csv")
    write_csv(checked.cohort.biomarkers, out / "biomarkers.csv")
    write_csv(checked.exclusions, out / "exclusions.csv")
    write_json([problem.as_dict() for problem in checked.problems], out / "problems.json")
    write_json(summary, out / "cohort.json")


def _command(argv: Sequence[str]) -> ExitCode:
    parser = argparse.ArgumentParser(prog="python -m pipeline.stages.validate", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="cohort.yaml")
    parser.add_argument("--biomarkers", type=Path, required=True, help="biomarkers.yaml")
    parser.add_argument("--out", type=Path, required=True, help="folder of the checked cohort")
    parser.add_argument("--jobs", type=at_least_one, help="processes (default: as many as fit)")
    args = parser.parse_args(argv)

    from pipeline.config.biomarkers import load_biomarkers_config
    from pipeline.config.cohort import load_cohort_config
    from pipeline.executor.machine import default_jobs

    config = load_cohort_config(args.config)
    biomarkers_config = load_biomarkers_config(args.biomarkers)
    cohort, problems = read_and_check(config, biomarkers_config, args.jobs or default_jobs())
    checked = run(cohort, problems, config)
    synthetic = (config.root / SYNTHETIC_MARK).is_file()
    _write(checked, summarise(checked, config, synthetic=synthetic), args.out)
    return ExitCode.DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from the command line."""
    return run_command(_command, argv)


if __name__ == "__main__":
    raise SystemExit(main())
