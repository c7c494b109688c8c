"""Which lesions stand for a patient under a rule, for values and for change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from pipeline.config.assemble import LesionRule
from pipeline.domain.lesions import UNION_ID
from pipeline.domain.scan import Modality, Timepoint
from pipeline.response.lesion_matching import Match, Status
from pipeline.response.measured import Missing
from pipeline.response.visit_measures import Lesions, VisitKey, Visits, drop_union, pick_measure

WEIGHT_COLUMNS = ("patient_id", "timepoint", "modality", "lesion_id", "weight")
"""Columns of the table of weights."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A patient's lesions as the rules see them.

    Parameters
    ----------
    volumes_ml : mapping of str to float
        Of each lesion when it was first seen, the greatest of its modalities; 0 where unknown.
    largest : str
        The greatest of those at the patient's earliest time point: a lesion that dies may shrink
        below another. Ties go to the first name.
    worst : str or None
        The lesion that speaks most for living tumour at the time of prediction; None without a
        scan then, and where a lesion is lost.
    matched : tuple of str
        Lesions that are the same at both time points.
    lost : mapping of str to str
        Lesions of the baseline that are not found at operation, with the reason: vanished, left
        out or in another place, which cannot be told apart.
    """

    volumes_ml: Mapping[str, float]
    largest: str
    worst: str | None
    matched: tuple[str, ...] = ()
    lost: Mapping[str, str] = field(default_factory=dict)

    def withhold(self, rule: LesionRule, timepoint: Timepoint) -> Missing | None:
        """Return why there is neither value nor change at a time point under a rule, if so.

        Every rule but ``largest`` is about all lesions. One that is not drawn any more may live:
        without it the others would pass for the patient.
        """
        if not self.lost or timepoint is not Timepoint.PREOP or rule is LesionRule.LARGEST:
            return None
        name, reason = next(iter(self.lost.items()))
        return Missing(f"lesion {name}: {reason}")

    def in_visit(self, rule: LesionRule, drawn: Sequence[str]) -> tuple[str, ...]:
        """Return the lesions whose values stand for the patient in a visit.

        Parameters
        ----------
        rule : LesionRule
            Declared before the analysis.
        drawn : sequence of str
            Lesions of the visit without their union.
        """
        one = self._only(rule)
        return tuple(sorted(drawn)) if one is None else one

    def in_change(self, rule: LesionRule) -> tuple[str, ...]:
        """Return the lesions whose change stands for the patient; none where they are not matched.

        ``union`` needs all lesions matched: otherwise two different unions would be compared.
        """
        one = self._only(rule)
        if one is not None:
            return tuple(name for name in one if name in self.matched)
        if rule is LesionRule.UNION and len(self.matched) < len(self.volumes_ml):
            return ()
        return self.matched

    def _only(self, rule: LesionRule) -> tuple[str, ...] | None:
        """Return the one lesion of a rule that looks at one, None for the other rules."""
        if rule is LesionRule.LARGEST:
            return (self.largest,)
        if rule is LesionRule.WORST:
            return () if self.worst is None else (self.worst,)
        return None


def find_standings(
    visits: Visits,
    matches: Mapping[str, Mapping[str, Match]],
    order: Sequence[Modality],
    timepoint: Timepoint,
) -> dict[str, Standing]:
    """Return each patient's lesions as the rules see them.

    Parameters
    ----------
    visits : mapping
        As ``read_visits`` returns them.
    matches : mapping
        As ``match_patients`` returns them.
    order : sequence of Modality
        Where the worst lesion is looked for.
    timepoint : Timepoint
        Of the prediction.
    """
    by_patient: dict[str, dict[VisitKey, Lesions]] = {}
    for key, lesions in visits.items():
        by_patient.setdefault(key.patient_id, {})[key] = drop_union(lesions)
    return {
        patient_id: _find_standing(own, matches.get(patient_id, {}), order, timepoint)
        for patient_id, own in by_patient.items()
        if any(own.values())
    }


def find_worst(visits: Sequence[Lesions]) -> str | None:
    """Return the lesion that speaks most for living tumour.

    The greatest enhancing volume on the first visit (modality) that has it of every lesion; where
    none has, the greatest diameter on the first visit. Ties go to the greater diameter, then to the
    first name.

    Parameters
    ----------
    visits : sequence of mapping
        Lesions by modality, at one time point.
    """
    for lesions in visits:
        enhancing = _numbers(lesions, "enhancing_volume_ml")
        if len(enhancing) == len(lesions):
            sizes = _numbers(lesions, "recist_diameter_mm")
            return min(lesions, key=lambda name: (-enhancing[name], -sizes.get(name, 0.0), name))
    if not visits:
        return None
    sizes = _numbers(visits[0], "recist_diameter_mm")
    return min(visits[0], key=lambda name: (-sizes.get(name, 0.0), name))


def list_weights(
    visits: Visits, standings: Mapping[str, Standing], rule: LesionRule, change: bool
) -> pd.DataFrame:
    """Return which lesions stand for a patient in each visit, and with which weight.

    Parameters
    ----------
    visits, standings : mapping
        As ``read_visits`` and ``find_standings`` return them.
    rule : LesionRule
        Declared before the analysis.
    change : bool
        Whether for change, which is of matched lesions only.

    Returns
    -------
    pandas.DataFrame
        Columns ``WEIGHT_COLUMNS``, a row a lesion that must have a value. Under ``union`` that is
        the union of the lesions (``UNION_ID``), or the only one. A visit whose values are withheld
        (``Standing.withhold``) has no row.
    """
    rows = []
    for key, lesions in visits.items():
        drawn = sorted(drop_union(lesions))
        if not drawn:
            continue
        own = standings[key.patient_id]
        if own.withhold(rule, key.timepoint):
            continue
        standing = own.in_change(rule) if change else own.in_visit(rule, drawn)
        if rule is LesionRule.UNION and standing and len(drawn) > 1:
            rows.append((*map(str, key), UNION_ID, 1.0))
            continue
        one = len(standing) == 1
        rows += [(*map(str, key), name, 1.0 if one else own.volumes_ml[name]) for name in standing]
    return pd.DataFrame(rows, columns=list(WEIGHT_COLUMNS)).astype({"weight": float})


def _find_standing(
    visits: Mapping[VisitKey, Lesions],
    matches: Mapping[str, Match],
    order: Sequence[Modality],
    timepoint: Timepoint,
) -> Standing:
    volumes_ml: dict[str, float] = {}
    earliest: list[str] = []
    for time in Timepoint:
        seen = _volumes_at(visits, time)
        earliest = earliest or list(seen)
        volumes_ml = seen | volumes_ml
    patient_id = next(iter(visits)).patient_id
    keys = [VisitKey(patient_id, timepoint, modality) for modality in order]
    lost = {
        name: match.reason
        for name, match in matches.items()
        if match.status in (Status.VANISHED, Status.MOVED)
    }
    return Standing(
        volumes_ml=volumes_ml,
        largest=min(earliest, key=lambda name: (-volumes_ml[name], name)),
        worst=None if lost else find_worst([visits[key] for key in keys if visits.get(key)]),
        matched=tuple(name for name, match in matches.items() if match.matched),
        lost=lost,
    )


def _volumes_at(visits: Mapping[VisitKey, Lesions], time: Timepoint) -> dict[str, float]:
    volumes_ml: dict[str, float] = {}
    for key, lesions in visits.items():
        if key.timepoint is time:
            known = _numbers(lesions, "volume_ml")
            for name in lesions:
                volumes_ml[name] = max(volumes_ml.get(name, 0.0), known.get(name, 0.0))
    return volumes_ml


def _numbers(lesions: Lesions, name: str) -> dict[str, float]:
    values = pick_measure(lesions, name)
    return {lesion: value for lesion, value in values.items() if not isinstance(value, Missing)}
