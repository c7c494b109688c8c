"""From several lesions to the one that stands for the patient."""

import pandas as pd

from pipeline.domain.scan import Timepoint


def largest_lesions(measures: pd.DataFrame) -> dict[str, str]:
    """Return each patient's largest lesion at the earliest time point with a scan.

    The earliest time point is used because a lesion that dies may shrink below another; ties go to
    the lesion named first in alphabetical order.

    Parameters
    ----------
    measures : pandas.DataFrame
        Columns ``patient_id, timepoint, lesion_id, volume_ml``, one or more rows a lesion.
    """
    order = {timepoint.value: rank for rank, timepoint in enumerate(Timepoint)}
    ranked = measures.assign(rank=measures["timepoint"].map(order))
    first = ranked["rank"] == ranked.groupby("patient_id")["rank"].transform("min")
    sizes = ranked[first].groupby(["patient_id", "lesion_id"])["volume_ml"].max().reset_index()
    ordered = sizes.sort_values(
        ["patient_id", "volume_ml", "lesion_id"], ascending=[True, False, True]
    )
    chosen = ordered.drop_duplicates("patient_id")
    return dict(zip(chosen["patient_id"], chosen["lesion_id"], strict=True))


def keep_lesions(rows: pd.DataFrame, chosen: dict[str, str]) -> pd.DataFrame:
    """Keep the rows of each patient's chosen lesion."""
    return rows[rows["patient_id"].map(chosen) == rows["lesion_id"]]
