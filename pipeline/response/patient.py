"""Size and response measures of a patient as features: one value a patient, by the lesion rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from pipeline.config.assemble import LesionRule
from pipeline.domain.features import FeatureGroup, FeatureSpec, FeatureTable
from pipeline.domain.lesions import UNION_ID
from pipeline.domain.scan import Modality, Timepoint
from pipeline.response.lesion_rule import combine_lesions
from pipeline.response.lesion_standing import Standing
from pipeline.response.measure_names import (
    SIZE_MEASURES,
    Behaviour,
    UnionOf,
    find_behaviour,
    find_unit,
    list_measures,
)
from pipeline.response.measured import Measured, Missing, describe_missing, to_numbers
from pipeline.response.visit_measures import (
    Lesions,
    Visits,
    choose_modalities,
    drop_union,
    pick_measure,
)

PatientMeasures = Mapping[str, Mapping[str, Measured]]
"""Measures of each patient at one time point, by patient and by name with the modality."""

_NOT_DRAWN = Missing("not drawn")


@dataclass(frozen=True, slots=True)
class LesionView:
    """Lesions of a cohort with what makes a patient of them.

    Parameters
    ----------
    visits : mapping
        As ``read_visits`` returns them.
    standings : mapping of str to Standing
        By patient.
    rule : LesionRule
        Declared before the analysis.
    """

    visits: Visits
    standings: Mapping[str, Standing]
    rule: LesionRule


def measure_patients(
    view: LesionView, timepoint: Timepoint, change: bool = False
) -> PatientMeasures:
    """Return each patient's measures at a time point, of every modality.

    Parameters
    ----------
    view : LesionView
        The lesions and the rule.
    timepoint : Timepoint
        Which visits.
    change : bool
        Whether for change, which is of matched lesions only; ``worst`` then follows one lesion,
        where else it takes the worst value of each measure.
    """
    patients: dict[str, dict[str, Measured]] = {}
    for key, lesions in view.visits.items():
        if key.timepoint is timepoint and drop_union(lesions):
            standing = view.standings[key.patient_id]
            withheld = standing.withhold(view.rule, timepoint)
            values = _combine_visit(lesions, standing, view.rule, change)
            if withheld is not None:
                values = dict.fromkeys(values, withheld)
            prefix = key.modality.lower()
            named = {f"{prefix}_{name}": value for name, value in values.items()}
            patients.setdefault(key.patient_id, {}).update(named)
    return patients


def size_features(
    view: LesionView, timepoint: Timepoint, order: Sequence[Modality]
) -> FeatureTable:
    """Return volume and longest diameter at the scoring time point, and at baseline before it.

    On one modality a patient, see ``choose_modalities``; mL and mm.
    """
    chosen = choose_modalities(view.visits, order)
    frame = _sizes(view, timepoint, chosen).add_prefix("size_")
    if timepoint is Timepoint.PREOP:
        baseline = _sizes(view, Timepoint.BASELINE, chosen).add_prefix("size_baseline_")
        frame = frame.join(baseline, how="outer")
    units = {name: find_unit(f"ct_{measure}") for measure, name in SIZE_MEASURES.items()}
    specs = tuple(
        FeatureSpec(
            name, FeatureGroup.SIZE, units[name.removeprefix("size_").removeprefix("baseline_")]
        )
        for name in frame.columns
    )
    return FeatureTable(frame, specs)


def response_features(view: LesionView, timepoint: Timepoint) -> FeatureTable:
    """Return every measure but size at the scoring time point, of every modality.

    A measure that no patient has is left out.
    """
    sizes = {f"{modality.lower()}_{name}" for modality in Modality for name in SIZE_MEASURES}
    frame = tabulate_measures(measure_patients(view, timepoint))
    kept = [name for name in frame.columns if name not in sizes]
    return describe_features(frame[kept].dropna(axis=1, how="all"), FeatureGroup.RESPONSE)


def tabulate_measures(patients: PatientMeasures) -> pd.DataFrame:
    """Return a row a patient and a column a measure in alphabetical order, NaN where missing."""
    numbers = {patient_id: to_numbers(measures) for patient_id, measures in patients.items()}
    frame = pd.DataFrame.from_dict(numbers, orient="index").astype(float)
    frame.index = pd.Index(frame.index.astype(str), name="patient_id")
    return frame[sorted(list_measures(frame.columns))].sort_index()


def describe_features(frame: pd.DataFrame, group: FeatureGroup) -> FeatureTable:
    """Return a table of measures as features with their units."""
    specs = tuple(FeatureSpec(name, group, find_unit(name)) for name in frame.columns)
    return FeatureTable(frame, specs)


def explain_missing(patients: PatientMeasures) -> dict[str, str]:
    """Return one line a patient that names every missing measure after its reason."""
    return {
        patient_id: describe_missing({name: measures[name] for name in list_measures(measures)})
        for patient_id, measures in patients.items()
    }


def _sizes(view: LesionView, timepoint: Timepoint, chosen: Mapping[str, Modality]) -> pd.DataFrame:
    patients = measure_patients(view, timepoint)
    rows = {
        patient_id: to_numbers(
            {
                name: measures.get(f"{chosen[patient_id].lower()}_{measure}", _NOT_DRAWN)
                for measure, name in SIZE_MEASURES.items()
            }
        )
        for patient_id, measures in patients.items()
        if patient_id in chosen
    }
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=list(SIZE_MEASURES.values()))
    frame.index = pd.Index(frame.index.astype(str), name="patient_id")
    return frame.astype(float)


def _combine_visit(
    lesions: Lesions, standing: Standing, rule: LesionRule, change: bool
) -> dict[str, Measured]:
    drawn = drop_union(lesions)
    names = sorted({name for measures in lesions.values() for name in measures})
    values: dict[str, Measured] = {}
    for name in names:
        behaviour = find_behaviour(name)
        if change:
            chosen = standing.in_change(rule)
        elif rule is LesionRule.WORST and behaviour.worse is not None:
            chosen = tuple(drawn)
        else:
            chosen = standing.in_visit(rule, list(drawn))
        picked = {lesion: _pick(drawn, lesion, name) for lesion in chosen}
        if rule is LesionRule.UNION:
            values[name] = _unite(name, picked, lesions, behaviour)
        else:
            values[name] = combine_lesions(rule, picked, standing.volumes_ml, behaviour)
    return values


def _pick(drawn: Lesions, lesion: str, name: str) -> Measured:
    if lesion not in drawn:
        return Missing(f"lesion {lesion} is not drawn")
    return pick_measure(drawn, name)[lesion]


def _unite(
    name: str, picked: Mapping[str, Measured], lesions: Lesions, behaviour: Behaviour
) -> Measured:
    """Return a measure of all lesions as one: as measured on their union where it is there.

    What lies within one lesion is the greatest of them: a diameter of the drawn union would span
    the gap between two lesions.
    """
    measured = UNION_ID in lesions and behaviour.union_of is not UnionOf.MAXIMUM
    if measured and len(picked) > 1:
        return pick_measure(lesions, name)[UNION_ID]
    volumes = pick_measure(lesions, "volume_ml")
    volumes_ml = to_numbers({lesion: volumes[lesion] for lesion in picked if lesion in volumes})
    return combine_lesions(LesionRule.UNION, picked, volumes_ml, behaviour)
