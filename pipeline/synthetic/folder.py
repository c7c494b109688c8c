"""Write the demo cohort as a cohort folder."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import SimpleITK as sitk

from pipeline.config.demo import DemoConfig
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality
from pipeline.synthetic.lesion import LesionState
from pipeline.synthetic.render import PatientPlan, RenderedVisit, render_patient
from pipeline.synthetic.tables import LABEL, DemoTables, image_path
from pipeline.tabular import write_csv, write_text

SYNTHETIC_FILE = "SYNTHETIC.md"
"""Its presence marks a cohort as synthetic."""

_NIFTI_DESCRIPTION = "ITK_FileNotes"
"""Metadata key that ITK writes to the NIfTI header's ``descrip``."""


@dataclass(frozen=True, slots=True)
class PatientImages:
    """The images that one patient contributes to the folder.

    Parameters
    ----------
    plan : PatientPlan
        What to draw.
    missing : frozenset of (str, str)
        Time points and phases that the patient lacks.
    """

    plan: PatientPlan
    missing: frozenset[tuple[str, str]]


def write_tables(tables: DemoTables, config: DemoConfig, folder: Path) -> None:
    """Write the three CSV files and ``SYNTHETIC.md``."""
    write_csv(tables.scans, folder / "scans.csv")
    write_csv(tables.patients, folder / "patients.csv")
    write_csv(tables.biomarkers, folder / "biomarkers.csv")
    write_text(describe_cohort(tables, config), folder / SYNTHETIC_FILE)


def plan_images(truth: pd.DataFrame) -> list[PatientImages]:
    """Return what to draw of each patient, from ``DemoTables.truth``."""
    rows = truth.reset_index().to_dict("records")
    return [_plan_patient(index, row) for index, row in enumerate(rows)]


def write_images(patient: PatientImages, config: DemoConfig, folder: Path) -> None:
    """Render one patient and write the images and masks."""
    for visit in render_patient(patient.plan, config):
        path = partial(_target, folder, patient.plan.patient_id, visit.timepoint)
        path("tumour").parent.mkdir(parents=True, exist_ok=True)
        for phase, scan in visit.scans.items():
            if (visit.timepoint, phase) not in patient.missing:
                _write_nifti(scan.voxels, scan.geometry, path(phase))
        _write_masks(visit, path("tumour"), path("liver"))


def describe_cohort(tables: DemoTables, config: DemoConfig) -> str:
    """Return the text of ``SYNTHETIC.md``: what this is, what is planted, from which seed."""
    complete = int((tables.patients["necrosis_percent"] == 100).sum())
    counts = tables.truth["modality"].value_counts()
    values: dict[str, Any] = {
        "label": LABEL,
        "seed": config.seed,
        "patients": config.patients,
        "complete": complete,
        "ct": counts.get("CT", 0),
        "mr": counts.get("MR", 0),
        "sites": " and ".join(config.sites),
    }
    return _DESCRIPTION.format(**values)


def _plan_patient(index: int, row: dict[Any, Any]) -> PatientImages:
    baseline = LesionState(
        timepoint="baseline",
        diameter_mm=row["diameter_mm_baseline"],
        viable_fraction=row["viable_fraction_baseline"],
    )
    preop = LesionState(
        timepoint="preop",
        diameter_mm=row["diameter_mm_preop"],
        viable_fraction=row["viable_fraction_preop"],
        lipiodol_fraction=row["lipiodol_fraction"],
    )
    plan = PatientPlan(
        index=index,
        patient_id=row["patient_id"],
        site=row["site"],
        modality=Modality(row["modality"]),
        arterial_gain=row["arterial_gain"],
        states=(baseline, preop),
    )
    missing = frozenset() if row["has_baseline_native"] else frozenset({("baseline", "native")})
    return PatientImages(plan, missing)


def _target(folder: Path, patient_id: str, timepoint: str, name: str) -> Path:
    return folder / image_path(patient_id, timepoint, name)


def _write_masks(visit: RenderedVisit, tumour: Path, liver: Path) -> None:
    for region, path in ((visit.tumour, tumour), (visit.liver, liver)):
        _write_nifti(region.inside.astype(np.uint8), region.geometry, path)


def _write_nifti(voxels: npt.NDArray[Any], geometry: Geometry, path: Path) -> None:
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(geometry.spacing_mm)
    image.SetOrigin(geometry.origin_mm)
    image.SetDirection(geometry.direction)
    image.SetMetaData(_NIFTI_DESCRIPTION, LABEL)
    sitk.WriteImage(image, str(path), useCompression=True)


_DESCRIPTION = """# Synthetic cohort: {label}

Made by `python -m pipeline.stages.synthesize` from seed {seed}. No patient, scan, date or
measurement in this folder is real. Numbers computed from it show that the software works; they say
nothing about medicine.

{patients} patients, {complete} of them with pathological complete response (pCR, necrosis_percent
100); {ct} imaged on CT and {mr} on MR, at sites {sites}.

## What is planted

* A latent response of each patient drives necrosis at pathology, loss of arterial enhancement and
  shrinkage on images, and the fall of AFP and PIVKA-II, each with noise of its own. Weakly, it also
  goes with fewer tumours, a stronger regimen and brighter arterial enhancement at baseline.
* Imaging is not pathology: some tumours lose all enhancement and still live, some dead ones keep
  some. The constants, the published figures that they reproduce, and how they were fitted are in
  `pipeline/synthetic/effects.py`.
* Living tissue enhances in the arterial phase more than liver and washes out in the portal phase;
  dead tissue does not enhance; lipiodol (CT, preop, after TACE) is dense on all phases. The share
  of living voxels in the tumour mask is exactly the share that the generator drew.
* The two sites differ in voxel size, noise, blur, CT offset and MR gain. Values are missing at
  random. Albumin, bilirubin, platelets, AST, ALT, age, sex, HBV, cirrhosis, thrombus and cycles
  have no effect.

## What to know

* The images are a coarse phantom: voxels of 3 to 6 mm, lesions about half the published size.
* Masks hold 0 and 1: `*_tumour.nii.gz` 1 = tumour (the largest lesion, living and dead),
  `*_liver.nii.gz` 1 = liver with its tumour. All phases of a time point share a grid.
* Values outside an assay's limits are written `<1.3`, `>60000`. Some laboratories report albumin in
  g/dL and bilirubin in mg/dL.
"""
