"""Stage ``synthesize``: the synthetic demo cohort, so that a fresh clone has something to run on.

Inputs
    ``configs/demo.yaml``.
Outputs
    A cohort folder: ``scans.csv``, ``patients.csv``, ``biomarkers.csv``, ``images/``, and
    ``SYNTHETIC.md``, whose presence marks the cohort as synthetic. Synthetic, not evidence.
"""

import argparse
import os
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import ExitCode, run_command
from pipeline.domain.errors import CaseError, ConfigError

if TYPE_CHECKING:
    from pipeline.config.demo import DemoConfig
    from pipeline.synthetic.tables import DemoTables


def run(config: "DemoConfig") -> "DemoTables":
    """Make the tables of the cohort and the truth that its images are drawn from.

    Inputs
        Settings with the seed.
    Outputs
        Scans, patients, measurements; images follow patient by patient when they are written.
    """
    from pipeline.synthetic.tables import generate_tables

    return generate_tables(config)


def _write(tables: "DemoTables", config: "DemoConfig", folder: Path, jobs: int) -> None:
    from pipeline.executor.running import run_cases
    from pipeline.synthetic.folder import plan_images, write_images, write_tables

    write_tables(tables, config, folder)
    patients = plan_images(tables.truth)
    draw = partial(write_images, config=config, folder=folder)
    outcomes = run_cases(draw, patients, jobs, "synthesize")
    failures = [
        f"  {patient.plan.patient_id}: {outcome.failure.reason}"
        for patient, outcome in zip(patients, outcomes, strict=True)
        if outcome.failure is not None
    ]
    if failures:
        msg = "the demo cohort is incomplete and was not written:\n" + "\n".join(failures)
        raise CaseError(msg)


def _check_replaceable(out: Path) -> None:
    """Refuse to delete a folder that this stage has not made."""
    from pipeline.synthetic.folder import SYNTHETIC_FILE

    if not out.exists() or (out / SYNTHETIC_FILE).is_file():
        return
    if out.is_dir() and not any(out.iterdir()):
        return
    msg = (
        f"--out {out}: exists and is not a synthetic cohort (it has no {SYNTHETIC_FILE}), so it is"
        " not replaced. Name another folder, or remove this one yourself."
    )
    raise ConfigError(msg)


def _replace(finished: Path, out: Path) -> None:
    if out.exists():
        shutil.rmtree(out)
    finished.replace(out)


def _command(argv: Sequence[str]) -> ExitCode:
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.stages.synthesize", description=__doc__
    )
    parser.add_argument("--config", type=Path, required=True, help="demo.yaml")
    parser.add_argument("--out", type=Path, required=True, help="cohort folder, replaced whole")
    parser.add_argument("--patients", type=int, help="instead of the number in the config")
    parser.add_argument("--jobs", type=int, help="processes (default: as many as fit)")
    args = parser.parse_args(argv)

    from pipeline.config.demo import DemoConfig
    from pipeline.config.loading import parse_settings, read_yaml
    from pipeline.executor.machine import default_jobs

    content = read_yaml(args.config)
    if args.patients is not None:
        content["patients"] = args.patients
    config = parse_settings(DemoConfig, content, args.config)
    _check_replaceable(args.out)
    partial_folder = args.out.with_name(f".{args.out.name}.{os.getpid()}.partial")
    try:
        _write(run(config), config, partial_folder, args.jobs or default_jobs())
        _replace(partial_folder, args.out)
    finally:
        shutil.rmtree(partial_folder, ignore_errors=True)
    return ExitCode.DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from the command line."""
    return run_command(_command, argv)


if __name__ == "__main__":
    raise SystemExit(main())
