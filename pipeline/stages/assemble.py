"""Stage ``assemble``: all that is known of a patient becomes one row of features.

Inputs
    Radiomic features and response measures (a row a lesion and scan), serum features, and the
    patients and scans of the checked cohort.
Outputs
    A feature table, one row a patient, each column with group and unit; what became of each lesion
    between the time points; the response of each patient by the criteria, to be read.
"""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import ExitCode, run_command

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.config.assemble import AssembleConfig
    from pipeline.config.cohort import CohortConfig
    from pipeline.domain.cohort import ScanRow
    from pipeline.domain.features import FeatureTable
    from pipeline.domain.scan import Timepoint
    from pipeline.response.patient import LesionView

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What is joined.

    Parameters
    ----------
    patients : pandas.DataFrame
        ``patients.csv`` of the checked cohort; its patients are the rows of the result.
    scans : sequence of ScanRow
        For the dates of the scans.
    radiomics : pandas.DataFrame
        A row a patient, time point, modality, phase, lesion and region.
    measures : pandas.DataFrame
        A row a patient, time point, modality and lesion.
    serum : FeatureTable
        A row a patient.
    """

    patients: "pd.DataFrame" = field(repr=False)
    scans: "Sequence[ScanRow]" = field(repr=False)
    radiomics: "pd.DataFrame" = field(repr=False)
    measures: "pd.DataFrame" = field(repr=False)
    serum: "FeatureTable" = field(repr=False)


@dataclass(frozen=True, slots=True)
class Assembled:
    """What the parts became.

    Parameters
    ----------
    features : FeatureTable
        A row a patient.
    lesions : pandas.DataFrame
        A row a patient and lesion: whether it is the same at both time points, and why.
    response : pandas.DataFrame
        A row a patient: categories and changes by each criterion, and why one is missing.
    weights : pandas.DataFrame
        Which lesions stand for each patient in a visit and in the change, for stage train.
    """

    features: "FeatureTable"
    lesions: "pd.DataFrame" = field(repr=False)
    response: "pd.DataFrame" = field(repr=False)
    weights: "pd.DataFrame" = field(repr=False)


def run(parts: Parts, cohort: "CohortConfig", config: "AssembleConfig") -> Assembled:
    """Join the parts; every patient of the cohort keeps a row, whatever is missing."""
    from pipeline.features.clinical import encode_covariates
    from pipeline.features.lipiodol_guard import explain_withheld
    from pipeline.response.lesion_matching import list_lesions, match_patients
    from pipeline.response.lesion_standing import find_standings
    from pipeline.response.lesion_weights import tabulate_weights
    from pipeline.response.patient import (
        LesionView,
        explain_missing,
        measure_patients,
        response_features,
        size_features,
    )
    from pipeline.response.patient_response import (
        assess_patients,
        criteria_features,
        tabulate_responses,
    )
    from pipeline.response.visit_measures import read_visits

    oily, parts = _withhold_texture(parts, config.lipiodol_tolerated_percent)
    now, earlier, order = cohort.scoring_timepoint, _earlier(cohort), config.modality_order
    visits = read_visits(parts.measures, [now] if earlier is None else [earlier, now])
    matches = match_patients(visits, order, config.match_tolerance_mm) if earlier else {}
    standings = find_standings(visits, matches, order, now)
    view = LesionView(visits, standings, config.lesion_rule)
    clinical = encode_covariates(parts.patients, cohort.covariates)
    tables = [clinical, parts.serum, size_features(view, now, order), response_features(view, now)]
    tables.append(_radiomics(parts.radiomics, view, now))
    responses = {}
    if earlier is not None:
        responses = assess_patients(visits, matches, order, config.target_lesions)
        deltas = _deltas(parts, view, config, (earlier, now))
        tables = [*tables[:-1], criteria_features(responses), tables[-1], *deltas]
    patient_ids = clinical.values.index
    weights = tabulate_weights(view)
    missing = explain_missing(measure_patients(view, now))
    for patient_id, line in explain_withheld(oily, weights, now).items():
        missing[patient_id] = "; ".join(filter(None, [missing[patient_id], line]))
    response = tabulate_responses(responses, missing, patient_ids)
    features, lesions = _join(tables, patient_ids), list_lesions(matches)
    return Assembled(features, lesions, response, weights)


def _withhold_texture(parts: Parts, tolerated_percent: float) -> "tuple[pd.DataFrame, Parts]":
    """Return the lesions with much lipiodol, and the parts without their texture."""
    from pipeline.features.lipiodol_guard import find_oily_lesions, withhold_texture

    oily = find_oily_lesions(parts.measures, tolerated_percent)
    if len(oily):
        _LOG.warning(
            "note: lipiodol in more than %g %% of %d lesions on CT: of their radiomics shape alone"
            " is kept.",
            tolerated_percent,
            len(oily),
        )
    return oily, replace(parts, radiomics=withhold_texture(parts.radiomics, oily))


def _earlier(cohort: "CohortConfig") -> "Timepoint | None":
    from pipeline.domain.scan import Timepoint

    return Timepoint.BASELINE if cohort.scoring_timepoint is Timepoint.PREOP else None


def _radiomics(
    rows: "pd.DataFrame", view: "LesionView", timepoint: "Timepoint", change: bool = False
) -> "FeatureTable":
    """Return the radiomic features of each patient at a time point, by the lesion rule."""
    from pipeline.domain.features import FeatureGroup, FeatureSpec, FeatureTable
    from pipeline.features.delta import widen
    from pipeline.features.lesions import combine_lesions
    from pipeline.response.lesion_standing import list_weights

    weights = list_weights(view.visits, view.standings, view.rule, change)
    frame = widen(combine_lesions(rows, weights), timepoint)
    # PyRadiomics does not state units; they follow from the image's and differ by feature.
    group = FeatureGroup.RADIOMICS
    specs = tuple(FeatureSpec(str(name), group, "as PyRadiomics") for name in frame.columns)
    return FeatureTable(frame, specs)


def _deltas(
    parts: Parts,
    view: "LesionView",
    config: "AssembleConfig",
    timepoints: "tuple[Timepoint, Timepoint]",
) -> "list[FeatureTable]":
    """Return the change of response measures and of radiomics, of matched lesions only."""
    from pipeline.domain.features import FeatureGroup
    from pipeline.features.delta import compute_delta, count_days
    from pipeline.response.patient import describe_features, measure_patients, tabulate_measures

    measures, radiomics = [], []
    for timepoint in timepoints:
        frame = tabulate_measures(measure_patients(view, timepoint, change=True))
        seen = frame.dropna(axis=1, how="all")
        measures.append(describe_features(seen, FeatureGroup.RESPONSE))
        radiomics.append(_radiomics(parts.radiomics, view, timepoint, change=True))
    days = count_days(parts.scans)
    return [
        compute_delta(after, before, config.delta_forms, days)
        for before, after in (measures, radiomics)
    ]


def _join(tables: Sequence["FeatureTable"], patient_ids: "pd.Index") -> "FeatureTable":
    import pandas as pd

    from pipeline.domain.features import FeatureTable

    values = pd.concat([table.values.reindex(patient_ids) for table in tables], axis=1)
    return FeatureTable(values, tuple(spec for table in tables for spec in table.specs))


def _command(argv: Sequence[str]) -> ExitCode:
    parser = argparse.ArgumentParser(prog="pipeline.stages.assemble", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="assemble.yaml")
    parser.add_argument("--cohort-config", type=Path, required=True, help="cohort.yaml")
    parser.add_argument("--cohort", type=Path, required=True, help="the checked cohort's folder")
    parser.add_argument("--radiomics", type=Path, required=True, help="table of stage extract")
    parser.add_argument("--measures", type=Path, required=True, help="table of stage measure")
    parser.add_argument("--serum", type=Path, required=True, help="table of stage biomarkers")
    parser.add_argument("--out", type=Path, required=True, help="feature table to write (Parquet)")
    parser.add_argument("--lesions-out", type=Path, help="table of matched lesions (Parquet)")
    parser.add_argument("--response-out", type=Path, help="table of responses to read (Parquet)")
    parser.add_argument("--weights-out", type=Path, help="which lesions stand for whom (Parquet)")
    args = parser.parse_args(argv)

    from pipeline.config.assemble import AssembleConfig
    from pipeline.config.cohort import load_cohort_config
    from pipeline.config.loading import load_settings
    from pipeline.features.lesions import RADIOMIC_COLUMNS
    from pipeline.ingest.cohort import read_checked_cohort
    from pipeline.response.visit_measures import MEASURE_COLUMNS
    from pipeline.tabular import (
        read_feature_table,
        read_parquet,
        write_feature_table,
        write_parquet,
    )

    checked = read_checked_cohort(args.cohort)
    parts = Parts(
        patients=checked.patients,
        scans=checked.scans,
        radiomics=read_parquet(args.radiomics, RADIOMIC_COLUMNS, "extract"),
        measures=read_parquet(args.measures, MEASURE_COLUMNS, "measure"),
        serum=read_feature_table(args.serum),
    )
    config = load_settings(AssembleConfig, args.config)
    assembled = run(parts, load_cohort_config(args.cohort_config), config)
    write_feature_table(assembled.features, args.out)
    if args.lesions_out:
        write_parquet(assembled.lesions, args.lesions_out)
    if args.response_out:
        write_parquet(assembled.response, args.response_out)
    if args.weights_out:
        write_parquet(assembled.weights, args.weights_out)
    return ExitCode.DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from the command line."""
    return run_command(_command, argv)


if __name__ == "__main__":
    raise SystemExit(main())
