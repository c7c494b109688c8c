"""Covariates of ``patients.csv`` as numbers."""

import pandas as pd

from pipeline.config.cohort import Covariate, category_text
from pipeline.domain.features import FeatureGroup, FeatureSpec, FeatureTable


def encode_covariates(patients: pd.DataFrame, covariates: dict[str, Covariate]) -> FeatureTable:
    """Turn the declared covariates into columns.

    A numeric covariate is one column. A categorical one has an indicator column for each declared
    category but the first, which is the reference; a missing value is missing in all of them. The
    categories come from the settings, so that a new patient is encoded as the training was.

    Parameters
    ----------
    patients : pandas.DataFrame
        ``patients.csv``; a covariate it lacks is missing for everybody.
    covariates : dict
        Declared covariates by column name.
    """
    columns: dict[str, pd.Series] = {}
    specs: list[FeatureSpec] = []
    for name, covariate in covariates.items():
        values = (
            patients[name] if name in patients else pd.Series(index=patients.index, dtype=float)
        )
        for column, encoded in _encode(name, values, covariate).items():
            columns[column] = encoded
            specs.append(FeatureSpec(column, FeatureGroup.CLINICAL, covariate.unit))
    frame = pd.DataFrame(columns, index=patients.index, dtype=float)
    frame.index = pd.Index(patients["patient_id"].astype(str), name="patient_id")
    return FeatureTable(frame, tuple(specs))


def _encode(name: str, values: pd.Series, covariate: Covariate) -> dict[str, pd.Series]:
    if covariate.kind == "numeric":
        return {f"clinical_{name}": pd.to_numeric(values, errors="raise").astype(float)}
    text = values.map(category_text)
    return {
        f"clinical_{name}_{category}": (text == category).astype(float).where(text.notna())
        for category in covariate.categories[1:]
    }
