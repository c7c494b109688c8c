"""From the radiomic features of several lesions to those of a patient."""

import pandas as pd

VISIT = ("patient_id", "timepoint", "modality")
"""What a weight belongs to, with the lesion."""

GROUP = (*VISIT, "phase", "region")
"""Rows of one group become one row."""

RADIOMIC_COLUMNS = (*GROUP, "lesion_id")
"""Of a table of radiomic features, beside these: a row a lesion, phase and region."""


def combine_lesions(rows: pd.DataFrame, weights: pd.DataFrame) -> pd.DataFrame:
    """Return the weighted mean of each feature over the lesions that stand for a patient.

    A value that one of them lacks is missing: a mean over the others would be of another tumour.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``GROUP``, ``lesion_id`` and feature columns; one row a lesion, phase and region.
    weights : pandas.DataFrame
        ``VISIT``, ``lesion_id`` and ``weight``: the lesions of each visit that must have a value.
        A visit without any has no row in the result.

    Returns
    -------
    pandas.DataFrame
        ``GROUP`` and the features, sorted by ``GROUP``; NaN where a lesion lacks a value or the
        weights sum to nothing.
    """
    features = [name for name in rows.columns if name not in (*GROUP, "lesion_id")]
    groups = rows[list(GROUP)].drop_duplicates()
    wanted = groups.merge(weights, on=list(VISIT))
    joined = wanted.merge(rows, on=[*GROUP, "lesion_id"], how="left")
    joined = joined.sort_values([*GROUP, "lesion_id"])  # sums must not depend on the order of rows
    keys = [joined[name] for name in GROUP]
    totals = joined["weight"].groupby(keys).transform("sum")
    shares = (joined["weight"] / totals).where(totals > 0)
    # min_count asks for every lesion of the group, so that a missing one makes the sum missing.
    weighted = joined[features].astype(float).mul(shares, axis=0)
    complete = weighted.notna().groupby(keys).transform("all")
    sums = weighted.where(complete).groupby(keys).sum(min_count=1)
    return sums.reset_index()
