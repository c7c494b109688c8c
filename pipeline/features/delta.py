"""Features side by side in one row a patient, and their change over treatment."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd

from pipeline.config.assemble import DeltaForm
from pipeline.domain.cohort import ScanRow
from pipeline.domain.features import FeatureGroup, FeatureSpec, FeatureTable
from pipeline.domain.scan import Modality, Timepoint

KEYS = ("patient_id", "timepoint", "modality", "phase", "lesion_id", "region")
"""Columns that say what a row of extracted features belongs to."""

PREFIXES = {
    DeltaForm.ABSOLUTE: "delta_",
    DeltaForm.RELATIVE: "delta_relative_percent_",
    DeltaForm.LOG_RATIO: "delta_log_ratio_",
    DeltaForm.PER_DAY: "delta_per_day_",
}
"""How the names of a form begin; the name of the feature follows."""


def widen(rows: pd.DataFrame, timepoint: Timepoint) -> pd.DataFrame:
    """Put the features of one time point side by side.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``KEYS`` (but for ``lesion_id``) and feature columns, one row a patient and the rest.
    timepoint : Timepoint
        Which rows to take.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``patient_id``; columns ``<modality>_<phase>_<region>_<feature>``, modality and
        phase in lower case. The modality is part of the name because the features of HU, MR signal
        and SUV must never share a column.
    """
    here = rows[rows["timepoint"] == timepoint]
    features = [name for name in rows.columns if name not in KEYS]
    blocks = [
        _block(group, features, "_".join(str(part).lower() for part in key))
        for key, group in here.groupby(["modality", "phase", "region"], sort=True)
    ]
    if not blocks:
        return pd.DataFrame(index=pd.Index([], name="patient_id", dtype=str))
    return pd.concat(blocks, axis=1).sort_index()


def compute_delta(
    later: FeatureTable,
    earlier: FeatureTable,
    forms: Sequence[DeltaForm],
    days: pd.DataFrame,
) -> FeatureTable:
    """Return the change of the features that both tables have, in each form.

    With f0 before and f1 after: d = f1 - f0, 100 d / |f0|, ln(f1 / f0), d / days. The relative form
    is missing where f0 is 0, the log ratio unless both are positive, the daily one unless the later
    scan is at least a day after the earlier. Customary forms of delta radiomics; no single source.

    Parameters
    ----------
    later, earlier : FeatureTable
        Of the same lesions. Patients of ``earlier`` alone are left out.
    forms : sequence of DeltaForm
        Which, in the order of the columns.
    days : pandas.DataFrame
        As :func:`count_days` returns it.

    Returns
    -------
    FeatureTable
        Columns named by ``PREFIXES``; NaN where a patient lacks either value.
    """
    units = {spec.name: spec.unit for spec in later.specs}
    known = {spec.name for spec in earlier.specs}
    shared = [name for name in units if name in known]
    after = later.values[shared]
    before = earlier.values[shared].reindex(after.index)
    frames: list[pd.DataFrame] = []
    specs: list[FeatureSpec] = []
    for form in forms:
        change = _change(before, after, form, days)
        finite = change.where(np.isfinite(change))  # a ratio to almost nothing overflows
        frames.append(finite.add_prefix(PREFIXES[form]))
        specs += [
            FeatureSpec(PREFIXES[form] + name, FeatureGroup.DELTA, _unit(units[name], form))
            for name in shared
        ]
    return FeatureTable(pd.concat(frames, axis=1), tuple(specs))


def count_days(scans: Iterable[ScanRow]) -> pd.DataFrame:
    """Return the days from baseline to operation scan, by patient (rows) and modality (columns).

    Columns are named as features begin: ``ct``, ``mr``, ``pt``. The first date of a modality's rows
    counts; NaN without both dates, or where the later scan is not at least a day after.
    """
    dates: dict[tuple[str, str], dict[Timepoint, date]] = {}
    for row in scans:
        if row.scan_date:
            seen = dates.setdefault((row.patient_id, row.modality.lower()), {})
            day = date.fromisoformat(row.scan_date)
            seen[row.timepoint] = min(day, seen.get(row.timepoint, day))
    days: dict[str, dict[str, float]] = {modality.lower(): {} for modality in Modality}
    for (patient_id, modality), seen in dates.items():
        between = _days_between(seen)
        if between >= 1:
            days[modality][patient_id] = float(between)
    return pd.DataFrame(days, dtype=float)


def _days_between(seen: Mapping[Timepoint, date]) -> int:
    if not {Timepoint.BASELINE, Timepoint.PREOP} <= seen.keys():
        return 0
    return (seen[Timepoint.PREOP] - seen[Timepoint.BASELINE]).days


def _change(
    before: pd.DataFrame, after: pd.DataFrame, form: DeltaForm, days: pd.DataFrame
) -> pd.DataFrame:
    match form:
        case DeltaForm.ABSOLUTE:
            return after - before
        case DeltaForm.RELATIVE:
            return 100 * (after - before) / before.abs().where(before != 0)
        case DeltaForm.LOG_RATIO:
            positive = (before > 0) & (after > 0)
            return (after / before).where(positive).map(np.log)
        case DeltaForm.PER_DAY:
            between = days.reindex(after.index)
            modalities = [name.partition("_")[0] for name in after.columns]
            return (after - before).div(between[modalities].set_axis(after.columns, axis=1))


def _unit(unit: str, form: DeltaForm) -> str:
    match form:
        case DeltaForm.ABSOLUTE:
            return unit
        case DeltaForm.RELATIVE:
            return "%"
        case DeltaForm.LOG_RATIO:
            return "1"
        case DeltaForm.PER_DAY:
            return f"{unit}/d"


def _block(group: pd.DataFrame, features: Sequence[str], prefix: str) -> pd.DataFrame:
    block = group.set_index("patient_id")[list(features)]
    # A modality's extraction may yield names that another does not: leave those out, not empty.
    return block.dropna(axis=1, how="all").add_prefix(f"{prefix}_")
