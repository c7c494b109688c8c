"""One picture a scored patient: the lesion on the scan that was scored."""

from collections.abc import Sequence

from pipeline.cases import Preparation
from pipeline.domain.cohort import Cohort, ScanRow
from pipeline.report.overlay import draw_lesion
from pipeline.scoring.settings import ScoringSettings
from pipeline.store.results import ResultStore


def draw_patients(cohort: Cohort, settings: ScoringSettings, store: ResultStore) -> dict[str, str]:
    """Draw each patient's lesion on the first configured phase at the scoring time point.

    Returns
    -------
    dict of str to str
        ``data:`` address of a PNG by patient identifier. Of several lesions the first in
        ``scans.csv`` is drawn.
    """
    timepoint = settings.cohort.scoring_timepoint
    rank = {phase: number for number, phase in enumerate(settings.prepare.phase_order)}
    chosen: dict[str, ScanRow] = {}
    for row in sorted(cohort.scans, key=lambda row: rank.get(row.phase, len(rank))):
        if row.timepoint is timepoint:
            chosen.setdefault(row.patient_id, row)
    return {patient_id: _draw(row, cohort, settings, store) for patient_id, row in chosen.items()}


def _draw(row: ScanRow, cohort: Cohort, settings: ScoringSettings, store: ResultStore) -> str:
    prepared = Preparation(cohort.root, settings.prepare, store, cohort.reading).load(row)
    caption = _caption((row.modality, row.phase, row.timepoint))
    return draw_lesion(prepared.scan, prepared.regions["tumour"], caption)


def _caption(parts: Sequence[str]) -> str:
    return ", ".join(parts)
