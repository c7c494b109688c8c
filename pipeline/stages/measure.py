"""Stage measure: prepared volumes -> size and enhancement, one row a lesion, time and modality."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import ExitCode, at_least_one, run_command

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.case_table import CaseTable
    from pipeline.cases import Preparation
    from pipeline.config.assemble import LesionRule
    from pipeline.config.measure import MeasureConfig
    from pipeline.config.prepare import PrepareConfig
    from pipeline.domain.cohort import Cohort
    from pipeline.executor.outcome import CaseOutcome
    from pipeline.response.curves import Curve
    from pipeline.response.measured import Measured
    from pipeline.store.results import ResultStore
    from pipeline.visits import Visit, VisitRows

MISSING_COLUMN = "missing"
"""Text: every measure that is NaN in the row, after its reason."""

REFERENCE_COLUMN = "liver_reference"
"""Text: which liver the lesion was compared with, and why it was not the sphere."""

UNREGISTERED_COLUMN = "not_registered"
"""Text: phases that could not be registered and are where the scanner wrote them."""

CURVE_COLUMNS = ("curve", "at", "value")
"""After the keys of the lesion; see :class:`pipeline.response.curves.Curve`."""


@dataclass(frozen=True, slots=True)
class MeasureSettings:
    """Everything that decides what is measured.

    Parameters
    ----------
    prepare : PrepareConfig
        How volumes are prepared; as in the stage prepare, so that its volumes are found.
    measure : MeasureConfig
        Thresholds.
    lesion_rule : LesionRule or None
        Under ``union``, the union of a patient's lesions is measured as one more lesion.
    """

    prepare: "PrepareConfig"
    measure: "MeasureConfig"
    lesion_rule: "LesionRule | None" = None


@dataclass(frozen=True, slots=True)
class LesionCase:
    """A lesion on all its phases, and the baseline lesion whose coordinates its place is told in.

    ``baseline`` is None for baseline lesions, and where the patient has none on this modality.
    """

    rows: "VisitRows"
    baseline: "VisitRows | None" = None


@dataclass(frozen=True, slots=True)
class MeasuredLesion:
    """What one pass over a lesion gives: its row of measures, and its curves."""

    measures: dict[str, object]
    curves: "list[Curve]"


@dataclass(frozen=True, slots=True)
class MeasureTables:
    """What the stage makes.

    Parameters
    ----------
    measures : CaseTable
        One row a (patient_id, timepoint, modality, lesion_id).
    curves : pandas.DataFrame
        One row a point of a curve: the same keys, then :data:`CURVE_COLUMNS`.
    habitat_voxels : pandas.DataFrame
        The voxels that habitats are found from; see :mod:`pipeline.imaging.habitat_table`.
    """

    measures: "CaseTable"
    curves: "pd.DataFrame" = field(repr=False)
    habitat_voxels: "pd.DataFrame" = field(repr=False)


def run(
    cohort: "Cohort", settings: MeasureSettings, store: "ResultStore", jobs: int
) -> MeasureTables:
    """Measure every lesion of a cohort.

    Inputs
    ------
    The images and masks that the cohort's rows name, by way of the prepared volumes and their
    registrations in the store.

    Outputs
    -------
    One row a (patient_id, timepoint, modality, lesion_id): mL, mm, mm2, HU or the image's unit, as
    the columns' names say; NaN where its inputs do not support a measure, and why in ``missing``.
    The curves behind single thresholds, one row a point. The tumour's voxels on a lattice, one row
    a lesion.

    Parameters
    ----------
    cohort : Cohort
        Checked tables; its root is where the images are.
    settings : MeasureSettings
        What is measured.
    store : ResultStore
        Prepared volumes and registrations.
    jobs : int
        Processes.
    """
    from pipeline.case_table import CaseTable, build_case_table
    from pipeline.cases import Preparation
    from pipeline.executor.running import run_cases
    from pipeline.imaging.habitat_table import split_cells
    from pipeline.visits import VISIT_COLUMNS

    cases = list_lesion_cases(cohort, settings)
    preparation = Preparation(cohort.root, settings.prepare, store, cohort.reading)
    work = partial(measure_lesion, preparation=preparation, config=settings.measure)
    outcomes = run_cases(work, cases, jobs, "measure")
    keys = [case.rows.key for case in cases]
    rows = [_take_measures(outcome) for outcome in outcomes]
    measured = sorted({MISSING_COLUMN, *(name for row in rows for name in row.result or {})})
    table = build_case_table(keys, rows, [*VISIT_COLUMNS, *measured], cohort.root)
    measures, voxels = split_cells(table.rows)
    curves = _tabulate_curves(cases, outcomes)
    return MeasureTables(CaseTable(measures, table.failures), curves, voxels)


def list_lesion_cases(cohort: "Cohort", settings: MeasureSettings) -> list[LesionCase]:
    """List the lesions of a cohort with their phases, each with the baseline that it is laid on."""
    from pipeline.config.assemble import LesionRule
    from pipeline.domain.lesions import unite_lesions
    from pipeline.visits import group_visits, pair_times

    united = settings.lesion_rule is LesionRule.UNION
    scans = (*cohort.scans, *(unite_lesions(cohort.scans) if united else ()))
    visits = group_visits(scans, settings.prepare.phase_order)
    baselines = {tuple(later.key.values()): first for first, later in pair_times(visits)}
    return [LesionCase(visit, baselines.get(tuple(visit.key.values()))) for visit in visits]


def measure_lesion(
    case: LesionCase, preparation: "Preparation", config: "MeasureConfig"
) -> MeasuredLesion:
    """Measure one lesion on all its phases, which are loaded once.

    Raises
    ------
    ImageError, CaseError
        As :func:`pipeline.visits.load_visit`.
    """
    from pipeline.habitat_samples import habitat_cells
    from pipeline.response.curves import read_curves
    from pipeline.response.lesion_response import measure_response, prefix_modality
    from pipeline.response.measured import describe_missing, to_numbers
    from pipeline.visit_images import lesion_images
    from pipeline.visits import load_visit

    visit = load_visit(case.rows, preparation)
    images = lesion_images(visit, config)
    found = measure_response(images, config) | _locate(visit, case, preparation)
    measures = prefix_modality(found, images.modality)
    words = {
        MISSING_COLUMN: describe_missing(measures),
        REFERENCE_COLUMN: images.liver_reference,
        UNREGISTERED_COLUMN: _list_unregistered(visit),
    }
    voxels = habitat_cells(visit, preparation, config)
    curves = read_curves(images, config.lipiodol_hu)
    return MeasuredLesion({**to_numbers(measures), **words, **voxels}, curves)


def _locate(visit: "Visit", case: LesionCase, preparation: "Preparation") -> "dict[str, Measured]":
    """Return the lesion's centre in the baseline scan's coordinates."""
    from pipeline.domain.errors import CaseError, ImageError
    from pipeline.response.measured import Missing
    from pipeline.visits import centre_in_baseline

    try:
        centre = centre_in_baseline(visit, case.baseline, preparation)
    except (ImageError, CaseError):  # of the baseline scan, whose own row says more
        centre = Missing("the baseline scan cannot be prepared")
    names = [f"centre_{axis}_mm" for axis in "xyz"]
    if isinstance(centre, Missing):
        return dict.fromkeys(names, centre)
    return dict(zip(names, centre, strict=True))


def _list_unregistered(visit: "Visit") -> str:
    failed = {name: one.failure for name, one in visit.registrations.items() if one.failed}
    return "; ".join(f"{phase}: {failure}" for phase, failure in failed.items())


def _take_measures(
    outcome: "CaseOutcome[MeasuredLesion]",
) -> "CaseOutcome[dict[str, object]]":
    from pipeline.executor.outcome import CaseOutcome

    result = None if outcome.result is None else outcome.result.measures
    return CaseOutcome(result, outcome.failure)


def _tabulate_curves(
    cases: Sequence[LesionCase], outcomes: "Sequence[CaseOutcome[MeasuredLesion]]"
) -> "pd.DataFrame":
    """Return the points of all curves; a lesion that failed, or has no curve, has none."""
    import pandas as pd

    from pipeline.visits import VISIT_COLUMNS

    columns = [*VISIT_COLUMNS, *CURVE_COLUMNS]
    rows = [
        (*case.rows.key.values(), curve.name, float(at), float(value))
        for case, outcome in zip(cases, outcomes, strict=True)
        if outcome.result is not None
        for curve in outcome.result.curves
        for at, value in zip(curve.at, curve.value, strict=True)
    ]
    types = dict.fromkeys(CURVE_COLUMNS[1:], float)
    return pd.DataFrame(rows, columns=columns).astype(types)


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="configs/measure.yaml")
    parser.add_argument("--prepare-config", type=Path, required=True, help="configs/prepare.yaml")
    parser.add_argument("--assemble-config", type=Path, help="assemble.yaml, for its lesion_rule")
    parser.add_argument("--cohort", type=Path, required=True, help="checked tables (data/cohort)")
    parser.add_argument("--cohort-config", type=Path, required=True, help="configs/cohort.yaml")
    parser.add_argument("--out", type=Path, required=True, help="table of measures, Parquet")
    parser.add_argument("--curves-out", type=Path, help="table of curves, Parquet")
    parser.add_argument("--habitats-out", type=Path, help="voxels for habitats, Parquet")
    parser.add_argument("--jobs", type=at_least_one, help="processes; default: as many as fit")
    return parser.parse_args(argv)


def _load_settings(args: argparse.Namespace) -> MeasureSettings:
    from pipeline.config.assemble import AssembleConfig
    from pipeline.config.loading import load_settings
    from pipeline.config.measure import MeasureConfig
    from pipeline.config.prepare import PrepareConfig

    rule = None
    if args.assemble_config is not None:
        rule = load_settings(AssembleConfig, args.assemble_config).lesion_rule
    return MeasureSettings(
        load_settings(PrepareConfig, args.prepare_config),
        load_settings(MeasureConfig, args.config),
        rule,
    )


def _command(argv: Sequence[str]) -> ExitCode:
    args = _parse(argv)

    from pipeline.case_table import exit_code, log_failures, write_case_table
    from pipeline.config.cohort import load_cohort_config
    from pipeline.executor.machine import default_jobs
    from pipeline.ingest.cohort import read_checked_cohort
    from pipeline.store.results import ResultStore, default_store_root
    from pipeline.tabular import write_parquet

    cohort_config = load_cohort_config(args.cohort_config)
    tables = run(
        read_checked_cohort(args.cohort, cohort_config.root, cohort_config.reading),
        _load_settings(args),
        ResultStore(default_store_root()),
        args.jobs or default_jobs(),
    )
    write_case_table(tables.measures, args.out)
    if args.curves_out:
        write_parquet(tables.curves, args.curves_out)
    if args.habitats_out:
        write_parquet(tables.habitat_voxels, args.habitats_out)
    log_failures(tables.measures)
    return exit_code(tables.measures, cohort_config.policy)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage."""
    return run_command(_command, argv)


if __name__ == "__main__":
    raise SystemExit(main())
