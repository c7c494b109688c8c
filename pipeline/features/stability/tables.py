"""Coefficients of features as tables: one row a modality, phase, region and feature."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.features.stability.icc import Agreement, icc_1_1, icc_2_1, icc_3_1

KEYS = ("modality", "phase", "region", "feature")
"""What a row of the tables belongs to."""

PERTURBATION_COLUMNS = ("icc", "low", "high", "n_cases", "n_perturbations", "failed", "reason")
"""ICC(1,1) over perturbations with its 95 % interval; cases used; perturbations of each; how many
of them gave no value; why there is no coefficient."""

READER_COLUMNS = (
    *("icc_2_1", "icc_2_1_low", "icc_2_1_high", "icc_3_1", "icc_3_1_low", "icc_3_1_high"),
    *("n_read", "reader_reason"),
)
"""Two readers' agreement with 95 % intervals; cases that both read; why there is none."""

LEFT_OUT = "n_left_out_same_patient"
"""Column: second masks left out because a patient counts once for each modality and phase; an
interval takes its cases as independent."""

Features = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Measured:
    """Repeated measurements of the scans of one modality and phase.

    Parameters
    ----------
    modality, phase, region : str
        What was measured.
    features : sequence of str
        Names of the features.
    cases : sequence of sequence
        For each case its measurements, features by name or None where one failed; the same number
        for all cases.
    """

    modality: str
    phase: str
    region: str
    features: Sequence[str]
    cases: Sequence[Sequence[Features | None]] = field(repr=False)

    @property
    def values(self) -> npt.NDArray[np.float64]:
        """Values, shape (cases, measurements, features); NaN where there is none."""
        nothing: Features = {}
        rows = [
            [(one or nothing).get(name, np.nan) for name in self.features]
            for case in self.cases
            for one in case
        ]
        repeats = len(self.cases[0]) if self.cases else 0
        values = np.array(rows, dtype=np.float64)
        return values.reshape(len(self.cases), repeats, len(self.features))

    def table(self, columns: Mapping[str, object]) -> pd.DataFrame:
        """Return a table with the keys and these columns."""
        keys = dict(zip(KEYS, (self.modality, self.phase, self.region), strict=False))
        return pd.DataFrame({"feature": list(self.features), **keys, **columns})[[*KEYS, *columns]]


def perturbation_table(groups: Iterable[Measured]) -> pd.DataFrame:
    """Return ICC(1,1) of every feature, :data:`KEYS` and :data:`PERTURBATION_COLUMNS`."""
    tables = []
    for group in groups:
        values = group.values
        found = icc_1_1(values)
        counts = {
            "n_cases": found.cases,
            "n_perturbations": values.shape[1],
            "failed": (~np.isfinite(values)).sum(axis=(0, 1)),
        }
        columns = {**_numbers(found, ""), **counts, "reason": list(found.reason)}
        tables.append(group.table(columns))
    return _stacked(tables, (*KEYS, *PERTURBATION_COLUMNS))


def reader_table(groups: Iterable[Measured]) -> pd.DataFrame:
    """Return two readers' agreement on every feature, :data:`KEYS` and :data:`READER_COLUMNS`."""
    tables = []
    for group in groups:
        values = group.values
        absolute, consistent = icc_2_1(values), icc_3_1(values)
        columns = {
            **_numbers(absolute, "_2_1"),
            **_numbers(consistent, "_3_1"),
            "n_read": absolute.cases,
            "reader_reason": list(absolute.reason),
        }
        tables.append(group.table(columns))
    return _stacked(tables, (*KEYS, *READER_COLUMNS))


def add_readers(
    perturbed: pd.DataFrame, readers: pd.DataFrame, left_out: Iterable[tuple[str, str]] = ()
) -> pd.DataFrame:
    """Put the agreement of readers beside that over perturbations, row by row.

    Parameters
    ----------
    perturbed, readers : pandas.DataFrame
        From :func:`perturbation_table` and :func:`reader_table`.
    left_out : iterable of (str, str)
        Modality and phase of each second mask that :data:`LEFT_OUT` counts.
    """
    counts = Counter(left_out)
    joined = perturbed.merge(readers, on=list(KEYS), how="left", validate="one_to_one")
    joined["n_read"] = joined["n_read"].fillna(0).astype(np.int64)
    unread = joined["reader_reason"].isna()
    joined.loc[unread, "reader_reason"] = "no second mask for this modality and phase"
    places = zip(joined["modality"], joined["phase"], strict=True)
    joined[LEFT_OUT] = np.array([counts[place] for place in places], dtype=np.int64)
    return joined


def _numbers(found: Agreement, suffix: str) -> dict[str, npt.NDArray[np.float64]]:
    name = f"icc{suffix}"
    prefix = f"{name}_" if suffix else ""
    return {name: found.icc, f"{prefix}low": found.low, f"{prefix}high": found.high}


def _stacked(tables: list[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    if not tables:
        return pd.DataFrame(columns=list(columns))
    return pd.concat(tables, ignore_index=True)[list(columns)]
