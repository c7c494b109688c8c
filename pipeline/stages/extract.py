"""Stage extract: prepared volumes -> radiomics, one row a region of a scan."""

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import ExitCode, at_least_one, run_command

if TYPE_CHECKING:
    from pipeline.case_table import CaseTable
    from pipeline.cases import Preparation
    from pipeline.config.extraction import ExtractionParameters
    from pipeline.config.prepare import PrepareConfig
    from pipeline.domain.cohort import Cohort
    from pipeline.domain.scan import Modality
    from pipeline.features.cohort import RegionCase
    from pipeline.store.results import ResultStore


def run(
    cohort: "Cohort",
    prepare: "PrepareConfig",
    parameters: "Mapping[Modality, ExtractionParameters]",
    store: "ResultStore",
    jobs: int,
) -> "CaseTable":
    """Extract the features of every scan of a cohort.

    Inputs
    ------
    The images and masks that the cohort's rows name, by way of the prepared volumes in the store.

    Outputs
    -------
    One row a (patient_id, timepoint, modality, phase, lesion_id, region), then the features under
    PyRadiomics' names; NaN where a modality's parameters do not ask for a feature.

    Parameters
    ----------
    cohort : Cohort
        Checked tables; its root is where the images are.
    prepare : PrepareConfig
        How volumes are prepared; as in the stage prepare, so that its volumes are found.
    parameters : mapping of Modality to ExtractionParameters
        One of each modality in the cohort.
    store : ResultStore
        Results of single cases; what is found there is not computed again.
    jobs : int
        Processes.
    """
    from pipeline.case_table import build_case_table
    from pipeline.cases import KEY_COLUMNS, Preparation, key_of
    from pipeline.executor.running import run_cases
    from pipeline.features.cohort import list_feature_names, list_region_cases

    names = list_feature_names(parameters.values())
    cases = list_region_cases(cohort.scans, parameters)
    keys = [{**key_of(case.row), "region": case.region} for case in cases]
    preparation = Preparation(cohort.root, prepare, store, cohort.reading)
    work = partial(extract_case, preparation=preparation, parameters=parameters)
    outcomes = run_cases(work, cases, jobs, "extract")
    return build_case_table(keys, outcomes, [*KEY_COLUMNS, "region", *names], cohort.root)


def extract_case(
    case: "RegionCase",
    preparation: "Preparation",
    parameters: "Mapping[Modality, ExtractionParameters]",
) -> dict[str, float]:
    """Extract the features of one region of one prepared scan, by name."""
    from pipeline.features.extraction import plan_extraction

    extraction = plan_extraction(parameters[case.row.modality])
    key = extraction.key_from(preparation.key(case.row), case.region)
    known = extraction.load(preparation.store, key)
    if known is not None:
        return known
    prepared = preparation.load(case.row)
    region = prepared.regions[case.region]
    return extraction.load_or_compute(
        preparation.store, key, prepared.scan, region, prepared.references
    )


def load_parameters(folder: Path, cohort: "Cohort") -> "dict[Modality, ExtractionParameters]":
    """Read the parameter file of each modality in the cohort, ``extraction_<modality>.yaml``."""
    from pipeline.config.extraction import extraction_file, load_extraction_parameters

    modalities = dict.fromkeys(row.modality for row in cohort.scans)
    return {
        modality: load_extraction_parameters(extraction_file(folder, modality))
        for modality in sorted(modalities)
    }


def _command(argv: Sequence[str]) -> ExitCode:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config-dir", type=Path, required=True, help="has extraction_*.yaml")
    parser.add_argument("--prepare-config", type=Path, required=True, help="configs/prepare.yaml")
    parser.add_argument("--cohort", type=Path, required=True, help="checked tables (data/cohort)")
    parser.add_argument("--cohort-config", type=Path, required=True, help="configs/cohort.yaml")
    parser.add_argument("--out", type=Path, required=True, help="feature table, Parquet")
    parser.add_argument("--jobs", type=at_least_one, help="processes; default: as many as fit")
    args = parser.parse_args(argv)

    from pipeline.case_table import exit_code, log_failures, write_case_table
    from pipeline.config.cohort import load_cohort_config
    from pipeline.config.loading import load_settings
    from pipeline.config.prepare import PrepareConfig
    from pipeline.executor.machine import default_jobs
    from pipeline.features.provenance import describe_extraction, log_remarks
    from pipeline.ingest.cohort import read_checked_cohort
    from pipeline.store.results import ResultStore, default_store_root

    cohort_config = load_cohort_config(args.cohort_config)
    cohort = read_checked_cohort(args.cohort, cohort_config.root, cohort_config.reading)
    parameters = load_parameters(args.config_dir, cohort)
    prepare = load_settings(PrepareConfig, args.prepare_config)
    store = ResultStore(default_store_root())
    table = run(cohort, prepare, parameters, store, args.jobs or default_jobs())
    about = {
        str(modality): describe_extraction(table.rows[table.rows["modality"] == modality], chosen)
        for modality, chosen in parameters.items()
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
