"""Who each synthetic patient is: site, scanner, therapy, calendar, clinical covariates."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from pipeline.config.demo import DemoConfig
from pipeline.synthetic.effects import Effects
from pipeline.synthetic.truth import follow_response

REGIMENS = ("TKI+ICI", "HAIC+TKI+ICI", "TACE+TKI+ICI")
"""Conversion therapy: two drugs alone, or with infusion, or with embolisation."""

MISSABLE_COVARIATES = ("hbv", "cirrhosis", "tumour_number", "pvtt", "cycles")
"""Columns of ``patients.csv`` that lack some values."""

FIRST_SCAN = "2021-01-04"
"""First day of the fictive enrolment, which lasts two years."""

_ENROLMENT_DAYS = 730
_REGIMEN_SHARES = (0.3, 0.3, 0.4)
_TUMOUR_NUMBER_SHARES = (0.52, 0.18, 0.12, 0.18)
_INTERVAL_RANGE_DAYS = (42, 400)
_SCAN_TO_SURGERY_DAYS = (3, 28)

Floats = npt.NDArray[np.float64]


def plan_patients(noise: pd.DataFrame, config: DemoConfig, effects: Effects) -> pd.DataFrame:
    """Draw everything about the patients that is neither tumour nor marker.

    Returns
    -------
    pandas.DataFrame
        One row a patient: ``site``, ``modality``, ``regimen``, ``lipiodol_fraction`` (share of
        the dead tumour volume at preop that holds lipiodol), ``has_baseline_native``, clinical
        covariates without gaps, and dates of scans, surgery and pathology.
    """
    plan = pd.DataFrame({"patient_id": patient_ids(len(noise))}, index=noise.index)
    second = uniform(noise, "site") < config.second_site_share
    plan["site"] = np.where(second, *reversed(tuple(config.sites)))
    plan["modality"] = np.where(uniform(noise, "modality") < config.mr_share, "MR", "CT")
    native_missing = uniform(noise, "miss_native") < config.missing.baseline_native
    plan["has_baseline_native"] = ~native_missing
    plan = plan.join([_clinical(noise, effects), _calendar(noise)])
    plan["lipiodol_fraction"] = _lipiodol(noise, plan, config.lipiodol_share)
    return plan


def patient_ids(patients: int) -> list[str]:
    """Return ``DEMO_001`` and so on; the number grows beyond three digits where it must."""
    return [f"DEMO_{number:03d}" for number in range(1, patients + 1)]


def uniform(noise: pd.DataFrame, variable: str) -> Floats:
    """Return the variable's noise as uniform numbers between 0 and 1."""
    return np.asarray(norm.cdf(noise[variable].to_numpy()))


def hide_values(covariates: pd.DataFrame, noise: pd.DataFrame, share: float) -> pd.DataFrame:
    """Return the covariates with a share of values missing, independent of everything else."""
    hidden = covariates.copy()
    for column in MISSABLE_COVARIATES:
        hidden.loc[uniform(noise, f"miss_{column}") < share, column] = pd.NA
    return hidden


def _clinical(noise: pd.DataFrame, effects: Effects) -> pd.DataFrame:
    few_tumours = norm.cdf(follow_response(noise, "tumour_number", effects.number_loading))
    strong_therapy = norm.cdf(follow_response(noise, "regimen", effects.regimen_loading))
    number = 1 + _category(1 - few_tumours, _TUMOUR_NUMBER_SHARES)
    cycles = np.clip(np.round(3.3 * np.exp(0.35 * noise["cycles"])), 1, 8)
    columns = {
        "age": np.round(np.clip(54 + 11 * noise["age"], 25, 80)).astype(int),
        "sex": np.where(uniform(noise, "sex") < 0.88, "M", "F"),
        "hbv": (uniform(noise, "hbv") < 0.84).astype(int),
        "cirrhosis": (uniform(noise, "cirrhosis") < 0.68).astype(int),
        "tumour_number": number,
        "pvtt": (uniform(noise, "pvtt") < 0.5).astype(int),
        "regimen": np.array(REGIMENS)[_category(strong_therapy, _REGIMEN_SHARES)],
        "cycles": cycles.astype(int),
    }
    frame = pd.DataFrame(columns, index=noise.index)
    return frame.astype(dict.fromkeys(MISSABLE_COVARIATES, "Int64"))


def _calendar(noise: pd.DataFrame) -> pd.DataFrame:
    baseline = np.floor(_ENROLMENT_DAYS * uniform(noise, "enrolment"))
    start = baseline + 1 + np.floor(14 * uniform(noise, "start_lag"))
    interval = np.clip(125 * np.exp(0.5 * noise["interval"]), *_INTERVAL_RANGE_DAYS)
    surgery = start + np.round(interval.to_numpy())
    low, high = _SCAN_TO_SURGERY_DAYS
    preop = surgery - (low + np.floor((high - low + 1) * uniform(noise, "scan_lag")))
    pathology = surgery + 4 + np.floor(11 * uniform(noise, "pathology_lag"))
    days = {
        "baseline_scan_date": baseline,
        "preop_scan_date": preop,
        "surgery_date": surgery,
        "pathology_date": pathology,
    }
    return pd.DataFrame({name: as_date(value) for name, value in days.items()}, index=noise.index)


def as_date(days: Floats) -> "pd.Series[pd.Timestamp]":
    """Turn days since :data:`FIRST_SCAN` into dates."""
    return pd.Series(pd.Timestamp(FIRST_SCAN) + pd.to_timedelta(days, unit="D"))


def _lipiodol(noise: pd.DataFrame, plan: pd.DataFrame, share: float) -> Floats:
    embolised = plan["regimen"].str.startswith("TACE") & (plan["modality"] == "CT")
    present = embolised.to_numpy() & (uniform(noise, "lipiodol") < share)
    return np.where(present, 0.2 + 0.6 * uniform(noise, "lipiodol_share"), 0.0)


def _category(probability: Floats, shares: tuple[float, ...]) -> npt.NDArray[np.intp]:
    return np.searchsorted(np.cumsum(shares)[:-1], probability, side="right")
