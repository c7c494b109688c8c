"""What to know about a probability: what was imputed, and what lies outside the training range."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline.domain.features import FeatureGroup, FeatureSpec, FeatureTable
from pipeline.domain.prediction import Prediction
from pipeline.modeling.bundle import ModelBundle

OUTSIDE_SHARE = 0.05
"""Share of a patient's image features outside the training range from which a warning is given.

Of hundreds of features some lie just outside a small cohort's range by chance; this is a flag of
the project, not a published limit."""

_MANY = {FeatureGroup.RADIOMICS, FeatureGroup.DELTA}


def align(bundle: ModelBundle, table: FeatureTable) -> pd.DataFrame:
    """Return the bundle's features of each patient, NaN for those that the table lacks.

    A cohort without, say, any MR scan has no MR columns; for its patients they are missing, which
    :func:`judge` reports.
    """
    return table.values.reindex(columns=[spec.name for spec in bundle.features])


def judge(bundle: ModelBundle, values: pd.DataFrame) -> list[Prediction]:
    """Score patients and say what to know about each answer.

    Parameters
    ----------
    bundle : ModelBundle
        The trained model.
    values : pandas.DataFrame
        As :func:`align` returns them, indexed by ``patient_id``.
    """
    probabilities = bundle.predict(values)
    low, high = bundle.range_arrays()
    table = values.to_numpy(dtype=float)
    outside = (table < low) | (table > high)
    return [
        Prediction(
            patient_id=str(patient_id),
            probability=float(probability),
            missing=_describe_missing(bundle.features, np.isnan(row)),
            warnings=_describe_outside(bundle.features, row, beyond),
        )
        for patient_id, probability, row, beyond in zip(
            values.index, probabilities, table, outside, strict=True
        )
    ]


def _describe_missing(
    specs: Sequence[FeatureSpec], missing: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
) -> tuple[str, ...]:
    """Name single features; of radiomics only the count, by group."""
    gone = [spec for spec, flag in zip(specs, missing, strict=True) if flag]
    totals = Counter(spec.group for spec in specs)
    counts = Counter(spec.group for spec in gone if spec.group in _MANY)
    grouped = [
        f"{count} of {totals[group]} {group} features" for group, count in sorted(counts.items())
    ]
    return (*(spec.name for spec in gone if spec.group not in _MANY), *grouped)


def _describe_outside(
    specs: Sequence[FeatureSpec],
    row: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    outside: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
) -> tuple[str, ...]:
    beyond = [(spec, value) for spec, value, flag in zip(specs, row, outside, strict=True) if flag]
    single = [
        f"{spec.name} = {value:.4g} lies outside the range seen in training"
        for spec, value in beyond
        if spec.group not in _MANY
    ]
    present = Counter(
        spec.group for spec, value in zip(specs, row, strict=True) if not np.isnan(value)
    )
    counts = Counter(spec.group for spec, _ in beyond if spec.group in _MANY)
    grouped = [
        f"{count} of {present[group]} {group} features lie outside the range seen in training"
        for group, count in sorted(counts.items())
        if count > OUTSIDE_SHARE * present[group]
    ]
    return (*single, *grouped)
