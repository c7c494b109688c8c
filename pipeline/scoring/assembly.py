"""Features of new patients through the very functions that made the training table."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from pipeline.case_table import CaseTable
from pipeline.domain.cohort import Cohort
from pipeline.domain.features import FeatureTable
from pipeline.domain.problem import Problem
from pipeline.scoring.settings import ScoringSettings
from pipeline.stages import assemble, biomarkers, extract, measure
from pipeline.store.results import ResultStore


@dataclass(frozen=True, slots=True)
class AssembledPatients:
    """Features of patients, and those whose images failed on the way."""

    table: FeatureTable
    failed: dict[str, list[Problem]]


def assemble_patients(
    cohort: Cohort, settings: ScoringSettings, store: ResultStore, jobs: int
) -> AssembledPatients:
    """Extract, measure and assemble every patient of a checked cohort.

    A patient with one failed case has no row: an answer that silently lacks a scan would look
    like one that never had it.
    """
    parameters = extract.load_parameters(settings.folder, cohort)
    radiomics = extract.run(cohort, settings.prepare, parameters, store, jobs)
    measures = measure.run(cohort, settings.prepare, settings.measure, store, jobs)
    failed: dict[str, list[Problem]] = {}
    for problem in (*_problems(radiomics), *_problems(measures)):
        failed.setdefault(problem.patient_id, []).append(problem)
    kept = cohort.patients[~cohort.patients["patient_id"].isin(list(failed))]
    parts = assemble.Parts(
        patients=kept,
        radiomics=_without(radiomics.rows, failed),
        measures=_without(measures.rows, failed),
        serum=biomarkers.run(cohort, settings.biomarkers),
    )
    return AssembledPatients(assemble.run(parts, settings.cohort, settings.assemble), failed)


def _without(rows: pd.DataFrame, failed: Mapping[str, object]) -> pd.DataFrame:
    return rows[~rows["patient_id"].isin(list(failed))]


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
        for failure in table.failures.to_dict("records")
    ]
