"""Radiomic features side by side in one row a patient, and their change over treatment."""

from collections.abc import Sequence

import pandas as pd

from pipeline.domain.scan import Timepoint

KEYS = ("patient_id", "timepoint", "modality", "phase", "lesion_id", "region")
"""Columns that say what a row of extracted features belongs to."""


def widen(rows: pd.DataFrame, timepoint: Timepoint) -> pd.DataFrame:
    """Put the features of one time point side by side.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``KEYS`` and feature columns, one lesion a patient.
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


def compute_delta(later: pd.DataFrame, earlier: pd.DataFrame) -> pd.DataFrame:
    """Return later minus earlier for the columns that both have, named ``delta_<column>``.

    The plain difference is used: ratios are undefined for features that cross zero, such as
    skewness. Patients without both scans get NaN.
    """
    shared = [name for name in later.columns if name in earlier.columns]
    aligned = earlier.reindex(later.index)
    return (later[shared] - aligned[shared]).add_prefix("delta_")


def _block(group: pd.DataFrame, features: Sequence[str], prefix: str) -> pd.DataFrame:
    block = group.set_index("patient_id")[list(features)]
    # A modality's extraction may yield names that another does not: leave those out, not empty.
    return block.dropna(axis=1, how="all").add_prefix(f"{prefix}_")
