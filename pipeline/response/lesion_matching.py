"""Which lesions are the same at two time points."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import dist, isfinite, nan

import pandas as pd

from pipeline.domain.scan import Modality, Timepoint
from pipeline.response.measured import Measured, Missing
from pipeline.response.visit_measures import Measures, Visits, drop_union

CENTRE = ("centre_x_mm", "centre_y_mm", "centre_z_mm")
"""Measures that place a lesion: its centre in the coordinates of the baseline scan, after the time
points were registered; missing where they were not."""

LESION_COLUMNS = ("patient_id", "lesion_id", "matched", "distance_mm", "reason")
"""Columns of the table of lesions."""


class Status(StrEnum):
    """What became of a lesion."""

    MATCHED = "matched"
    """The same lesion at both time points."""
    MOVED = "moved"
    """One name, but two places: not the same lesion, or the registration failed."""
    UNPLACED = "unplaced"
    """One name among several, without places to compare: names may have been swapped."""
    VANISHED = "vanished"
    """Drawn at the first time point only: gone, or left out."""
    NEW = "new"
    """Drawn at the second time point only: grown, or left out before."""
    ALONE = "alone"
    """The patient has no scan at the other time point."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a lesion lies.

    Parameters
    ----------
    centre_mm : (float, float, float) or None
        Its centre (x, y, z), in one frame for both time points; None where there is none.
    diameter_mm : float
        Its longest diameter; NaN where it was not measured.
    """

    centre_mm: tuple[float, float, float] | None = None
    diameter_mm: float = nan


@dataclass(frozen=True, slots=True)
class Match:
    """What became of a lesion, and why it is thought so.

    Parameters
    ----------
    status : Status
        The verdict.
    distance_mm : float
        Between its centres; NaN where places were not compared.
    reason : str
        In words; of a matched lesion, what was compared.
    """

    status: Status
    distance_mm: float
    reason: str

    @property
    def matched(self) -> bool:
        """Whether change may be taken."""
        return self.status is Status.MATCHED


def match_lesions(
    before: Mapping[str, Place], after: Mapping[str, Place], tolerance_mm: float
) -> dict[str, Match]:
    """Say of each lesion of a patient whether it is the same at both time points.

    Lesions of one name are one lesion unless their centres are further apart than half the sum of
    their longest diameters (spheres of that size would not touch) plus a tolerance. Without places
    the name suffices only for a patient with one lesion at each time point: names may be swapped.
    The rule is this project's own. It does not look for a lesion under another name.

    Parameters
    ----------
    before, after : mapping of str to Place
        Lesions by name at the two time points; empty where the patient was not scanned.
    tolerance_mm : float
        Room for what registration misses.

    Returns
    -------
    dict of str to Match
        By name, in alphabetical order.
    """
    matches = {}
    alone = len(before) == len(after) == 1
    for name in sorted({*before, *after}):
        if name in before and name in after:
            matches[name] = _compare(before[name], after[name], tolerance_mm, alone)
        else:
            matches[name] = _judge_unpaired(name in before, bool(before and after))
    return matches


def match_patients(
    visits: Visits, order: Sequence[Modality], tolerance_mm: float
) -> dict[str, dict[str, Match]]:
    """Match the lesions of every patient between baseline and operation.

    A lesion is compared on the first modality of ``order`` that shows it at both time points with
    its place, else on the first that shows it at both.

    Parameters
    ----------
    visits : mapping
        As ``read_visits`` returns them; the unions of lesions are left out.
    order : sequence of Modality
        Which modality goes first.
    tolerance_mm : float
        See :func:`match_lesions`.
    """
    drawn: dict[str, dict[Timepoint, dict[str, dict[Modality, Place]]]] = {}
    for (patient_id, timepoint, modality), lesions in visits.items():
        at = drawn.setdefault(patient_id, {}).setdefault(timepoint, {})
        for name, measures in drop_union(lesions).items():
            at.setdefault(name, {})[modality] = _read_place(measures)
    return {
        patient_id: match_lesions(
            *_same_modality(at.get(Timepoint.BASELINE, {}), at.get(Timepoint.PREOP, {}), order),
            tolerance_mm,
        )
        for patient_id, at in drawn.items()
    }


def list_lesions(matches: Mapping[str, Mapping[str, Match]]) -> pd.DataFrame:
    """Return a row a patient and lesion: columns ``LESION_COLUMNS``."""
    rows = [
        (patient_id, name, match.matched, match.distance_mm, match.reason)
        for patient_id, lesions in sorted(matches.items())
        for name, match in lesions.items()
    ]
    frame = pd.DataFrame(rows, columns=list(LESION_COLUMNS))
    return frame.astype(
        {"patient_id": str, "lesion_id": str, "matched": bool, "distance_mm": float}
    )


def _compare(before: Place, after: Place, tolerance_mm: float, alone: bool) -> Match:
    if before.centre_mm is None or after.centre_mm is None:
        if alone:
            return Match(Status.MATCHED, nan, "same name; places were not compared")
        reason = "same name as one of several; places were not compared"
        return Match(Status.UNPLACED, nan, reason)
    distance_mm = dist(before.centre_mm, after.centre_mm)
    limit_mm = (before.diameter_mm + after.diameter_mm) / 2 + tolerance_mm
    if not isfinite(limit_mm):
        return Match(Status.MATCHED, distance_mm, "same name; a diameter is missing")
    if distance_mm <= limit_mm:
        return Match(Status.MATCHED, distance_mm, "same name and place")
    reason = f"centres {distance_mm:.0f} mm apart, at most {limit_mm:.0f} mm expected"
    return Match(Status.MOVED, distance_mm, reason)


def _judge_unpaired(was_before: bool, scanned_twice: bool) -> Match:
    other = Timepoint.PREOP if was_before else Timepoint.BASELINE
    if not scanned_twice:
        return Match(Status.ALONE, nan, f"no scan at {other}")
    if was_before:
        return Match(Status.VANISHED, nan, f"not drawn at {other}: vanished, or left out")
    return Match(Status.NEW, nan, f"not drawn at {other}: new, or left out")


def _read_place(measures: Measures) -> Place:
    centre = [_number(measures.get(name)) for name in CENTRE]
    diameter_mm = _number(measures.get("recist_diameter_mm"))
    known = all(isfinite(value) for value in centre)
    return Place((centre[0], centre[1], centre[2]) if known else None, diameter_mm)


def _number(value: Measured | None) -> float:
    return nan if value is None or isinstance(value, Missing) else value


def _same_modality(
    before: Mapping[str, Mapping[Modality, Place]],
    after: Mapping[str, Mapping[Modality, Place]],
    order: Sequence[Modality],
) -> tuple[dict[str, Place], dict[str, Place]]:
    """Return one place a lesion; where no modality shows it twice, a place that is not compared."""
    pairs = {
        name: _pick_pair(before.get(name, {}), after.get(name, {}), order)
        for name in {*before, *after}
    }
    return {name: pairs[name][0] for name in before}, {name: pairs[name][1] for name in after}


def _pick_pair(
    before: Mapping[Modality, Place], after: Mapping[Modality, Place], order: Sequence[Modality]
) -> tuple[Place, Place]:
    pairs = [(before[item], after[item]) for item in order if item in before and item in after]
    placed = [pair for pair in pairs if all(place.centre_mm is not None for place in pair)]
    return next(iter([*placed, *pairs]), (Place(), Place()))
