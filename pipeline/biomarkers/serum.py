"""Serum features: one row a patient, from the rows of ``biomarkers.csv``."""

from collections.abc import Sequence
from math import log10

import pandas as pd

from pipeline.biomarkers.kinetics import MarkerState, compute_kinetics
from pipeline.biomarkers.measurement import find_analyte, read_measurement
from pipeline.biomarkers.scores import compute_albi
from pipeline.config.biomarkers import Analyte, BiomarkersConfig
from pipeline.domain.features import FeatureGroup, FeatureSpec, FeatureTable
from pipeline.domain.scan import Timepoint

Values = dict[tuple[str, str], float]
"""Value in the canonical unit by (analyte key, timepoint), of one patient."""


def build_serum_features(
    draws: pd.DataFrame, patient_ids: Sequence[str], config: BiomarkersConfig
) -> FeatureTable:
    """Turn checked draws into features.

    Parameters
    ----------
    draws : pandas.DataFrame
        Rows of ``biomarkers.csv`` with ``timepoint`` filled, one a patient, analyte, time point.
    patient_ids : sequence of str
        Patients of the table, also those without any draw.
    config : BiomarkersConfig
        Analytes; the columns depend on it alone, so that every cohort yields the same ones.

    Raises
    ------
    MeasurementError
        If a measurement is not interpretable; :mod:`pipeline.biomarkers.checks` lists them all.
    """
    by_patient = read_values(draws, config)
    specs = serum_specs(config)
    rows = [serum_row(by_patient.get(patient_id, {}), config) for patient_id in patient_ids]
    values = pd.DataFrame(
        rows,
        index=pd.Index(patient_ids, name="patient_id", dtype=str),
        columns=[spec.name for spec in specs],
        dtype=float,
    )
    return FeatureTable(values, specs)


def read_values(draws: pd.DataFrame, config: BiomarkersConfig) -> dict[str, Values]:
    """Return each patient's values in canonical units; unknown analytes are passed over."""
    by_patient: dict[str, Values] = {}
    for row in draws.itertuples():
        analyte = find_analyte(str(row.analyte), config)
        if analyte is None or not row.timepoint:
            continue
        measured = read_measurement(str(row.value), str(row.unit), analyte)
        values = by_patient.setdefault(str(row.patient_id), {})
        values[analyte.key, str(row.timepoint)] = measured.point_value(config.below_limit_factor)
    return by_patient


def serum_specs(config: BiomarkersConfig) -> tuple[FeatureSpec, ...]:
    """Return names and units of the serum features in the order of the table."""
    names: list[tuple[str, str]] = []
    for analyte in config.analytes.values():
        names += [(level_name(analyte, timepoint), _level_unit(analyte)) for timepoint in Timepoint]
        if analyte.kinetics:
            names += [(f"{analyte.key}_{suffix}", "1") for suffix in _KINETIC_SUFFIXES]
    if {"albumin", "bilirubin"} <= {analyte.key for analyte in config.analytes.values()}:
        names += [(f"albi_{timepoint}", "1") for timepoint in Timepoint] + [("albi_change", "1")]
    return tuple(FeatureSpec(name, FeatureGroup.SERUM, unit) for name, unit in names)


_KINETIC_SUFFIXES = ("log_ratio", "responded", "normalised", "informative", "missing")


def serum_row(values: Values, config: BiomarkersConfig) -> dict[str, float]:
    """Compute one patient's serum features."""
    row: dict[str, float] = {}
    for analyte in config.analytes.values():
        for timepoint in Timepoint:
            value = values.get((analyte.key, timepoint), float("nan"))
            # Markers spread over decades; their logarithm is what models and people read.
            row[level_name(analyte, timepoint)] = log10(value) if analyte.log10 else value
        if analyte.kinetics:
            row |= _kinetic_features(values, analyte, config.response_decline_percent)
    return row | _albi_features(values)


def level_name(analyte: Analyte, timepoint: Timepoint) -> str:
    """Return the name of a level feature, such as ``afp_preop_log10_ng_ml``."""
    scale = "log10_" if analyte.log10 else ""
    return f"{analyte.key}_{timepoint}_{scale}{analyte.unit_key}"


def _level_unit(analyte: Analyte) -> str:
    return f"log10 {analyte.unit}" if analyte.log10 else analyte.unit


def _kinetic_features(values: Values, analyte: Analyte, decline_percent: float) -> dict[str, float]:
    nan = float("nan")
    baseline = values.get((analyte.key, Timepoint.BASELINE), nan)
    preop = values.get((analyte.key, Timepoint.PREOP), nan)
    change = compute_kinetics(baseline, preop, analyte, decline_percent)
    return {
        f"{analyte.key}_log_ratio": change.log_ratio,
        f"{analyte.key}_responded": change.responded,
        f"{analyte.key}_normalised": change.normalised,
        f"{analyte.key}_informative": float(change.state is MarkerState.INFORMATIVE),
        f"{analyte.key}_missing": float(change.state is MarkerState.MISSING),
    }


def _albi_features(values: Values) -> dict[str, float]:
    nan = float("nan")
    scores = {
        timepoint: compute_albi(
            values.get(("bilirubin", timepoint), nan), values.get(("albumin", timepoint), nan)
        )
        for timepoint in Timepoint
    }
    change = scores[Timepoint.PREOP] - scores[Timepoint.BASELINE]
    return {f"albi_{name}": score for name, score in scores.items()} | {"albi_change": change}
