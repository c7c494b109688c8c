"""Covariates of ``patients.csv`` as numbers."""

import pandas as pd

from pipeline.config.cohort import Covariate, category_text
from pipeline.domain.errors import MeasurementError
from pipeline.domain.features import FeatureGroup, FeatureSpec, FeatureTable
from pipeline.domain.lr_tr import LrTr, read_lr_tr


def encode_covariates(patients: pd.DataFrame, covariates: dict[str, Covariate]) -> FeatureTable:
    """Turn the declared covariates into columns.

    A numeric covariate is one column. A categorical one has an indicator column for each declared
    category but the first, which is the reference; a missing value is missing in all of them. The
    categories come from the settings, so that a new patient is encoded as the training was. A
    reader's LR-TR category is two columns of group response, ``<name>_viable`` and
    ``<name>_equivocal``: 0 in both is nonviable, missing in both is nonevaluable or not given.

    Parameters
    ----------
    patients : pandas.DataFrame
        ``patients.csv``; a covariate it lacks is missing for everybody.
    covariates : dict
        Declared covariates by column name.

    Raises
    ------
    MeasurementError
        If an LR-TR category is none, which ``validate`` would have listed.
    """
    columns: dict[str, pd.Series] = {}
    specs: list[FeatureSpec] = []
    for name, covariate in covariates.items():
        values = (
            patients[name] if name in patients else pd.Series(index=patients.index, dtype=float)
        )
        for column, encoded in _encode(name, values, covariate).items():
            columns[column] = encoded
            read_from_images = covariate.kind == "lr_tr"
            group = FeatureGroup.RESPONSE if read_from_images else FeatureGroup.CLINICAL
            specs.append(FeatureSpec(column, group, covariate.unit))
    frame = pd.DataFrame(columns, index=patients.index, dtype=float)
    frame.index = pd.Index(patients["patient_id"].astype(str), name="patient_id")
    return FeatureTable(frame, tuple(specs))


def _encode(name: str, values: pd.Series, covariate: Covariate) -> dict[str, pd.Series]:
    if covariate.kind == "numeric":
        return {f"clinical_{name}": pd.to_numeric(values, errors="raise").astype(float)}
    text = values.map(category_text)
    if covariate.kind == "lr_tr":
        return _encode_lr_tr(name, text)
    return {
        f"clinical_{name}_{category}": (text == category).astype(float).where(text.notna())
        for category in covariate.categories[1:]
    }


def _encode_lr_tr(name: str, text: pd.Series) -> dict[str, pd.Series]:
    try:
        read = text.map(read_lr_tr, na_action="ignore")
    except ValueError as error:
        msg = (
            f"patients.csv, column {name}: expected LR-TR {', '.join(LrTr)} or nothing, got"
            f" {error}. Correct the field."
        )
        raise MeasurementError(msg) from None
    known = read.notna() & (read != LrTr.NONEVALUABLE)
    return {
        f"{name}_{category}": (read == category).astype(float).where(known)
        for category in (LrTr.VIABLE, LrTr.EQUIVOCAL)
    }
