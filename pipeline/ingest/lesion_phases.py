"""Whether all phases of a visit show the same lesions."""

from collections.abc import Iterator, Sequence

from pipeline.domain.cohort import ScanRow
from pipeline.domain.lesions import group_by_visit
from pipeline.domain.problem import Problem, Severity
from pipeline.ingest.codes import Code
from pipeline.ingest.scan_rows import SCANS_FILE


def find_differing_lesions(rows: Sequence[ScanRow]) -> Iterator[tuple[int, Problem]]:
    """List visits with a lesion that is not drawn on all phases of its modality.

    Parameters
    ----------
    rows : sequence of ScanRow
        Of the whole cohort; those without a mask have no lesion.

    Yields
    ------
    (int, Problem)
        One a patient, time point and modality, with the number of its first row.
    """
    numbers = {row: number for number, row in enumerate(rows)}
    for visit in group_by_visit(row for row in rows if row.mask).values():
        lesions: dict[str, list[str]] = {}
        for row in visit:
            lesions.setdefault(row.phase, []).append(row.lesion_id)
        if len({frozenset(ids) for ids in lesions.values()}) > 1:
            yield numbers[visit[0]], _differing(visit[0], lesions)


def _differing(row: ScanRow, lesions: dict[str, list[str]]) -> Problem:
    drawn = "; ".join(f"{phase}: {', '.join(ids)}" for phase, ids in lesions.items())
    return Problem(
        code=Code.LESIONS_DIFFER,
        what="not all phases of a visit have the same lesions",
        expected="every lesion drawn on every phase",
        got=f"at {row.timepoint} on {row.modality} lesions {drawn}",
        next_step="Draw the lesion on the other phases, or correct lesion_id; under the lesion_rule"
        " union, phases that lack a lesion have no union.",
        patient_id=row.patient_id,
        file=SCANS_FILE,
        column="lesion_id",
        severity=Severity.WARNING,
    )
