"""Stage stability: prepared volumes -> how stable each radiomic feature is, as ICC.

Tumours of a few scans are perturbed as other scans and readers would change them; the share of a
feature's variation that lies between patients is its ICC. With a second reader's masks, their
agreement is added. No outcome is looked at.
"""

import argparse
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import ExitCode, at_least_one, run_command

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.case_table import CaseTable
    from pipeline.cases import Preparation
    from pipeline.config.cohort import CohortConfig
    from pipeline.config.extraction import ExtractionParameters
    from pipeline.config.stability import StabilityConfig
    from pipeline.domain.cohort import Cohort, ScanRow
    from pipeline.domain.scan import Modality
    from pipeline.executor.outcome import CaseOutcome
    from pipeline.features.stability.tables import Features, Measured

    Repeats = tuple[CaseOutcome[dict[str, float]], ...]
    Pairs = Sequence[tuple[ScanRow, ScanRow]]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StabilityInputs:
    """What stability is measured on and how.

    Parameters
    ----------
    preparation : Preparation
        Prepared volumes; its store also keeps every perturbed extraction.
    parameters : mapping of Modality to ExtractionParameters
        As in the stage extract, one of each modality.
    config : StabilityConfig
        Sample, perturbations, seed.
    pairs : sequence of (ScanRow, ScanRow), optional
        Rows that a second reader has drawn again, and the second reader's; None where there are
        no second masks.
    """

    preparation: "Preparation"
    parameters: "Mapping[Modality, ExtractionParameters]"
    config: "StabilityConfig"
    pairs: "Pairs | None" = field(default=None, repr=False)


def run(scans: "Sequence[ScanRow]", inputs: StabilityInputs, jobs: int) -> "CaseTable":
    """Measure the stability of every radiomic feature of the tumour.

    Inputs
    ------
    The prepared volumes of the sampled scans, in HU, SUV or MR signal.

    Outputs
    -------
    rows
        One row a (modality, phase, region, feature), without unit: columns in
        :mod:`pipeline.features.stability.tables`.
    failures
        Every perturbation and every second mask that gave no features.

    Parameters
    ----------
    scans : sequence of ScanRow
        Rows of the checked cohort.
    inputs : StabilityInputs
        How.
    jobs : int
        Processes; the result does not depend on them.
    """
    from pipeline.case_table import CaseTable, list_failures
    from pipeline.executor.running import run_cases
    from pipeline.features.stability.sample import choose_rows, split_pairs
    from pipeline.features.stability.tables import add_readers, perturbation_table, reader_table

    rows = choose_rows(scans, inputs.config.cases, inputs.config.seed)
    outcomes = run_cases(partial(perturb_case, inputs=inputs), rows, jobs, "stability")
    repeats = [_repeats(outcome, inputs.config.perturbations) for outcome in outcomes]
    failures = _failures(rows, repeats, inputs, "perturbation {}")
    table = perturbation_table(_group(rows, repeats, inputs.parameters))
    if inputs.pairs is not None:
        pairs, left_out = split_pairs(inputs.pairs, inputs.config.seed)
        _log_left_out(len(left_out), len(inputs.pairs))
        read = run_cases(partial(read_twice, inputs=inputs), pairs, jobs, "second masks")
        firsts = [first for first, _ in pairs]
        readings = [_repeats(outcome, 2) for outcome in read]
        failures += _failures(firsts, readings, inputs, "mask {} of 2", first_number=1)
        readers = reader_table(_group(firsts, readings, inputs.parameters))
        table = add_readers(table, readers, [(row.modality, row.phase) for row in left_out])
    return CaseTable(table, list_failures(failures))


def perturb_case(row: "ScanRow", inputs: StabilityInputs) -> "Repeats":
    """Extract the features of every perturbation of one scan's tumour."""
    from pipeline.features.extraction import plan_extraction
    from pipeline.features.stability.perturbed import PerturbedCase, extract_perturbed

    preparation = inputs.preparation
    case = PerturbedCase(
        name=row.case_id,
        key=preparation.key(row),
        load=partial(preparation.take, row),
        margin_mm=preparation.config.margin_mm,
    )
    extraction = plan_extraction(inputs.parameters[row.modality])
    return extract_perturbed(case, extraction, inputs.config, preparation.store)


def read_twice(pair: "tuple[ScanRow, ScanRow]", inputs: StabilityInputs) -> "Repeats":
    """Extract the features of one tumour with the masks of two readers, as the stage extract."""
    from pipeline.executor.outcome import attempt

    return tuple(attempt(partial(_extract, inputs=inputs), row) for row in pair)


def _extract(row: "ScanRow", inputs: StabilityInputs) -> dict[str, float]:
    from pipeline.features.extraction import plan_extraction
    from pipeline.features.stability.perturbed import REGION

    preparation = inputs.preparation
    extraction = plan_extraction(inputs.parameters[row.modality])
    known = extraction.load(preparation.store, extraction.key_from(preparation.key(row), REGION))
    if known is not None:
        return known
    own, prepared = preparation.take(row)
    key, region = extraction.key_from(own, REGION), prepared.regions[REGION]
    return extraction.load_or_compute(
        preparation.store, key, prepared.texture_scan, region, prepared.references
    )


def _repeats(outcome: "CaseOutcome[Repeats]", count: int) -> "Repeats":
    """Return what became of each measurement; all failed where the case as a whole did."""
    from pipeline.executor.outcome import CaseOutcome

    if outcome.result is not None:
        return outcome.result
    return (CaseOutcome(failure=outcome.failure),) * count


def _failures(
    rows: "Iterable[ScanRow]",
    repeats: "Iterable[Repeats]",
    inputs: StabilityInputs,
    what: str,
    first_number: int = 0,
) -> list[dict[str, str]]:
    """List failed measurements, each with the number by which ``what`` names it."""
    from pipeline.case_table import relate_to_images
    from pipeline.cases import key_of
    from pipeline.features.stability.perturbed import REGION

    images = inputs.preparation.images
    return [
        {
            **key_of(row),
            "region": REGION,
            "code": outcome.failure.code,
            "reason": relate_to_images(f"{what.format(number)}: {outcome.failure.reason}", images),
        }
        for row, outcomes in zip(rows, repeats, strict=True)
        for number, outcome in enumerate(outcomes, first_number)
        if outcome.failure is not None
    ]


def _group(
    rows: "Sequence[ScanRow]",
    repeats: "Sequence[Repeats]",
    parameters: "Mapping[Modality, ExtractionParameters]",
) -> "list[Measured]":
    """Put the measurements of each modality and phase together, in the order of their names."""
    from pipeline.features.cohort import list_feature_names
    from pipeline.features.stability.perturbed import REGION
    from pipeline.features.stability.tables import Measured

    groups: dict[tuple[Modality, str], list[list[Features | None]]] = {}
    for row, outcomes in zip(rows, repeats, strict=True):
        group = groups.setdefault((row.modality, row.phase), [])
        group.append([outcome.result for outcome in outcomes])
    return [
        Measured(str(modality), phase, REGION, list_feature_names([parameters[modality]]), cases)
        for (modality, phase), cases in sorted(groups.items())
    ]


def _command(argv: Sequence[str]) -> ExitCode:
    args = _parse(argv)

    from pipeline.case_table import write_case_table
    from pipeline.cases import Preparation
    from pipeline.config.cohort import load_cohort_config
    from pipeline.config.extraction import load_modality_parameters
    from pipeline.config.loading import load_settings
    from pipeline.config.prepare import PrepareConfig
    from pipeline.config.stability import StabilityConfig
    from pipeline.executor.machine import default_jobs
    from pipeline.ingest.cohort import read_checked_cohort
    from pipeline.store.results import ResultStore, default_store_root

    cohort_config = load_cohort_config(args.cohort_config)
    cohort = read_checked_cohort(args.cohort, cohort_config.root, cohort_config.reading)
    prepare = load_settings(PrepareConfig, args.prepare_config)
    store = ResultStore(default_store_root())
    inputs = StabilityInputs(
        Preparation(cohort.root, prepare, store, cohort.reading),
        load_modality_parameters(args.config_dir, (row.modality for row in cohort.scans)),
        load_settings(StabilityConfig, args.config),
        _read_pairs(args.second_masks, cohort, cohort_config),
    )
    table = run(cohort.scans, inputs, args.jobs or default_jobs())
    write_case_table(table, args.out, {"settings": inputs.config.model_dump(mode="json")})
    return _exit_code(table, cohort_config)


def _read_pairs(
    file: Path | None, cohort: "Cohort", config: "CohortConfig"
) -> "list[tuple[ScanRow, ScanRow]] | None":
    from pipeline.ingest.second_masks import read_second_masks

    if file is None:
        return None
    return read_second_masks(file, cohort, allow_outside=config.allow_outside)


def _exit_code(table: "CaseTable", config: "CohortConfig") -> ExitCode:
    """Say what failed; it stops a strict run where it leaves a modality and phase with nothing."""
    from pipeline.config.cohort import Policy

    _log_failures(table.failures)
    most_cases = table.rows.groupby(["modality", "phase"])["n_cases"].max()
    lost = config.policy is Policy.STRICT and bool((most_cases == 0).any())
    return ExitCode.SOME_CASES_FAILED if lost else ExitCode.DONE


def _log_left_out(left_out: int, pairs: int) -> None:
    if left_out:
        _LOG.warning(
            "note: %d of %d second masks left out: of each modality and phase a patient counts"
            " once, because an ICC's interval takes its cases as independent.",
            *(left_out, pairs),
        )


def _log_failures(failures: "pd.DataFrame") -> None:
    from pipeline.cases import KEY_COLUMNS

    for failure in failures.to_dict("records"):
        place = "/".join(failure[name] for name in (*KEY_COLUMNS, "region"))
        _LOG.warning("failed: %s: [%s] %s", place, failure["code"], failure["reason"])


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="pipeline.stages.stability", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="configs/stability.yaml")
    parser.add_argument("--prepare-config", type=Path, required=True, help="configs/prepare.yaml")
    parser.add_argument("--config-dir", type=Path, required=True, help="has extraction_*.yaml")
    parser.add_argument("--cohort", type=Path, required=True, help="checked tables (data/cohort)")
    parser.add_argument("--cohort-config", type=Path, required=True, help="configs/cohort.yaml")
    parser.add_argument("--out", type=Path, required=True, help="table of coefficients, Parquet")
    parser.add_argument(
        "--second-masks",
        type=Path,
        help="CSV: patient_id, timepoint, modality, phase, lesion_id, mask, mask_label of the"
        " masks that a second reader has drawn; paths relative to the cohort folder",
    )
    parser.add_argument("--jobs", type=at_least_one, help="processes; default: as many as fit")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage."""
    return run_command(_command, argv)


if __name__ == "__main__":
    raise SystemExit(main())
