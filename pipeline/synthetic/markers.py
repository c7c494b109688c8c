"""Serum measurements of the synthetic patients, written the way laboratories report them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.config.demo import DemoConfig, ReportingLimits
from pipeline.synthetic.plan import uniform

MG_DL_PER_UMOL_L_BILIRUBIN = 1 / 17.1
"""Bilirubin: 1 mg/dL is 17.1 umol/L."""

G_DL_PER_G_L = 0.1

TIMEPOINTS = ("baseline", "preop")

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assay:
    """How one analyte is reported.

    Parameters
    ----------
    analyte, unit : str
        As in ``biomarkers.csv``.
    key : str
        Stem of its columns in the levels, and of its noise.
    decimals : int or None
        Rounding; None keeps three significant digits.
    other_unit : str
        Unit of some laboratories, empty where all use ``unit``.
    other_factor : float
        From ``unit`` to ``other_unit``.
    """

    analyte: str
    unit: str
    key: str
    decimals: int | None = None
    other_unit: str = ""
    other_factor: float = 1.0


ASSAYS = (
    Assay(analyte="AFP", unit="ng/mL", key="afp"),
    Assay(analyte="PIVKA-II", unit="mAU/mL", key="pivka"),
    Assay(
        analyte="albumin",
        unit="g/L",
        key="albumin",
        decimals=1,
        other_unit="g/dL",
        other_factor=G_DL_PER_G_L,
    ),
    Assay(
        analyte="bilirubin",
        unit="umol/L",
        key="bilirubin",
        other_unit="mg/dL",
        other_factor=MG_DL_PER_UMOL_L_BILIRUBIN,
    ),
    Assay(analyte="platelets", unit="10^9/L", key="platelets", decimals=0),
    Assay(analyte="AST", unit="U/L", key="ast", decimals=0),
    Assay(analyte="ALT", unit="U/L", key="alt", decimals=0),
)
"""The analytes of the demo cohort, in the order of their rows."""


def compute_levels(noise: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Return the true level of each analyte, columns ``<key>_<timepoint>``, in canonical units.

    Liver function has no planted effect; it drifts between the time points.
    """
    levels = truth[[f"{key}_{when}" for key in ("afp", "pivka") for when in TIMEPOINTS]].copy()
    albumin = 40 + 4.5 * noise["albumin"]
    levels["albumin_baseline"] = albumin.clip(22, 54)
    levels["albumin_preop"] = (albumin - 1 + 2 * noise["albumin_change"]).clip(22, 54)
    spread = {"bilirubin": (13, 0.4), "platelets": (160, 0.42), "ast": (42, 0.55), "alt": (36, 0.6)}
    for key, (median, log_sd) in spread.items():
        baseline = median * np.exp(log_sd * noise[key])
        levels[f"{key}_baseline"] = baseline.clip(median / 4, median * 5)
        levels[f"{key}_preop"] = levels[f"{key}_baseline"] * np.exp(0.2 * noise[f"{key}_change"])
    return levels


def report_measurements(
    levels: pd.DataFrame, plan: pd.DataFrame, noise: pd.DataFrame, config: DemoConfig
) -> pd.DataFrame:
    """Report the levels: rounded, censored, in the laboratory's unit, with gaps.

    Returns
    -------
    pandas.DataFrame
        The rows of ``biomarkers.csv`` in the order of patients, time points, assays. Draws of
        some patients have an empty time point; their dates lie within days of the scan.
    """
    parts = [
        _report_assay(assay, when, levels, plan, noise, config)
        for when in TIMEPOINTS
        for assay in ASSAYS
    ]
    rows = pd.concat(parts).sort_index(kind="stable").reset_index(drop=True)
    return rows[["patient_id", "analyte", "value", "unit", "drawn_on", "timepoint"]]


def _report_assay(
    assay: Assay,
    when: str,
    levels: pd.DataFrame,
    plan: pd.DataFrame,
    noise: pd.DataFrame,
    config: DemoConfig,
) -> pd.DataFrame:
    other = _uses_other_unit(assay, noise, config.other_unit_share)
    values = levels[f"{assay.key}_{when}"].to_numpy()
    limits = config.limits.get(assay.analyte)
    texts = [_as_text(v, assay, limits, other=o) for v, o in zip(values, other, strict=True)]
    unnamed = uniform(noise, "miss_timepoint") < config.missing.draw_timepoint
    rows = pd.DataFrame(
        {
            "patient_id": plan["patient_id"],
            "analyte": assay.analyte,
            "value": texts,
            "unit": np.where(other, assay.other_unit, assay.unit),
            "drawn_on": _draw_dates(when, plan, noise),
            "timepoint": np.where(unnamed, "", when),
        },
        index=plan.index,
    )
    miss = f"miss_{assay.key}_{when}"
    if miss not in noise:
        return rows
    return rows[uniform(noise, miss) >= config.missing.marker_draw]


def _uses_other_unit(assay: Assay, noise: pd.DataFrame, share: float) -> npt.NDArray[np.bool_]:
    if not assay.other_unit:
        return np.zeros(len(noise), dtype=bool)
    return uniform(noise, f"unit_{assay.key}") < share


def _draw_dates(when: str, plan: pd.DataFrame, noise: pd.DataFrame) -> "pd.Series[str]":
    """Blood is drawn up to five days before the baseline scan, up to two from the preop scan."""
    first, last = (-5, 0) if when == "baseline" else (-2, 2)
    offset = first + np.floor((last - first + 1) * uniform(noise, f"draw_{when}"))
    dates: pd.Series[pd.Timestamp] = plan[f"{when}_scan_date"]
    return (dates + pd.to_timedelta(offset, unit="D")).dt.strftime("%Y-%m-%d")


def _as_text(value: float, assay: Assay, limits: ReportingLimits | None, *, other: bool) -> str:
    if limits is not None and value < limits.low:
        return f"<{limits.low:g}"
    if limits is not None and value > limits.high:
        return f">{limits.high:g}"
    if other:
        return f"{value * assay.other_factor:.2f}"
    if assay.decimals is not None:
        return f"{value:.{assay.decimals}f}"
    return _three_significant(value)


def _three_significant(value: float) -> str:
    digits = max(0, 2 - int(np.floor(np.log10(value))))
    return f"{float(f'{value:.3g}'):.{digits}f}"
