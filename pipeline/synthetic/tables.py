"""The demo cohort as tables, without images."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from pipeline.config.demo import DemoConfig
from pipeline.synthetic.effects import PLANTED, Effects
from pipeline.synthetic.markers import compute_levels, report_measurements
from pipeline.synthetic.noise import draw_noise
from pipeline.synthetic.plan import hide_values, plan_patients
from pipeline.synthetic.truth import compute_truth

LABEL = "synthetic, not evidence"
"""What every file of the demo cohort says of itself where its format allows."""

PHASES = ("native", "arterial", "portal")
"""Contrast phases, of CT and of MR."""

_PATIENT_COLUMNS = (
    "age", "sex", "hbv", "cirrhosis", "tumour_number", "pvtt", "regimen", "cycles",
    "surgery_date", "pathology_date",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DemoTables:
    """A synthetic cohort.

    Parameters
    ----------
    scans, patients, biomarkers : pandas.DataFrame
        The three files of the cohort folder, as text and nullable integers, gaps included.
    truth : pandas.DataFrame
        One row a patient, without gaps, indexed by ``patient_id``: the columns of
        :func:`~pipeline.synthetic.truth.compute_truth` and
        :func:`~pipeline.synthetic.plan.plan_patients`. It is what images are drawn from and is
        not part of the cohort folder.
    """

    scans: pd.DataFrame = field(repr=False)
    patients: pd.DataFrame = field(repr=False)
    biomarkers: pd.DataFrame = field(repr=False)
    truth: pd.DataFrame = field(repr=False)


def generate_tables(config: DemoConfig, effects: Effects = PLANTED) -> DemoTables:
    """Make the tables of the cohort; equal settings give equal tables.

    The tables of n patients are the first rows of the tables of more patients. 4,000 patients
    take about two seconds.
    """
    noise = draw_noise(config.seed, config.patients)
    truth = compute_truth(noise, effects)
    plan = plan_patients(noise, config, effects)
    levels = compute_levels(noise, truth)
    return DemoTables(
        scans=_scan_rows(plan),
        patients=_patient_rows(plan, truth, noise, config),
        biomarkers=report_measurements(levels, plan, noise, config),
        truth=plan.join(truth).set_index("patient_id"),
    )


def image_path(patient_id: str, timepoint: str, name: str) -> str:
    """Return the path, within the cohort folder, of an image or mask (``tumour``, ``liver``)."""
    return f"images/{patient_id}/{timepoint}_{name}.nii.gz"


def _patient_rows(
    plan: pd.DataFrame, truth: pd.DataFrame, noise: pd.DataFrame, config: DemoConfig
) -> pd.DataFrame:
    covariates = hide_values(plan[list(_PATIENT_COLUMNS)], noise, config.missing.covariate)
    for column in ("surgery_date", "pathology_date"):
        covariates[column] = plan[column].dt.strftime("%Y-%m-%d")
    rows = pd.DataFrame({"patient_id": plan["patient_id"]})
    rows["necrosis_percent"] = truth["necrosis_percent"].astype(np.int64)
    rows = rows.join(covariates)
    rows["data_origin"] = LABEL
    return rows


def _scan_rows(plan: pd.DataFrame) -> pd.DataFrame:
    combinations = [(when, phase) for when in ("baseline", "preop") for phase in PHASES]
    parts = [_scan_part(plan, when, phase) for when, phase in combinations]
    return pd.concat(parts).sort_index(kind="stable").reset_index(drop=True)


def _scan_part(plan: pd.DataFrame, when: str, phase: str) -> pd.DataFrame:
    if (when, phase) == ("baseline", "native"):
        plan = plan[plan["has_baseline_native"]]
    ids = plan["patient_id"]
    columns = {
        "patient_id": ids,
        "timepoint": when,
        "modality": plan["modality"],
        "phase": phase,
        "image": [image_path(patient, when, phase) for patient in ids],
        "mask": [image_path(patient, when, "tumour") for patient in ids],
        "mask_label": 1,
        "lesion_id": 1,
        "liver_mask": [image_path(patient, when, "liver") for patient in ids],
        "site": plan["site"],
        "scan_date": plan[f"{when}_scan_date"].dt.strftime("%Y-%m-%d"),
    }
    return pd.DataFrame(columns, index=plan.index)
