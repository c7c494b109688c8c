"""Stage pictures: what was measured, drawn on each patient's scans; a page a patient, an index."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import ExitCode, at_least_one, run_command

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.cases import Preparation
    from pipeline.config.measure import MeasureConfig
    from pipeline.domain.cohort import Cohort
    from pipeline.report.response_page import PatientCard, VisitView
    from pipeline.response.measured import Measured
    from pipeline.visits import VisitRows

PAGES = "patients"
"""Folder of the patients' pages beside the index."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """How and where to draw; the same for all patients."""

    preparation: "Preparation"
    config: "MeasureConfig"
    folder: Path
    synthetic: bool


@dataclass(frozen=True, slots=True)
class PatientVisits:
    """The visits of a patient from baseline on, with the measures of each."""

    patient_id: str
    visits: "tuple[VisitRows, ...]"
    measures: "tuple[Mapping[str, Measured], ...]"


def run(patients: Sequence[PatientVisits], drawing: Drawing, jobs: int) -> "list[PatientCard]":
    """Draw every patient.

    Inputs
    ------
    The images and masks that the visits' rows name, by way of the prepared volumes and
    registrations in the store.

    Outputs
    -------
    ``patients/<patient_id>.html`` in the folder, self-contained, and the card of each patient. A
    visit whose images cannot be loaded has its reason on the page.

    Parameters
    ----------
    patients : sequence of PatientVisits
        From :func:`list_patients`.
    drawing : Drawing
        Settings and folder.
    jobs : int
        Processes; the files do not depend on their number.
    """
    from pipeline.domain.errors import CaseError
    from pipeline.executor.running import run_cases

    outcomes = run_cases(partial(draw_patient, drawing=drawing), patients, jobs, "draw")
    cards = []
    for patient, outcome in zip(patients, outcomes, strict=True):
        if outcome.result is None:
            reason = outcome.failure.reason if outcome.failure else "no result"
            msg = f"{patient.patient_id} could not be drawn: {reason}"
            raise CaseError(msg)
        cards.append(outcome.result)
    return cards


def list_patients(
    cohort: "Cohort", measures: "pd.DataFrame", phase_order: Sequence[str]
) -> list[PatientVisits]:
    """Return each patient's visits with their rows of the table of measures."""
    from pipeline.domain.scan import Modality, Timepoint
    from pipeline.response.visit_measures import VisitKey, read_visits
    from pipeline.visits import VisitRows, group_visits

    measured = read_visits(measures, list(Timepoint))
    patients: dict[str, list[VisitRows]] = {}
    visits = group_visits(cohort.scans, phase_order)
    times = list(Timepoint)
    for visit in sorted(visits, key=lambda visit: times.index(Timepoint(visit.key["timepoint"]))):
        patients.setdefault(visit.key["patient_id"], []).append(visit)

    def find(visit: VisitRows) -> "Mapping[str, Measured]":
        key = visit.key
        modality, timepoint = Modality(key["modality"]), Timepoint(key["timepoint"])
        place = VisitKey(key["patient_id"], timepoint, modality)
        return measured.get(place, {}).get(key["lesion_id"], {})

    return [
        PatientVisits(patient_id, tuple(visits), tuple(map(find, visits)))
        for patient_id, visits in patients.items()
    ]


def draw_patient(patient: PatientVisits, drawing: Drawing) -> "PatientCard":
    """Write the page of a patient and return the card."""
    from urllib.parse import quote

    from pipeline.report.response_page import make_card, render_response_page
    from pipeline.tabular import write_text
    from pipeline.visits import pair_times

    baselines = {tuple(later.key.values()): first for first, later in pair_times(patient.visits)}
    views = [
        draw_view(rows, baselines.get(tuple(rows.key.values())), measures, drawing)
        for rows, measures in zip(patient.visits, patient.measures, strict=True)
    ]
    name = f"{quote(patient.patient_id, safe='')}.html"
    page = render_response_page(
        patient.patient_id, views, synthetic=drawing.synthetic, index="../index.html"
    )
    write_text(page, drawing.folder / PAGES / name)
    return make_card(patient.patient_id, f"{PAGES}/{quote(name)}", views)


def draw_view(
    rows: "VisitRows",
    baseline: "VisitRows | None",
    measures: "Mapping[str, Measured]",
    drawing: Drawing,
) -> "VisitView":
    """Draw one visit, or say why it cannot be; ``baseline`` is the visit that it is laid on."""
    from pipeline.case_table import relate_to_images
    from pipeline.domain.errors import PipelineError
    from pipeline.domain.scan import Modality
    from pipeline.report.response_page import VisitView
    from pipeline.visit_pictures import draw_visit
    from pipeline.visits import load_visit, register_times

    key, preparation = rows.key, drawing.preparation
    blank = VisitView(
        title=f"{key['timepoint']} {key['modality']}, lesion {key['lesion_id']}",
        modality=Modality(key["modality"]),
        registrations={},
        measures=measures,
    )
    try:
        visit = load_visit(rows, preparation)
        pictures = draw_visit(visit, drawing.config)
        registrations = {
            f"{phase} on {visit.reference}": item for phase, item in visit.registrations.items()
        }
        if baseline is not None:
            registrations["visit on baseline"] = register_times(baseline, rows, preparation)
    except PipelineError as error:
        return replace(blank, failure=relate_to_images(str(error), preparation.images))
    return replace(blank, pictures=pictures, registrations=registrations)


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m pipeline.stages.pictures", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="configs/measure.yaml")
    parser.add_argument("--prepare-config", type=Path, required=True, help="configs/prepare.yaml")
    parser.add_argument("--cohort", type=Path, required=True, help="checked tables (data/cohort)")
    parser.add_argument("--cohort-config", type=Path, required=True, help="configs/cohort.yaml")
    parser.add_argument("--measures", type=Path, required=True, help="table of measure, Parquet")
    parser.add_argument("--out", type=Path, required=True, help="folder for the pages")
    parser.add_argument("--jobs", type=at_least_one, help="processes; default: as many as fit")
    return parser.parse_args(argv)


def _command(argv: Sequence[str]) -> ExitCode:
    args = _parse(argv)

    import json

    from pipeline.cases import Preparation
    from pipeline.config.cohort import load_cohort_config
    from pipeline.config.loading import load_settings
    from pipeline.config.measure import MeasureConfig
    from pipeline.config.prepare import PrepareConfig
    from pipeline.executor.machine import default_jobs
    from pipeline.ingest.cohort import read_checked_cohort
    from pipeline.report.response_page import render_response_index
    from pipeline.response.visit_measures import MEASURE_COLUMNS
    from pipeline.store.results import ResultStore, default_store_root
    from pipeline.tabular import read_parquet, write_text

    config = load_cohort_config(args.cohort_config)
    cohort = read_checked_cohort(args.cohort, config.root, config.reading)
    prepare = load_settings(PrepareConfig, args.prepare_config)
    store = ResultStore(default_store_root())
    synthetic = json.loads((args.cohort / "cohort.json").read_text())["synthetic"]
    preparation = Preparation(cohort.root, prepare, store, cohort.reading)
    settings = load_settings(MeasureConfig, args.config)
    measures = read_parquet(args.measures, MEASURE_COLUMNS, "measure")
    patients = list_patients(cohort, measures, prepare.phase_order)
    drawing = Drawing(preparation, settings, args.out, synthetic)
    cards = run(patients, drawing, args.jobs or default_jobs())
    write_text(render_response_index(cards, synthetic=synthetic), args.out / "index.html")
    return ExitCode.DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from the command line."""
    return run_command(_command, argv)


if __name__ == "__main__":
    raise SystemExit(main())
