"""Named numbers about patients, each with its group and unit."""

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum

import pandas as pd


class FeatureGroup(StrEnum):
    """Where a patient-level feature comes from; feature sets are unions of groups."""

    CLINICAL = "clinical"
    SERUM = "serum"
    SIZE = "size"
    RESPONSE = "response"
    RADIOMICS = "radiomics"
    DELTA = "delta"
    HABITAT = "habitat"


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """What one column of a feature table means.

    Parameters
    ----------
    name : str
        Column name, unit included where a bare number would be ambiguous.
    group : FeatureGroup
        Source of the feature.
    unit : str
        ``mm``, ``g/L`` ...; ``1`` for dimensionless and indicator columns.
    """

    name: str
    group: FeatureGroup
    unit: str


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """One row a patient, one float column a feature; NaN where missing.

    Parameters
    ----------
    values : pandas.DataFrame
        Indexed by ``patient_id``; columns in the order of ``specs``.
    specs : tuple of FeatureSpec
        One a column.

    Raises
    ------
    ValueError
        If columns and specs disagree, a name repeats, or a patient has two rows.
    """

    values: pd.DataFrame = field(repr=False)
    specs: tuple[FeatureSpec, ...]

    def __post_init__(self) -> None:
        names = [spec.name for spec in self.specs]
        if len(set(names)) != len(names):
            repeated = sorted({name for name in names if names.count(name) > 1})
            msg = f"feature names must be unique, repeated: {repeated[:5]}"
            raise ValueError(msg)
        if list(self.values.columns) != names:
            odd = sorted(set(self.values.columns) ^ set(names))
            msg = f"columns and specs must agree in name and order, differing: {odd[:5]}"
            raise ValueError(msg)
        if self.values.index.has_duplicates:
            twice = sorted(self.values.index[self.values.index.duplicated()])
            msg = f"one row a patient expected, several for {twice[:5]}"
            raise ValueError(msg)

    def names_in(self, groups: Collection[FeatureGroup]) -> list[str]:
        """Return the names of the columns that belong to any of the groups, in table order."""
        return [spec.name for spec in self.specs if spec.group in groups]
