"""Blood draws that are far from the scan they are read with."""

from collections.abc import Iterator
from datetime import date

import pandas as pd

from pipeline.biomarkers.timepoints import ScanDates, latest_draws, with_timepoints
from pipeline.config.biomarkers import BiomarkersConfig
from pipeline.domain.problem import Problem, Severity
from pipeline.ingest.codes import Code
from pipeline.ingest.cohort import BIOMARKERS_FILE
from pipeline.ingest.tables import as_date


def find_distant_draws(
    biomarkers: pd.DataFrame, dates: ScanDates, config: BiomarkersConfig
) -> Iterator[Problem]:
    """List the values that count but were drawn long before or after their scan.

    Parameters
    ----------
    biomarkers : pandas.DataFrame
        Rows of ``biomarkers.csv`` as text; malformed dates are left out, others list them.
    dates : mapping
        Scan dates; time points without one are not judged.
    config : BiomarkersConfig
        ``distant_days`` is the limit, ``window_days`` places draws without a time point.

    Yields
    ------
    Problem
        One warning for each patient and time point. Of several draws of an analyte only the last
        counts, as in the features.
    """
    if biomarkers.empty or not dates:
        return
    dated = biomarkers[biomarkers["drawn_on"].map(as_date).notna()]
    used = latest_draws(with_timepoints(dated, dates, config.window_days))
    for (patient_id, timepoint), rows in used.groupby(["patient_id", "timepoint"], sort=False):
        scanned = dates.get((str(patient_id), str(timepoint)))
        if scanned is None:
            continue
        gaps = rows["drawn_on"].map(
            lambda text, day=scanned: abs((date.fromisoformat(text) - day).days)
        )
        far = rows[gaps > config.distant_days]
        if not far.empty:
            yield _distant(str(patient_id), str(timepoint), far, int(gaps.max()), config)


def _distant(
    patient_id: str, timepoint: str, rows: pd.DataFrame, days: int, config: BiomarkersConfig
) -> Problem:
    names = ", ".join(dict.fromkeys(rows["analyte"].astype(str)))
    return Problem(
        code=Code.LABS_OUTSIDE_WINDOW,
        what=f"blood was drawn far from the {timepoint} scan",
        expected=f"at most {config.distant_days} days (distant_days in biomarkers.yaml)",
        got=f"{names} up to {days} days away",
        next_step="Add a draw nearer to the scan where there is one, or check the dates.",
        patient_id=patient_id,
        file=BIOMARKERS_FILE,
        column="drawn_on",
        severity=Severity.WARNING,
    )
