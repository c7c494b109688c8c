"""Stage extract: prepared volumes -> radiomics, one row a region of a scan."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import ExitCode, at_least_one, run_command

if TYPE_CHECKING:
    from pipeline.case_table import CaseTable
    from pipeline.config.assemble import LesionRule
    from pipeline.config.extraction import ExtractionParameters
    from pipeline.config.measure import MeasureConfig
    from pipeline.config.prepare import PrepareConfig
    from pipeline.domain.cohort import Cohort, ScanRow
    from pipeline.domain.scan import Modality
    from pipeline.region_cases import RegionCase, RegionLoader
    from pipeline.store.results import ResultStore


@dataclass(frozen=True, slots=True)
class ExtractSettings:
    """Everything that decides what is extracted.

    Parameters
    ----------
    prepare : PrepareConfig
        How volumes are prepared; as in the stage prepare, so that its volumes are found.
    parameters : mapping of Modality to ExtractionParameters
        One of each modality in the cohort.
    measure : MeasureConfig or None
        What is viable and what is lipiodol; None where no region of this kind is asked for.
    lesion_rule : LesionRule or None
        Under ``union``, the union of a patient's lesions is extracted as one more lesion.
    """

    prepare: "PrepareConfig"
    parameters: "Mapping[Modality, ExtractionParameters]"
    measure: "MeasureConfig | None" = None
    lesion_rule: "LesionRule | None" = None


def run(
    cohort: "Cohort", settings: ExtractSettings, store: "ResultStore", jobs: int
) -> "CaseTable":
    """Extract the features of every region of every scan of a cohort.

    Inputs
    ------
    The images and masks that the cohort's rows name, by way of the prepared volumes in the store.

    Outputs
    -------
    One row a (patient_id, timepoint, modality, phase, lesion_id, region), then the features under
    PyRadiomics' names; NaN where a modality's parameters do not ask for a feature. A region that a
    scan does not have is no row, but is listed among the failures with the code ``region-absent``.

    Parameters
    ----------
    cohort : Cohort
        Checked tables; its root is where the images are.
    settings : ExtractSettings
        What is extracted.
    store : ResultStore
        Results of single cases; what is found there is not computed again.
    jobs : int
        Processes.
    """
    from pipeline.case_table import build_case_table
    from pipeline.cases import KEY_COLUMNS, Preparation
    from pipeline.executor.running import run_cases
    from pipeline.features.cohort import list_feature_names
    from pipeline.region_cases import RegionLoader, list_region_cases

    names = list_feature_names(settings.parameters.values())
    scans = _list_scans(cohort, settings.lesion_rule)
    cases = list_region_cases(scans, settings.parameters, settings.prepare.phase_order)
    preparation = Preparation(cohort.root, settings.prepare, store, cohort.reading)
    loader = RegionLoader(preparation, settings.measure)
    work = partial(extract_case, loader=loader, parameters=settings.parameters)
    outcomes = run_cases(work, cases, jobs, "extract", attrgetter("together"))
    keys = [case.key for case in cases]
    return build_case_table(keys, outcomes, [*KEY_COLUMNS, "region", *names], cohort.root)


def extract_case(
    case: "RegionCase",
    loader: "RegionLoader",
    parameters: "Mapping[Modality, ExtractionParameters]",
) -> dict[str, float]:
    """Extract the features of one region of one prepared scan, by name.

    Raises
    ------
    RegionAbsentError
        If the scan has no such region, or one that is not drawn is too small for features.
    ImageError, CaseError
        If the scan cannot be read, or the engine refuses it.
    """
    from pipeline.domain.errors import CaseError, RegionAbsentError
    from pipeline.features.extraction import plan_extraction

    store = loader.preparation.store
    extraction = plan_extraction(parameters[case.row.modality])
    key = extraction.key_from(loader.name(case), case.region)
    known = extraction.load(store, key)
    if known is not None:
        return known
    name, prepared, region = loader.load(case)
    try:
        values = extraction.compute(prepared.texture_scan, region, prepared.references)
    except CaseError as error:
        if case.region.is_drawn:
            raise
        # Nobody drew it too small for features; the same scan's tumour says what else is wrong.
        msg = f"no features of the {case.region} region: {error}"
        raise RegionAbsentError(msg) from None
    extraction.save(store, extraction.key_from(name, case.region), values)
    return values


def _list_scans(cohort: "Cohort", rule: "LesionRule | None") -> "tuple[ScanRow, ...]":
    from pipeline.config.assemble import LesionRule
    from pipeline.domain.lesions import unite_lesions

    united = unite_lesions(cohort.scans) if rule is LesionRule.UNION else ()
    return (*cohort.scans, *united)


def load_extract_settings(args: argparse.Namespace, cohort: "Cohort") -> ExtractSettings:
    """Read the settings that the command line names; those of measure only where a region needs it.

    Raises
    ------
    ConfigError
        If a file is not valid, or ``--measure-config`` is wanting.
    """
    from pipeline.config.assemble import AssembleConfig
    from pipeline.config.extraction import load_modality_parameters
    from pipeline.config.loading import load_settings
    from pipeline.config.measure import MeasureConfig
    from pipeline.config.prepare import PrepareConfig

    modalities = (row.modality for row in cohort.scans)
    parameters = load_modality_parameters(args.config_dir, modalities)
    needed = any(name.needs_visit for one in parameters.values() for name in one.pipeline.regions)
    measure = load_settings(MeasureConfig, _measure_config(args)) if needed else None
    rule = None
    if args.assemble_config is not None:
        rule = load_settings(AssembleConfig, args.assemble_config).lesion_rule
    return ExtractSettings(
        load_settings(PrepareConfig, args.prepare_config), parameters, measure, rule
    )


def _measure_config(args: argparse.Namespace) -> Path:
    from pipeline.domain.errors import ConfigError

    if args.measure_config is None:
        msg = (
            "pipeline.regions names a region that several phases decide, such as viable: expected"
            " --measure-config (configs/measure.yaml), got none. Name the file, or leave out the"
            " region."
        )
        raise ConfigError(msg)
    path: Path = args.measure_config
    return path


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config-dir", type=Path, required=True, help="has extraction_*.yaml")
    parser.add_argument("--prepare-config", type=Path, required=True, help="configs/prepare.yaml")
    parser.add_argument("--measure-config", type=Path, help="measure.yaml, for regions of a visit")
    parser.add_argument("--assemble-config", type=Path, help="assemble.yaml, for its lesion_rule")
    parser.add_argument("--cohort", type=Path, required=True, help="checked tables (data/cohort)")
    parser.add_argument("--cohort-config", type=Path, required=True, help="configs/cohort.yaml")
    parser.add_argument("--out", type=Path, required=True, help="feature table, Parquet")
    parser.add_argument("--jobs", type=at_least_one, help="processes; default: as many as fit")
    return parser.parse_args(argv)


def _command(argv: Sequence[str]) -> ExitCode:
    args = _parse(argv)

    from pipeline.case_table import exit_code, log_failures, write_case_table
    from pipeline.config.cohort import load_cohort_config
    from pipeline.executor.machine import default_jobs
    from pipeline.features.provenance import describe_extraction, log_remarks
    from pipeline.ingest.cohort import read_checked_cohort
    from pipeline.store.results import ResultStore, default_store_root

    cohort_config = load_cohort_config(args.cohort_config)
    cohort = read_checked_cohort(args.cohort, cohort_config.root, cohort_config.reading)
    settings = load_extract_settings(args, cohort)
    table = run(cohort, settings, ResultStore(default_store_root()), args.jobs or default_jobs())
    about = {
        str(modality): describe_extraction(table.rows[table.rows["modality"] == modality], chosen)
        for modality, chosen in settings.parameters.items()
    }
    write_case_table(table, args.out, about)
    for provenance in about.values():
        log_remarks(provenance)
    log_failures(table)
    return exit_code(table, cohort_config.policy)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage."""
    return run_command(_command, argv)


if __name__ == "__main__":
    raise SystemExit(main())
