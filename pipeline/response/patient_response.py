"""Response of every patient by the criteria: as features, and as a table for people."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import nan

import pandas as pd

from pipeline.config.assemble import TargetLesions
from pipeline.domain.features import FeatureGroup, FeatureSpec, FeatureTable
from pipeline.domain.scan import Modality, Timepoint
from pipeline.response.assessment import (
    CRITERIA,
    YARDSTICKS,
    Assessment,
    assess_response,
    decline_assessment,
)
from pipeline.response.categories import Category
from pipeline.response.lesion_matching import Match, Status
from pipeline.response.measured import Measured, Missing, scale
from pipeline.response.visit_measures import (
    Lesions,
    VisitKey,
    Visits,
    choose_modalities,
    drop_union,
)

DECREASES = {
    "recist_decrease_percent": "recist",
    "mrecist_depth_percent": "mrecist",
    "easl_decrease_percent": "easl",
    "vrecist_decrease_percent": "vrecist",
    "qeasl_decrease_percent": "qeasl",
    "enhancing_area_reduction_percent": "enhancing_area",
}
"""Features, and the sum over target lesions whose decrease since baseline they are: positive where
it fell."""

MAJOR_RESPONSE = "major_radiographic_response"
"""1 where the enhancing area fell by 80 % or more (PMID 37158833), else 0."""

CATEGORY_ORDER = (Category.CR, Category.PR, Category.SD, Category.PD)
"""A category as a feature is its place here: CR 0, PR 1, SD 2, PD 3; the higher the worse."""


@dataclass(frozen=True, slots=True)
class PatientResponse:
    """A patient's response and what it was read on.

    Parameters
    ----------
    assessment : Assessment
        By every criterion.
    modality : Modality or None
        Where the lesions were measured; None without a scan.
    new_lesions : tuple of str
        Lesions drawn at the second time point only, on any modality: progression by every
        criterion.
    """

    assessment: Assessment
    modality: Modality | None = None
    new_lesions: tuple[str, ...] = ()


def assess_patients(
    visits: Visits,
    matches: Mapping[str, Mapping[str, Match]],
    order: Sequence[Modality],
    targets: TargetLesions,
) -> dict[str, PatientResponse]:
    """Assess every patient with a scan, from baseline to operation.

    On one modality a patient (``choose_modalities``). A target lesion without a drawing at the
    second time point, or in another place, leaves its criteria missing: whether it vanished or was
    left out cannot be told, and taking it for dead is the costly error. A lesion that only another
    modality shows counts where it is new, and is else not judged.

    Parameters
    ----------
    visits, matches : mapping
        As ``read_visits`` and ``match_patients`` return them.
    order : sequence of Modality
        Which modality goes first.
    targets : TargetLesions
        How many lesions, of which size.
    """
    responses = {}
    for patient_id, modality in choose_modalities(visits, order).items():
        before, after = (
            drop_union(visits.get(VisitKey(patient_id, time, modality), {})) for time in Timepoint
        )
        responses[patient_id] = _assess(before, after, matches[patient_id], modality, targets)
    return responses


def criteria_features(responses: Mapping[str, PatientResponse]) -> FeatureTable:
    """Return decreases (%), the major radiographic response (0 or 1) and ordinal categories."""
    units = {
        **dict.fromkeys(DECREASES, "%"),
        MAJOR_RESPONSE: "1",
        **{f"{name}_category": "1" for name in CRITERIA},
    }
    rows = {
        patient_id: _as_numbers(response.assessment) for patient_id, response in responses.items()
    }
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=list(units)).astype(float)
    frame.index = pd.Index(frame.index.astype(str), name="patient_id")
    specs = tuple(FeatureSpec(name, FeatureGroup.RESPONSE, unit) for name, unit in units.items())
    return FeatureTable(frame, specs)


def tabulate_responses(
    responses: Mapping[str, PatientResponse],
    missing: Mapping[str, str],
    patient_ids: Iterable[str],
) -> pd.DataFrame:
    """Return the response for people to read, a row a patient.

    Parameters
    ----------
    responses : mapping of str to PatientResponse
        By patient.
    missing : mapping of str to str
        What ``explain_missing`` says of the patient's measures at the scoring time point.
    patient_ids : iterable of str
        Rows of the table.

    Returns
    -------
    pandas.DataFrame
        ``patient_id``, ``modality``, ``new_lesions``; for each criterion ``<name>_category``
        (CR, PR, SD, PD), ``<name>_change_percent`` (negative where it fell) and ``<name>_reason``
        (why it is missing, or worse than the change says); the same of the enhancing area with
        ``major_radiographic_response`` (yes, no); and ``missing``. Text is empty where
        there is nothing to say.
    """
    unseen = PatientResponse(decline_assessment("no two time points to compare"))
    rows = [
        {
            "patient_id": patient_id,
            **_as_text(responses.get(patient_id, unseen)),
            "missing": missing.get(patient_id, "no scan at the time of the prediction"),
        }
        for patient_id in patient_ids
    ]
    return pd.DataFrame(rows)


def _assess(
    before: Lesions,
    after: Lesions,
    matches: Mapping[str, Match],
    modality: Modality,
    targets: TargetLesions,
) -> PatientResponse:
    new = tuple(name for name, match in matches.items() if match.status is Status.NEW)
    for lesions, time in zip((before, after), Timepoint, strict=True):
        if not lesions:
            return PatientResponse(decline_assessment(f"no {modality} at {time}"), modality, new)
    seen = {name: _withhold_moved(measures, matches[name]) for name, measures in after.items()}
    gone = {
        name: dict.fromkeys(before[name], Missing(matches[name].reason))
        for name in before
        if matches[name].status is Status.VANISHED
    }
    assessment = assess_response(
        before, seen | gone, bool(new), targets.most, targets.least_diameter_mm
    )
    return PatientResponse(assessment, modality, new)


def _withhold_moved(measures: Mapping[str, Measured], match: Match) -> Mapping[str, Measured]:
    if match.status is Status.MOVED:
        return dict.fromkeys(measures, Missing(f"not the same lesion: {match.reason}"))
    return measures


def _as_numbers(assessment: Assessment) -> dict[str, float]:
    falls = {
        feature: _number(scale(assessment.changes_percent[name], -1))
        for feature, name in DECREASES.items()
    }
    ranks = {
        f"{name}_category": nan
        if isinstance(category, Missing)
        else float(CATEGORY_ORDER.index(category))
        for name, category in assessment.categories.items()
    }
    return {**falls, MAJOR_RESPONSE: _number(assessment.major_response), **ranks}


def _number(value: Measured) -> float:
    return nan if isinstance(value, Missing) else float(value) + 0.0  # no minus zero


def _as_text(response: PatientResponse) -> dict[str, object]:
    assessment = response.assessment
    row: dict[str, object] = {
        "modality": response.modality or "",
        "new_lesions": ", ".join(response.new_lesions),
    }
    for name in YARDSTICKS:
        change = assessment.changes_percent[name]
        answer = assessment.categories[name] if name in CRITERIA else assessment.major_response
        missing = next((item for item in (answer, change) if isinstance(item, Missing)), None)
        row |= {
            f"{name}_category" if name in CRITERIA else MAJOR_RESPONSE: _word(answer),
            f"{name}_change_percent": _number(change),
            f"{name}_reason": assessment.remarks.get(name, "")
            if missing is None
            else missing.reason,
        }
    return row


def _word(answer: Category | bool | Missing) -> str:
    if isinstance(answer, Missing):
        return ""
    if isinstance(answer, Category):
        return str(answer)
    return "yes" if answer else "no"
