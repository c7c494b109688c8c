"""Stage measure: prepared volumes -> size and enhancement, one row a lesion, time and modality."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import ExitCode, at_least_one, run_command

if TYPE_CHECKING:
    from pipeline.case_table import CaseTable
    from pipeline.cases import Preparation
    from pipeline.config.measure import MeasureConfig
    from pipeline.config.prepare import PrepareConfig
    from pipeline.domain.cohort import Cohort, ScanRow
    from pipeline.domain.scan import Modality
    from pipeline.imaging.prepared import PreparedCase
    from pipeline.response.measured import Measured
    from pipeline.store.results import ResultStore

KEYS = ("patient_id", "timepoint", "modality", "lesion_id")
"""What a row of measures belongs to; the phases of a lesion are measured together."""

MISSING_COLUMN = "missing"
"""Text: every response measure that is NaN in the row, after its reason."""


@dataclass(frozen=True, slots=True)
class LesionCase:
    """The phases of one lesion at one time point on one modality, in the configured order."""

    rows: "tuple[ScanRow, ...]"


def run(
    cohort: "Cohort",
    prepare: "PrepareConfig",
    config: "MeasureConfig",
    store: "ResultStore",
    jobs: int,
) -> "CaseTable":
    """Measure every lesion of a cohort.

    Inputs
    ------
    The images and masks that the cohort's rows name, by way of the prepared volumes in the store.

    Outputs
    -------
    One row a (patient_id, timepoint, modality, lesion_id): mL, mm, mm2, HU or the image's unit, as
    the columns' names say; NaN where a phase or a liver mask is missing, and why in ``missing``.

    Parameters
    ----------
    cohort : Cohort
        Checked tables; its root is where the images are.
    prepare : PrepareConfig
        How volumes are prepared; as in the stage prepare, so that its volumes are found.
    config : MeasureConfig
        Thresholds.
    store : ResultStore
        Prepared volumes.
    jobs : int
        Processes.
    """
    from pipeline.case_table import build_case_table
    from pipeline.cases import Preparation
    from pipeline.executor.running import run_cases

    cases = list_lesion_cases(cohort.scans, config.phase_order)
    preparation = Preparation(cohort.root, prepare, store, cohort.reading)
    work = partial(measure_lesion, preparation=preparation, config=config)
    outcomes = run_cases(work, cases, jobs, "measure")
    keys = [{name: str(getattr(case.rows[0], name)) for name in KEYS} for case in cases]
    measured = sorted({name for outcome in outcomes for name in outcome.result or {}})
    return build_case_table(keys, outcomes, [*KEYS, *measured], cohort.root)


def list_lesion_cases(rows: "Sequence[ScanRow]", phase_order: Sequence[str]) -> list[LesionCase]:
    """Group rows by lesion, time point and modality; phases as configured, unknown ones last."""
    rank = {phase: number for number, phase in enumerate(phase_order)}
    groups: dict[tuple[str, ...], list[ScanRow]] = {}
    for row in rows:
        key = tuple(str(getattr(row, name)) for name in KEYS)
        groups.setdefault(key, []).append(row)
    return [
        LesionCase(tuple(sorted(group, key=lambda row: rank.get(row.phase, len(rank)))))
        for group in groups.values()
    ]


def measure_lesion(
    case: LesionCase, preparation: "Preparation", config: "MeasureConfig"
) -> dict[str, object]:
    """Measure one lesion on all its phases; ``missing`` says why a response measure is NaN."""
    from pipeline.response.lesion import measure_lipiodol, measure_phase, measure_size
    from pipeline.response.measured import describe_missing, to_numbers

    phases = {row.phase: preparation.load(row) for row in case.rows}
    first = phases[case.rows[0].phase]
    measures: dict[str, float] = measure_size(first.regions["tumour"])
    for phase, prepared in phases.items():
        measures |= measure_phase(prepared.scan, prepared.regions, phase, config)
    if "native" in phases:
        native = phases["native"]
        measures |= measure_lipiodol(native.scan, native.regions["tumour"], config)
    measures |= _viable(phases, config)
    response = _response(case.rows[0].modality, phases, config)
    return {**measures, **to_numbers(response), MISSING_COLUMN: describe_missing(response)}


def _response(
    modality: "Modality", phases: "dict[str, PreparedCase]", config: "MeasureConfig"
) -> "dict[str, Measured]":
    """Return every response measure under its modality's name, each a number or a reason."""
    from pipeline.response.enhancement import reference_liver
    from pipeline.response.lesion_images import LesionImages, PhaseImage
    from pipeline.response.lesion_response import measure_response, prefix_modality

    images = {}
    for phase, prepared in phases.items():
        tumour, liver = prepared.regions["tumour"], prepared.regions.get("liver")
        margin_mm = config.liver_margin_mm
        reference = None if liver is None else reference_liver(liver, tumour, margin_mm)
        images[phase] = PhaseImage(prepared.scan, tumour, reference)
    return prefix_modality(measure_response(LesionImages(modality, images), config), modality)


def _viable(phases: "dict[str, PreparedCase]", config: "MeasureConfig") -> dict[str, float]:
    """Return the viable part where native and arterial phase and a liver mask exist.

    Phases on different grids are brought together by position; breathing between them is not
    corrected. A lesion that the native phase does not cover has no viable part, not a zero one.
    """
    from pipeline.domain.scan import Region
    from pipeline.imaging.resample import resample_onto
    from pipeline.response.lesion import measure_viable

    if not {"native", "arterial"} <= phases.keys() or "liver" not in phases["arterial"].regions:
        return {}
    arterial = phases["arterial"]
    native = resample_onto(phases["native"].scan, arterial.scan.geometry, fill=float("nan"))
    covered = native.voxels == native.voxels
    tumour, liver = arterial.regions["tumour"], arterial.regions["liver"]
    if not covered[tumour.inside].all():
        return {}
    seen_liver = Region(liver.inside & covered, liver.geometry, liver.name)
    return measure_viable(native, arterial.scan, tumour, seen_liver, config)


def _command(argv: Sequence[str]) -> ExitCode:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="configs/measure.yaml")
    parser.add_argument("--prepare-config", type=Path, required=True, help="configs/prepare.yaml")
    parser.add_argument("--cohort", type=Path, required=True, help="checked tables (data/cohort)")
    parser.add_argument("--cohort-config", type=Path, required=True, help="configs/cohort.yaml")
    parser.add_argument("--out", type=Path, required=True, help="table of measures, Parquet")
    parser.add_argument("--jobs", type=at_least_one, help="processes; default: as many as fit")
    args = parser.parse_args(argv)

    from pipeline.case_table import exit_code, log_failures, write_case_table
    from pipeline.config.cohort import load_cohort_config
    from pipeline.config.loading import load_settings
    from pipeline.config.measure import MeasureConfig
    from pipeline.config.prepare import PrepareConfig
    from pipeline.executor.machine import default_jobs
    from pipeline.ingest.cohort import read_checked_cohort
    from pipeline.store.results import ResultStore, default_store_root

    cohort_config = load_cohort_config(args.cohort_config)
    table = run(
        read_checked_cohort(args.cohort, cohort_config.root, cohort_config.reading),
        load_settings(PrepareConfig, args.prepare_config),
        load_settings(MeasureConfig, args.config),
        ResultStore(default_store_root()),
        args.jobs or default_jobs(),
    )
    write_case_table(table, args.out)
    log_failures(table)
    return exit_code(table, cohort_config.policy)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage."""
    return run_command(_command, argv)


if __name__ == "__main__":
    raise SystemExit(main())
