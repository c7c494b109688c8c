"""Which scans stand for a cohort when stability is measured."""

import hashlib
from collections.abc import Sequence
from functools import partial

from pipeline.domain.cohort import ScanRow

Pair = tuple[ScanRow, ScanRow]
"""What two readers drew of one lesion on one scan."""


def choose_rows(rows: Sequence[ScanRow], patients: int, seed: int) -> list[ScanRow]:
    """Choose rows of so many patients for each modality and phase, one row a patient.

    One row, because a coefficient's interval takes its cases as independent. Patients, time points
    and lesions are ranked by a hash: a cohort that grows by a patient changes its sample by at most
    one, and the phases of a visit are chosen together where they exist.

    Parameters
    ----------
    rows : sequence of ScanRow
        Of any time point.
    patients : int
        Wanted for each modality and phase; fewer where there are not so many.
    seed : int
        Another seed, another sample.

    Returns
    -------
    list of ScanRow
        In the order of ``rows``.
    """
    groups: dict[tuple[str, str], dict[str, list[ScanRow]]] = {}
    for row in rows:
        group = groups.setdefault((row.modality, row.phase), {})
        group.setdefault(row.patient_id, []).append(row)
    chosen = {
        min(group[patient], key=partial(_rank_row, seed)).case_id
        for group in groups.values()
        for patient in sorted(group, key=lambda patient: _rank(seed, patient))[:patients]
    }
    return [row for row in rows if row.case_id in chosen]


def split_pairs(pairs: Sequence[Pair], seed: int) -> tuple[list[Pair], list[ScanRow]]:
    """Choose one pair of readings a patient, modality and phase, as :func:`choose_rows` does.

    Returns
    -------
    pairs : list of (ScanRow, ScanRow)
        The chosen, in the order given.
    left_out : list of ScanRow
        The first reader's rows of the others: more lesions or time points of the same patients.
    """
    chosen = {row.case_id for row in choose_rows([first for first, _ in pairs], len(pairs), seed)}
    left_out = [first for first, _ in pairs if first.case_id not in chosen]
    return [pair for pair in pairs if pair[0].case_id in chosen], left_out


def _rank_row(seed: int, row: ScanRow) -> str:
    # Not the phase: the phases of a visit go together.
    return _rank(seed, row.patient_id, row.timepoint, row.lesion_id)


def _rank(seed: int, *parts: str) -> str:
    return hashlib.sha256("/".join((str(seed), *parts)).encode()).hexdigest()
