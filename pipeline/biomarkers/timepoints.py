"""Which blood draw belongs to which time point, and which one counts."""

from collections.abc import Mapping
from datetime import date

import pandas as pd

from pipeline.domain.scan import Timepoint

ScanDates = Mapping[tuple[str, str], date]
"""Date of the scan of each (patient_id, timepoint)."""


def scan_dates(scans: pd.DataFrame) -> dict[tuple[str, str], date]:
    """Collect the earliest scan date of each patient and time point from ``scans.csv`` rows."""
    dates: dict[tuple[str, str], date] = {}
    if "scan_date" not in scans.columns:
        return dates
    dated = scans[scans["scan_date"].fillna("").astype(str) != ""]
    for row in dated.itertuples():
        key = (str(row.patient_id), str(row.timepoint))
        seen = date.fromisoformat(str(row.scan_date))
        dates[key] = min(seen, dates.get(key, seen))
    return dates


def assign_timepoint(patient_id: str, drawn_on: date, dates: ScanDates, window_days: int) -> str:
    """Return the time point whose scan is nearest to the draw; empty where none is near enough."""
    distances = {
        timepoint.value: abs((dates[patient_id, timepoint.value] - drawn_on).days)
        for timepoint in Timepoint
        if (patient_id, timepoint.value) in dates
    }
    nearest = min(distances, key=lambda name: distances[name], default="")
    return nearest if nearest and distances[nearest] <= window_days else ""


def with_timepoints(biomarkers: pd.DataFrame, dates: ScanDates, window_days: int) -> pd.DataFrame:
    """Return the draws with the column ``timepoint`` filled; what stays empty is not used."""
    filled = biomarkers.copy()
    if "timepoint" not in filled.columns:
        filled["timepoint"] = ""
    filled["timepoint"] = filled["timepoint"].fillna("")
    for row in filled[filled["timepoint"] == ""].itertuples():
        drawn_on = date.fromisoformat(str(row.drawn_on))
        filled.loc[row.Index, "timepoint"] = assign_timepoint(
            str(row.patient_id), drawn_on, dates, window_days
        )
    return filled


def latest_draws(biomarkers: pd.DataFrame) -> pd.DataFrame:
    """Keep the last draw of each patient, analyte and time point; of one day, the last row.

    The last draw before treatment is the baseline and the last before surgery the pre-operative
    value: both are closest to the scan they are read with.
    """
    keys = ["patient_id", "analyte", "timepoint"]
    ordered = biomarkers.sort_values("drawn_on", kind="stable")
    return ordered.drop_duplicates(keys, keep="last").sort_index()
