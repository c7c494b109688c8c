"""Features of new patients through the very functions that made the training table."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from pipeline.case_table import CaseTable, split_absent
from pipeline.config.extraction import load_modality_parameters
from pipeline.domain.cohort import Cohort
from pipeline.domain.features import FeatureTable
from pipeline.domain.problem import Problem
from pipeline.modeling.habitat_features import append
from pipeline.modeling.habitat_models import Models
from pipeline.scoring.habitats import score_habitats
from pipeline.scoring.settings import ScoringSettings
from pipeline.stages import assemble, biomarkers, extract, measure
from pipeline.store.results import ResultStore


@dataclass(frozen=True, slots=True)
class AssembledPatients:
    """Features of patients, and those whose images failed on the way.

    Parameters
    ----------
    table : FeatureTable
        Without those who failed.
    failed : dict
        Problems by patient.
    absent : dict
        By patient, the regions that a scan does not have, with the reason: their features are
        missing.
    """

    table: FeatureTable
    failed: dict[str, list[Problem]]
    absent: dict[str, list[str]]


def assemble_patients(
    cohort: Cohort,
    settings: ScoringSettings,
    store: ResultStore,
    jobs: int,
    habitats: Models | None = None,
) -> AssembledPatients:
    """Extract, measure and assemble every patient of a checked cohort.

    A patient with one failed case has no row: an answer that silently lacks a scan would look
    like one that never had it. A region that a scan does not have is no failed case.
    """
    modalities = (row.modality for row in cohort.scans)
    parameters = load_modality_parameters(settings.folder, modalities)
    wanted = extract.ExtractSettings(
        settings.prepare, parameters, settings.measure, settings.assemble.lesion_rule
    )
    radiomics = extract.run(cohort, wanted, store, jobs)
    rule = settings.assemble.lesion_rule
    asked = measure.MeasureSettings(settings.prepare, settings.measure, rule)
    tables = measure.run(cohort, asked, store, jobs)
    measures = tables.measures
    failed: dict[str, list[Problem]] = {}
    for problem in (*_problems(radiomics), *_problems(measures)):
        failed.setdefault(problem.patient_id, []).append(problem)
    kept = cohort.patients[~cohort.patients["patient_id"].isin(list(failed))]
    parts = assemble.Parts(
        patients=kept,
        scans=cohort.scans,
        radiomics=_without(radiomics.rows, failed),
        measures=_without(measures.rows, failed),
        serum=biomarkers.run(cohort, settings.biomarkers),
    )
    assembled = assemble.run(parts, settings.cohort, settings.assemble)
    absent = _absent_regions(radiomics)
    table = assembled.features
    if habitats:
        found = score_habitats(tables.habitat_voxels, assembled, settings.cohort, habitats)
        table = append(table, found.features)
        for patient_id, reasons in found.absent.items():
            absent.setdefault(patient_id, []).extend(reasons)
    return AssembledPatients(table, failed, absent)


def _without(rows: pd.DataFrame, failed: Mapping[str, object]) -> pd.DataFrame:
    return rows[~rows["patient_id"].isin(list(failed))]


def _absent_regions(table: CaseTable) -> dict[str, list[str]]:
    absent: dict[str, list[str]] = {}
    for case in split_absent(table.failures)[1].to_dict("records"):
        place = f"{case['timepoint']} {case['modality']} {case['phase']} lesion {case['lesion_id']}"
        absent.setdefault(case["patient_id"], []).append(f"{place}: {case['reason']}")
    return absent


def _problems(table: CaseTable) -> list[Problem]:
    return [
        Problem(
            code=failure["code"],
            what=f"the {failure['timepoint']} {failure['modality']} {failure['phase']} case failed",
            expected="features of the lesion",
            got=failure["reason"],
            next_step="Mend the scan or its mask.",
            patient_id=failure["patient_id"],
            file="scans.csv",
        )
        for failure in split_absent(table.failures)[0].to_dict("records")
    ]
