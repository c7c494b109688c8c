"""The table of measures as visits: the lesions of a patient at one time point on one modality."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from pipeline.domain.lesions import UNION_ID
from pipeline.domain.scan import Modality, Timepoint
from pipeline.response.measure_names import split_name
from pipeline.response.measured import Measured, Missing, parse_missing

Measures = Mapping[str, Measured]
"""Measures of one lesion by name, without the modality."""

Lesions = Mapping[str, Measures]
"""Measures of each lesion, of one modality at one time point."""

ABSENT = Missing("not measured")

_KEY = ("patient_id", "timepoint", "modality", "lesion_id")

MEASURE_COLUMNS = (*_KEY, "missing")
"""Of the table of measures, beside these."""


class VisitKey(NamedTuple):
    """A patient at one time point on one modality."""

    patient_id: str
    timepoint: Timepoint
    modality: Modality


Visits = Mapping[VisitKey, Lesions]
"""All visits of a cohort."""


def read_visits(measures: pd.DataFrame, timepoints: Iterable[Timepoint]) -> Visits:
    """Return the visits of some time points; patients and lesions in alphabetical order.

    Parameters
    ----------
    measures : pandas.DataFrame
        A row a ``patient_id, timepoint, modality, lesion_id``; numbers under names with their
        modality, and the text ``missing`` that names each missing measure after its reason.
    timepoints : iterable of Timepoint
        Others are left out, so that a prediction cannot use what comes after it.

    Returns
    -------
    mapping of VisitKey to mapping of str to mapping of str to float or Missing
        By visit, lesion and name. A lesion may be the union of the others (``UNION_ID``).
    """
    numbers = measures.select_dtypes("number").columns
    columns = {
        modality: {name: parts[1] for name in numbers if (parts := _of(modality, name))}
        for modality in Modality
    }
    visits: dict[VisitKey, dict[str, Measures]] = {}
    wanted = measures[measures["timepoint"].isin([str(item) for item in timepoints])]
    for row in wanted.sort_values(list(_KEY)).to_dict("records"):
        key = VisitKey(
            str(row["patient_id"]), Timepoint(row["timepoint"]), Modality(row["modality"])
        )
        reasons = parse_missing(str(row.get("missing") or ""))
        visits.setdefault(key, {})[str(row["lesion_id"])] = {
            name: _read(float(row[column]), reasons.get(column))
            for column, name in columns[key.modality].items()
        }
    return visits


def choose_modalities(visits: Visits, order: Sequence[Modality]) -> dict[str, Modality]:
    """Return, for each patient, the modality that time points are compared in.

    The first of ``order`` that has a visit at every time point of the patient; failing that, the
    first that has one at all. PET, on which neither size nor enhancement is read, only where the
    patient has nothing else. One whose contrast measures are missing is not replaced by the next:
    all criteria of a patient are read on one modality.
    """
    seen: dict[str, dict[Modality, set[Timepoint]]] = {}
    for patient_id, timepoint, modality in visits:
        seen.setdefault(patient_id, {}).setdefault(modality, set()).add(timepoint)
    chosen = {}
    for patient_id, by_modality in seen.items():
        everything = set().union(*by_modality.values())
        present = [modality for modality in order if modality in by_modality]
        ranked = [modality for modality in present if modality is not Modality.PT] or present
        complete = [modality for modality in ranked if by_modality[modality] == everything]
        if ranked:
            chosen[patient_id] = (complete or ranked)[0]
    return chosen


def drop_union(lesions: Lesions) -> Lesions:
    """Return the lesions without the one that is the union of the others."""
    return {name: measures for name, measures in lesions.items() if name != UNION_ID}


def pick_measure(lesions: Lesions, name: str) -> dict[str, Measured]:
    """Return one measure of each lesion; missing where the lesion does not have it."""
    return {lesion: measures.get(name, ABSENT) for lesion, measures in lesions.items()}


def _of(modality: Modality, column: str) -> tuple[Modality, str] | None:
    parts = split_name(column)
    return parts if parts is not None and parts[0] is modality else None


def _read(value: float, reason: str | None) -> Measured:
    if value == value:
        return value
    return Missing(reason) if reason else ABSENT
