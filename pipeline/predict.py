"""Score new patients from images, masks and markers with a trained bundle.

Research use only. Exit codes: 0 every patient scored, 1 the input has problems, 3 some patients
were declined and the rest is complete.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pipeline.cli import ExitCode, at_least_one, run_command

if TYPE_CHECKING:
    from pipeline.modeling.bundle import ModelBundle
    from pipeline.scoring.output import Answers


def _command(argv: Sequence[str]) -> ExitCode:
    parser = argparse.ArgumentParser(prog="python -m pipeline.predict", description=__doc__)
    parser.add_argument("--bundle", type=Path, required=True, help="folder of the trained model")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--cohort", type=Path, help="cohort folder; outcomes are not needed")
    source.add_argument("--case", type=Path, help="YAML file that describes one patient")
    parser.add_argument("--out", type=Path, required=True, help="folder for the answers")
    parser.add_argument("--jobs", type=at_least_one, help="processes; default: as many as fit")
    args = parser.parse_args(argv)

    from pipeline.executor.machine import default_jobs
    from pipeline.modeling.bundle import load_bundle
    from pipeline.scoring.case_file import write_as_cohort
    from pipeline.scoring.output import write_answers

    bundle = load_bundle(args.bundle)
    jobs = args.jobs or default_jobs()
    if args.case is None:
        answers = score(bundle, args.cohort, args.cohort, jobs)
    else:
        with TemporaryDirectory() as folder:
            write_as_cohort(args.case, Path(folder))
            answers = score(bundle, Path(folder), args.case.parent, jobs)
    write_answers(answers, bundle, args.out)
    return _report(answers, args.out)


def score(bundle: "ModelBundle", tables: Path, images: Path, jobs: int) -> "Answers":
    """Score the patients of a cohort folder.

    Parameters
    ----------
    bundle : ModelBundle
        The trained model with its settings.
    tables, images : Path
        Folder of the CSV files, and the folder that image paths are relative to.
    jobs : int
        Processes.

    Raises
    ------
    CohortError
        If a problem concerns the whole cohort; those of single patients decline these only.
    """
    import pandas as pd

    from pipeline.modeling.habitat_models import from_plain
    from pipeline.scoring.assembly import assemble_patients
    from pipeline.scoring.cohort import keep_patients, read_new_patients
    from pipeline.scoring.judgement import align, judge
    from pipeline.scoring.output import Answers
    from pipeline.scoring.pictures import draw_patients
    from pipeline.scoring.settings import load_scoring_settings
    from pipeline.store.results import ResultStore, default_store_root

    settings = load_scoring_settings(bundle.configs_folder)
    new = read_new_patients(tables, images, settings, jobs)
    for warning in new.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    if new.cohort.patients.empty:
        return Answers(predictions=(), features=pd.DataFrame(), declined=new.declined, pictures={})
    store = ResultStore(default_store_root())
    habitats = from_plain(bundle.contents.habitats)
    assembled = assemble_patients(new.cohort, settings, store, jobs, habitats)
    values = align(bundle, assembled.table)
    return Answers(
        predictions=judge(bundle, values, assembled.absent),
        features=assembled.table.values,
        declined=new.declined | assembled.failed,
        pictures=draw_patients(keep_patients(new.cohort, assembled.failed), settings, store),
    )


def _report(answers: "Answers", out: Path) -> ExitCode:
    for patient_id, problems in answers.declined.items():
        for problem in problems:
            print(f"declined: patient {patient_id}: {problem}", file=sys.stderr)
    scored, declined = len(answers.predictions), len(answers.declined)
    print(f"{scored} patient(s) scored, {declined} declined: {out / 'predictions.csv'}")
    if not declined:
        return ExitCode.DONE
    return ExitCode.SOME_CASES_FAILED if scored else ExitCode.INPUT_HAS_PROBLEMS


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    return run_command(_command, argv)


if __name__ == "__main__":
    raise SystemExit(main())
