"""Radiomics that lipiodol decides: withheld, because oil is as dense as enhancing tissue."""

import numpy as np
import pandas as pd

from pipeline.domain.scan import Modality, Timepoint
from pipeline.features.delta import KEYS

LESION = ["patient_id", "timepoint", "modality", "lesion_id"]
"""What a share of lipiodol belongs to."""

SHARE = "ct_lipiodol_percent"
"""The measure that tells it; missing without a native phase, and then nothing is withheld."""


def find_oily_lesions(measures: pd.DataFrame, tolerated_percent: float) -> pd.DataFrame:
    """Return the lesions with more lipiodol than tolerated: columns ``LESION`` and ``SHARE``.

    Parameters
    ----------
    measures : pandas.DataFrame
        A row a lesion of a visit; :data:`SHARE` may be absent, as in a cohort without CT.
    tolerated_percent : float
        Share of the lesion.
    """
    share = measures.reindex(columns=[*LESION, SHARE])
    oily = (share["modality"] == Modality.CT) & (share[SHARE].astype(float) > tolerated_percent)
    return share[oily].reset_index(drop=True)


def withhold_texture(rows: pd.DataFrame, oily: pd.DataFrame) -> pd.DataFrame:
    """Return radiomic features without those of oily lesions, but for their shape.

    On every phase of CT, also before contrast, and in every region of the lesion: oil of hundreds
    of HU decides all that is read from intensities. Shape follows from the mask alone.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``KEYS`` and features named as PyRadiomics does (``original_shape_...``).
    oily : pandas.DataFrame
        As :func:`find_oily_lesions` returns it.
    """
    hit = pd.MultiIndex.from_frame(rows[LESION]).isin(pd.MultiIndex.from_frame(oily[LESION]))
    texture = [name for name in rows.columns if name not in KEYS and "_shape_" not in name]
    values = np.where(hit[:, None], np.nan, rows[texture].astype(float))
    kept = pd.DataFrame(values, index=rows.index, columns=texture)
    return pd.concat([rows.drop(columns=texture), kept], axis=1)[list(rows.columns)]


def explain_withheld(
    oily: pd.DataFrame, weights: pd.DataFrame, timepoint: Timepoint
) -> dict[str, str]:
    """Return a line a patient on the lesions whose texture is withheld at a time point.

    Parameters
    ----------
    oily : pandas.DataFrame
        As :func:`find_oily_lesions` returns it.
    weights : pandas.DataFrame
        ``LESION`` of the lesions that stand for each patient; others are not mentioned.
    timepoint : Timepoint
        Of the prediction.
    """
    standing = weights.loc[weights["timepoint"] == timepoint, LESION].drop_duplicates()
    lines: dict[str, list[str]] = {}
    for row in oily.merge(standing, on=LESION).sort_values(LESION).to_dict("records"):
        line = (
            f"lipiodol in {row[SHARE]:.0f} % of lesion {row['lesion_id']}: CT radiomics but shape"
        )
        lines.setdefault(str(row["patient_id"]), []).append(line)
    return {patient_id: "; ".join(parts) for patient_id, parts in lines.items()}
