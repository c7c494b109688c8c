"""Size and response of a patient's lesion as features, at the time a prediction is made."""

import re
from collections.abc import Sequence

import pandas as pd

from pipeline.domain.features import FeatureGroup, FeatureSpec, FeatureTable
from pipeline.domain.scan import Modality, Timepoint
from pipeline.response.change import DECREASES, compute_decreases
from pipeline.response.lesion import SIZE_MEASURES, VIABLE_MEASURES

UNITS = {
    "volume_ml": "mL",
    "longest_diameter_mm": "mm",
    "viable_fraction": "1",
    "viable_volume_ml": "mL",
    "viable_diameter_mm": "mm",
    "viable_area_mm2": "mm2",
    "lipiodol_fraction": "1",
}
_INTENSITY = re.compile(r"(ct|mr|pt)_(mean|tumour_liver_ratio)_")


def choose_modality(measures: pd.DataFrame, order: Sequence[Modality]) -> pd.DataFrame:
    """Keep, for each patient, the rows of the modality that sizes are compared in.

    The first modality of ``order`` that has a row at every time point of the patient; failing
    that, the first that has one at all.
    """
    times = measures.groupby("patient_id")["timepoint"].nunique()
    covered = measures.groupby(["patient_id", "modality"])["timepoint"].nunique().reset_index()
    by_patient: dict[str, dict[str, int]] = {}
    for row in covered.itertuples():
        by_patient.setdefault(str(row.patient_id), {})[str(row.modality)] = int(str(row.timepoint))
    chosen = {
        patient_id: _first_modality(counts, int(times[patient_id]), order)
        for patient_id, counts in by_patient.items()
    }
    return measures[measures["patient_id"].map(chosen) == measures["modality"]]


def _first_modality(covered: dict[str, int], times: int, order: Sequence[Modality]) -> str:
    ranked = sorted(covered, key=lambda name: order.index(Modality(name)))
    complete = [name for name in ranked if covered[name] == times]
    return (complete or ranked)[0]


def size_features(
    measures: pd.DataFrame, timepoint: Timepoint, order: Sequence[Modality]
) -> FeatureTable:
    """Return volume and longest diameter at the scoring time point, and at baseline before it."""
    rows = choose_modality(measures, order)
    frame = _at(rows, timepoint, SIZE_MEASURES).add_prefix("size_")
    if timepoint is Timepoint.PREOP:
        baseline = _at(rows, Timepoint.BASELINE, SIZE_MEASURES).add_prefix("size_baseline_")
        frame = frame.join(baseline, how="outer")
    return _table(frame, FeatureGroup.SIZE)


def response_features(
    measures: pd.DataFrame, timepoint: Timepoint, order: Sequence[Modality]
) -> FeatureTable:
    """Return enhancement at the scoring time point and every decrease since baseline."""
    rows = choose_modality(measures, order)
    names = [*VIABLE_MEASURES, "lipiodol_fraction"]
    intensities = [name for name in measures.columns if _INTENSITY.match(name)]
    frame = _at(rows, timepoint, names).join(_intensities(measures, timepoint, intensities))
    if timepoint is Timepoint.PREOP:
        frame = frame.join(_decreases(rows), how="outer")
    return _table(frame, FeatureGroup.RESPONSE)


def _intensities(
    measures: pd.DataFrame, timepoint: Timepoint, names: Sequence[str]
) -> pd.DataFrame:
    """Return each patient's intensities; a name carries its modality, so one row has each."""
    here = measures[measures["timepoint"] == timepoint]
    return here.groupby("patient_id")[list(names)].first().dropna(axis=1, how="all")


def _decreases(rows: pd.DataFrame) -> pd.DataFrame:
    measured = list(DECREASES.values())
    before = _by_patient(_at(rows, Timepoint.BASELINE, measured))
    after = _by_patient(_at(rows, Timepoint.PREOP, measured))
    changes = {
        patient_id: compute_decreases(before.get(patient_id, {}), after.get(patient_id, {}))
        for patient_id in sorted({*before, *after})
    }
    frame = pd.DataFrame.from_dict(changes, orient="index", columns=list(DECREASES))
    frame.index.name = "patient_id"
    return frame


def _by_patient(frame: pd.DataFrame) -> dict[str, dict[str, float]]:
    return {
        str(patient_id): {str(name): float(value) for name, value in row.items()}
        for patient_id, row in frame.iterrows()
    }


def _at(rows: pd.DataFrame, timepoint: Timepoint, names: Sequence[str]) -> pd.DataFrame:
    """Return the named measures at a time point, NaN for those that no lesion has."""
    here = rows[rows["timepoint"] == timepoint].set_index("patient_id")
    return here.reindex(columns=list(names)).astype(float)


def _table(frame: pd.DataFrame, group: FeatureGroup) -> FeatureTable:
    specs = tuple(FeatureSpec(str(name), group, _unit(str(name))) for name in frame.columns)
    return FeatureTable(frame, specs)


def _unit(name: str) -> str:
    if name in DECREASES:
        return "%"
    plain = name.removeprefix("size_").removeprefix("baseline_")
    if plain.startswith("ct_mean_"):
        return "HU"
    if plain.startswith("pt_mean_"):
        return "SUV"
    return UNITS.get(plain, "1")
