"""Rows of ``scans.csv`` that are lesions on one image."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from os.path import normpath

from pipeline.domain.cohort import Drawing, ScanRow

UNION_ID = "all"
"""``lesion_id`` of the union of a patient's lesions."""


def link_lesions(rows: Sequence[ScanRow]) -> tuple[ScanRow, ...]:
    """Tell each row of the other lesions on its image, in their order; the order of rows stays."""
    groups = _by_image(rows)
    return tuple(
        replace(row, others=tuple(_draw(other) for other in groups[_image(row)] if other != row))
        for row in rows
    )


def unite_lesions(rows: Sequence[ScanRow]) -> tuple[ScanRow, ...]:
    """Return one row an image with several lesions, whose tumour is their union.

    Its ``lesion_id`` is :data:`UNION_ID`. An image that lacks a lesion of its visit has none: the
    unions of a visit are of the same lesions on all phases.
    """
    visits = group_by_visit(rows)
    return tuple(
        replace(
            group[0],
            lesion_id=UNION_ID,
            others=tuple(_draw(other) for other in group[1:]),
            united=True,
        )
        for group in _by_image(rows).values()
        if len(group) > 1 and _ids(group) == _ids(visits[_visit(group[0])])
    )


def group_by_visit(rows: Iterable[ScanRow]) -> dict[tuple[str, str, str], list[ScanRow]]:
    """Group rows by patient, time point and modality, in their order."""
    visits: dict[tuple[str, str, str], list[ScanRow]] = {}
    for row in rows:
        visits.setdefault(_visit(row), []).append(row)
    return visits


def _visit(row: ScanRow) -> tuple[str, str, str]:
    return (row.patient_id, row.timepoint, row.modality)


def _ids(rows: Iterable[ScanRow]) -> set[str]:
    return {row.lesion_id for row in rows}


def _by_image(rows: Iterable[ScanRow]) -> dict[tuple[str, ...], list[ScanRow]]:
    groups: dict[tuple[str, ...], list[ScanRow]] = {}
    for row in rows:
        groups.setdefault(_image(row), []).append(row)
    return groups


def _image(row: ScanRow) -> tuple[str, ...]:
    return (row.patient_id, row.timepoint, row.modality, row.phase, normpath(row.image))


def _draw(row: ScanRow) -> Drawing:
    return Drawing(row.mask, row.mask_label)
