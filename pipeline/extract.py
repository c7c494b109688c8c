"""Extract radiomics features of one image and mask, or of a whole cohort folder.

Works on the files as they are: with the same parameter file the numbers are PyRadiomics' own. The
stage of the same name works on prepared volumes (canonical axes, cropped) instead.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import ExitCode, at_least_one, run_command

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.case_table import CaseTable
    from pipeline.config.extraction import ExtractionParameters
    from pipeline.domain.cohort import Cohort, ScanRow
    from pipeline.domain.problem import Problem
    from pipeline.domain.regions import RegionName
    from pipeline.domain.scan import Region, Scan
    from pipeline.executor.outcome import CaseOutcome
    from pipeline.executor.running import Executor
    from pipeline.features.extraction import Extraction
    from pipeline.imaging.intensity import IntensityReference
    from pipeline.ingest.read_error import ReadError
    from pipeline.ingest.source_memory import SourceMemory
    from pipeline.region_cases import RegionCase
    from pipeline.store.results import ResultStore

DEFAULT_LABEL = 1
"""PyRadiomics' own choice where neither the command nor the parameter file names a label."""

_EPILOG = """\
One case (--image, --mask): F.csv gets a header and one row. The region is the voxels with --label,
else with the parameter file's setting.label, else with 1. In a DICOM SEG or RTSTRUCT --label names
the segment or contour; it may be left out where there is only one.

A cohort (--cohort): the folder --out gets features.csv, features.parquet, failures.csv and
extraction.json (engine, settings, versions, remarks); the parameter file applies to all modalities.
A region that a scan does not have (pipeline.regions: no liver mask) is listed in failures.csv with
the code region-absent and is no failure.
The region is the voxels with mask_label, else with the parameter file's setting.label, else with
the only value. Results of single cases are kept in the folder that NECROSIS_STORE names (default
data/store), so the same command resumes where it was stopped.

Exit codes: 0 done, 1 the input has problems, 2 wrong usage, 3 some cases failed (listed in
failures.csv) and the rest is complete, 130 interrupted.
"""


def extract_files(
    case: "RegionCase", images: Path, parameters: "ExtractionParameters"
) -> dict[str, float]:
    """Extract the features of one region of a row of ``scans.csv``, from its files as they are."""
    from pipeline.features.extraction import plan_extraction

    return plan_extraction(parameters).compute(*_read(case, images, parameters))


def extract_files_once(
    case: "RegionCase", images: Path, parameters: "ExtractionParameters", store: "ResultStore"
) -> dict[str, float]:
    """Do as :func:`extract_files`, or take the result from the store.

    Files that look untouched since then are not even read.
    """
    from pipeline.features.extraction import plan_extraction

    known = recall_features(case, images, parameters, store)
    if known is not None:
        return known
    extraction = plan_extraction(parameters)
    memory, purpose = _memory_of(case, images, extraction, store)
    look = memory.look(case.row, purpose)
    found = _read(case, images, parameters)
    key = extraction.key_of(*found)
    values = extraction.load_or_compute(store, key, *found)
    if memory.look(case.row, purpose) == look:  # else they changed while they were read
        memory.remember(look, key)
    return values


def recall_features(
    case: "RegionCase", images: Path, parameters: "ExtractionParameters", store: "ResultStore"
) -> dict[str, float] | None:
    """Return the features in the store for files that look untouched, without reading these."""
    from pipeline.features.extraction import plan_extraction

    extraction = plan_extraction(parameters)
    memory, purpose = _memory_of(case, images, extraction, store)
    key = memory.recall(memory.look(case.row, purpose))
    return None if key is None else extraction.load(store, key)


def _memory_of(
    case: "RegionCase", images: Path, extraction: "Extraction", store: "ResultStore"
) -> "tuple[SourceMemory, str]":
    from pipeline.domain.reading import DEFAULT_READING
    from pipeline.ingest.source_memory import SourceMemory
    from pipeline.region_cases import identify_region_code

    made_from = f"files as they are {identify_region_code(case.region)}".strip()
    purpose = extraction.key_from(made_from, case.region)
    return SourceMemory(store, images, DEFAULT_READING), purpose


def _read(
    case: "RegionCase", images: Path, parameters: "ExtractionParameters"
) -> "tuple[Scan, Region, dict[str, IntensityReference]]":
    from pipeline.cases import read_case
    from pipeline.imaging.intensity import measure_references
    from pipeline.regions import find_on_image

    scan, regions = read_case(case.row, images)
    standardised = parameters.pipeline.standardise != "none"
    references = measure_references(scan, regions) if standardised else {}
    return scan, find_on_image(case.region, regions), references


def extract_cohort(
    cohort: "Cohort",
    parameters: "ExtractionParameters",
    store: "ResultStore",
    executor: "Executor | int | None",
) -> "CaseTable":
    """Extract the features of every region of every scan of a cohort, from the files as they are.

    Parameters
    ----------
    cohort : Cohort
        Its root is where the images are.
    parameters : ExtractionParameters
        The same for all modalities.
    store : ResultStore
        Results of single cases; what is found there is not computed again.
    executor : Executor, int or None
        Where the work is done, or the number of processes on this machine; None for as many as
        its cores and its memory allow.
    """
    from pipeline.case_table import build_case_table
    from pipeline.cases import KEY_COLUMNS
    from pipeline.domain.scan import Modality
    from pipeline.features.cohort import list_feature_names
    from pipeline.region_cases import list_region_cases

    _refuse_regions(parameters, [one for one in parameters.pipeline.regions if one.needs_visit])
    names = list_feature_names([parameters])
    rows = [_with_label(row, parameters.label) for row in cohort.scans]
    cases = list_region_cases(rows, dict.fromkeys(Modality, parameters))
    keys = [case.key for case in cases]
    outcomes = _extract_all(cases, cohort.root, parameters, store, executor)
    return build_case_table(keys, outcomes, [*KEY_COLUMNS, "region", *names], cohort.root)


def _extract_all(
    cases: "Sequence[RegionCase]",
    images: Path,
    parameters: "ExtractionParameters",
    store: "ResultStore",
    executor: "Executor | int | None",
) -> "list[CaseOutcome[dict[str, float]]]":
    """Return what becomes of each case; only those that the store lacks are given to workers."""
    from pipeline.executor.outcome import CaseOutcome
    from pipeline.executor.running import run_cases

    known = [recall_features(case, images, parameters, store) for case in cases]
    outcomes = [CaseOutcome(result=values) for values in known]
    missing = [number for number, values in enumerate(known) if values is None]
    if len(missing) < len(cases):
        count = len(cases) - len(missing)
        print(f"extract: {count} of {len(cases)} cases from the store", file=sys.stderr)
    if missing:
        rest = [cases[number] for number in missing]
        where = _plan_jobs(rest, images, parameters, executor)
        work = partial(extract_files_once, images=images, parameters=parameters, store=store)
        weight = partial(_image_bytes, images)
        done = run_cases(work, rest, where, "extract", lambda case: case.row.image, weight)
        for number, outcome in zip(missing, done, strict=True):
            outcomes[number] = outcome
    return outcomes


def _plan_jobs(
    cases: "Sequence[RegionCase]",
    images: Path,
    parameters: "ExtractionParameters",
    executor: "Executor | int | None",
) -> "Executor | int":
    """Choose the number of processes where none is given, and say what they need."""
    from pipeline.executor.machine import available_memory_bytes, default_jobs
    from pipeline.features.memory import estimate_worker_bytes

    need = estimate_worker_bytes([images / case.row.image for case in cases], parameters)
    size = f"of about {need / 1e9:.1f} GB"
    if not (executor is None or isinstance(executor, int)):
        print(f"extract: {len(cases)} cases, workers {size} each", file=sys.stderr)
        return executor
    batches = len({case.row.image for case in cases})
    jobs = min(executor or default_jobs(need), batches)
    processes = f"1 process {size}" if jobs == 1 else f"{jobs} processes {size} each"
    print(f"extract: {len(cases)} cases, {processes}", file=sys.stderr)
    free = available_memory_bytes()
    if jobs * need > free:
        print(
            f"extract: only {free / 1e9:.1f} GB of memory are free, so processes may be killed."
            " Use fewer jobs, close other programs, or use a machine with more memory.",
            file=sys.stderr,
        )
    return jobs


def _image_bytes(root: Path, case: "RegionCase") -> float:
    """Return the size of a case's files, by which the largest go first."""
    from pipeline.features.memory import image_bytes

    return image_bytes(root / case.row.image)


def _with_label(row: "ScanRow", label: int | None) -> "ScanRow":
    """Give a row without label the parameter file's, which means voxels of image files only."""
    from pipeline.ingest.image_file import is_image_file

    if row.mask_label is not None or label is None or not is_image_file(row.mask):
        return row
    return replace(row, mask_label=str(label))


def _command_one(args: argparse.Namespace) -> ExitCode:
    import pandas as pd

    from pipeline.config.extraction import load_extraction_parameters
    from pipeline.domain.cohort import ScanRow
    from pipeline.domain.regions import RegionName
    from pipeline.domain.scan import Modality, Timepoint
    from pipeline.ingest.read_error import ReadError
    from pipeline.ingest.volume import read_modality
    from pipeline.region_cases import list_region_cases
    from pipeline.tabular import write_csv

    parameters = load_extraction_parameters(args.config)
    asked = parameters.pipeline.regions
    _refuse_regions(parameters, [one for one in asked if one is not RegionName.TUMOUR])
    label = DEFAULT_LABEL if parameters.label is None else parameters.label
    row = ScanRow(
        patient_id=args.image.name,
        timepoint=Timepoint.PREOP,
        modality=Modality(args.modality or read_modality(args.image) or Modality.CT),
        phase="",
        image=str(args.image.absolute()),
        mask=str(args.mask.absolute()),
        mask_label=args.label,
    )
    (case,) = list_region_cases([_with_label(row, label)], {row.modality: parameters})
    try:
        values = extract_files(case, Path(), parameters)
    except ReadError as error:
        raise _in_terms_of_options(error) from None
    write_csv(pd.DataFrame([values]), args.out)
    if args.label is None and parameters.label is None:
        _say_default_label(args.mask)
    return ExitCode.DONE


def _refuse_regions(parameters: "ExtractionParameters", refused: "Sequence[RegionName]") -> None:
    """Refuse regions that cannot be found here, before any image is read.

    Raises
    ------
    ConfigError
        If there are any.
    """
    from pipeline.domain.errors import ConfigError

    if refused:
        msg = (
            f"{parameters.source}: key pipeline.regions: {', '.join(refused)} cannot be found here:"
            " expected tumour alone for one image and mask (--image, --mask); tumour, liver,"
            " ring_5mm or ring_10mm for a cohort (--cohort). What several phases decide is found by"
            " stage extract (dvc repro extract). Leave it out, or give its own mask as --mask."
        )
        raise ConfigError(msg)


def _in_terms_of_options(error: "ReadError") -> "ReadError":
    """Say which option a column of ``scans.csv`` is: there is none here."""
    from pipeline.ingest.read_error import ReadError

    if "mask_label" not in str(error):
        return error
    return ReadError(
        error.path,
        error.what,
        expected=error.expected,
        got=error.got,
        next_step=f"{error.next_step} (Of one case, mask_label is the option --label.)",
        code=error.code,
    )


def _say_default_label(mask: Path) -> None:
    """Say that the default label was taken where a mask holds others too."""
    from pipeline.ingest.image_file import is_image_file
    from pipeline.ingest.image_mask import other_labels

    others = other_labels(mask, DEFAULT_LABEL) if is_image_file(mask.name) else ""
    if others:
        print(
            f"extract: label {DEFAULT_LABEL} taken, PyRadiomics' default; {mask} also holds"
            f" {others}. --label chooses.",
            file=sys.stderr,
        )


def _command_cohort(args: argparse.Namespace) -> ExitCode:
    from pipeline.case_table import log_failures, split_absent
    from pipeline.config.extraction import load_extraction_parameters
    from pipeline.domain.errors import CohortError
    from pipeline.features.provenance import describe_extraction, log_remarks
    from pipeline.ingest.cohort import read_cohort
    from pipeline.store.results import ResultStore, default_store_root
    from pipeline.tabular import write_csv, write_json, write_parquet

    parameters = load_extraction_parameters(args.config)
    cohort, problems = read_cohort(args.cohort)
    if not cohort.scans:
        raise CohortError(problems)
    store = ResultStore(default_store_root())
    table = extract_cohort(cohort, parameters, store, _executor(args))
    table = replace(table, failures=_with_unreadable_rows(table.failures, problems))
    write_csv(table.rows, args.out / "features.csv")
    write_parquet(table.rows, args.out / "features.parquet")
    write_csv(table.failures, args.out / "failures.csv")
    provenance = describe_extraction(table.rows, parameters)
    write_json(provenance, args.out / "extraction.json")
    log_failures(table)
    log_remarks(provenance)
    failed, _ = split_absent(table.failures)
    return ExitCode.SOME_CASES_FAILED if len(failed) else ExitCode.DONE


def _executor(args: argparse.Namespace) -> "Executor | int | None":
    if args.executor == "dask":
        from pipeline.executor.cluster import DaskExecutor

        return DaskExecutor(args.scheduler)
    jobs: int | None = args.jobs
    return jobs


def _with_unreadable_rows(
    failures: "pd.DataFrame", problems: "Sequence[Problem]"
) -> "pd.DataFrame":
    """Add the rows of ``scans.csv`` that could not be understood; other tables do not matter."""
    import pandas as pd

    from pipeline.case_table import list_failures

    unreadable = [
        {"patient_id": problem.patient_id, "code": problem.code, "reason": str(problem)}
        for problem in problems
        if problem.is_error and problem.file == "scans.csv"
    ]
    return pd.concat([list_failures(unreadable), failures], ignore_index=True)


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.extract",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--image", type=Path, metavar="I", help="image file or DICOM folder")
    parser.add_argument("--mask", type=Path, metavar="M", help="mask file, DICOM SEG or RTSTRUCT")
    parser.add_argument(
        "--label", metavar="L", help="voxel value of the region, or name of its segment or contour"
    )
    parser.add_argument(
        "--modality",
        choices=("CT", "MR", "PT"),
        help="what the image is; default: what a DICOM series says, CT for other files",
    )
    parser.add_argument("--cohort", type=Path, metavar="DIR", help="folder with scans.csv")
    parser.add_argument(
        "--config", type=Path, metavar="P.yaml", required=True, help="PyRadiomics parameter file"
    )
    parser.add_argument("--out", type=Path, required=True, help="CSV file, or folder for a cohort")
    parser.add_argument(
        "--jobs", type=at_least_one, metavar="N", help="processes; default: as many as fit"
    )
    parser.add_argument(
        "--executor", choices=("local", "dask"), default="local", help="where the processes run"
    )
    parser.add_argument(
        "--scheduler", metavar="ADDR", help="of a Dask cluster, such as tcp://10.0.0.1:8786"
    )
    args = parser.parse_args(argv)
    of_one_case = (args.image, args.mask, args.label)
    if args.cohort is not None and any(value is not None for value in of_one_case):
        parser.error("--cohort goes without --image, --mask and --label")
    if args.cohort is None and (args.image is None or args.mask is None):
        parser.error("expected --image and --mask, or --cohort")
    if (args.executor == "dask") != (args.scheduler is not None):
        parser.error("--executor dask and --scheduler go together")
    if args.scheduler is not None and (args.cohort is None or args.jobs is not None):
        parser.error("--scheduler goes with --cohort and without --jobs")
    return args


def _command(argv: Sequence[str]) -> ExitCode:
    args = _parse(argv)
    return _command_one(args) if args.cohort is None else _command_cohort(args)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    return run_command(_command, argv)


if __name__ == "__main__":
    raise SystemExit(main())
