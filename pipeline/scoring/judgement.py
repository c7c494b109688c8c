"""What to know about a probability: what was imputed, and what lies outside the training range."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.domain.features import FeatureGroup, FeatureSpec, FeatureTable
from pipeline.domain.prediction import Prediction
from pipeline.domain.scan import Modality
from pipeline.modeling.bundle import ModelBundle

Flags = npt.NDArray[np.bool_]
Values = npt.NDArray[np.float64]

OUTSIDE_SHARE = 0.05
"""Share of a patient's image features outside the training range from which a warning is given.

Of hundreds of features some lie just outside a small cohort's range by chance; this is a flag of
the project, not a published limit."""

_MODALITIES = {modality.lower() for modality in Modality}


def align(bundle: ModelBundle, table: FeatureTable) -> pd.DataFrame:
    """Return the bundle's features of each patient, NaN for those that the table lacks.

    A cohort without, say, any MR scan has no MR columns; for its patients they are missing, which
    :func:`judge` reports.
    """
    return table.values.reindex(columns=[spec.name for spec in bundle.features])


def judge(
    bundle: ModelBundle,
    values: pd.DataFrame,
    absent: Mapping[str, Sequence[str]] | None = None,
) -> list[Prediction]:
    """Score patients and say what to know about each answer.

    Parameters
    ----------
    bundle : ModelBundle
        The trained model.
    values : pandas.DataFrame
        As :func:`align` returns them, indexed by ``patient_id``.
    absent : mapping of str to sequence of str, optional
        By patient, regions that a scan does not have, with the reason.
    """
    absent = absent or {}
    probabilities = bundle.predict(values)
    low, high = bundle.range_arrays()
    table = values.to_numpy(dtype=float)
    outside = (table < low) | (table > high)
    # What no training patient had is no input of the model, whatever its list of features says.
    missing = np.isnan(table) & ~np.isnan(low)
    return [
        Prediction(
            patient_id=str(patient_id),
            probability=float(probability),
            missing=(
                *_describe_missing(bundle.features, gone),
                *absent.get(str(patient_id), ()),
            ),
            warnings=_describe_outside(bundle.features, row, beyond),
        )
        for patient_id, probability, row, gone, beyond in zip(
            values.index, probabilities, table, missing, outside, strict=True
        )
    ]


def _crowd(spec: FeatureSpec) -> str:
    """Return what a feature is counted as; empty where it is worth naming by itself."""
    if spec.group in (FeatureGroup.RADIOMICS, FeatureGroup.DELTA):
        return f"{spec.group} features"
    modality = spec.name.split("_")[0]
    return f"{modality.upper()} measures" if modality in _MODALITIES else ""


def _describe_missing(specs: Sequence[FeatureSpec], missing: Flags) -> tuple[str, ...]:
    gone = [spec for spec, flag in zip(specs, missing, strict=True) if flag]
    totals = Counter(_crowd(spec) for spec in specs)
    counts = Counter(_crowd(spec) for spec in gone)
    single = [spec.name for spec in gone if not _crowd(spec)]
    crowds = [f"{counts[name]} of {totals[name]} {name}" for name in sorted(counts) if name]
    return (*single, *crowds)


def _describe_outside(specs: Sequence[FeatureSpec], row: Values, outside: Flags) -> tuple[str, ...]:
    beyond = [(spec, value) for spec, value, flag in zip(specs, row, outside, strict=True) if flag]
    present = Counter(
        _crowd(spec) for spec, value in zip(specs, row, strict=True) if not np.isnan(value)
    )
    counts = Counter(_crowd(spec) for spec, _ in beyond)
    single = [
        f"{spec.name} = {value:.4g} lies outside the range seen in training"
        for spec, value in beyond
        if not _crowd(spec)
    ]
    crowds = [
        f"{counts[name]} of {present[name]} {name} lie outside the range seen in training"
        for name in sorted(counts)
        if name and counts[name] > OUTSIDE_SHARE * present[name]
    ]
    return (*single, *crowds)
