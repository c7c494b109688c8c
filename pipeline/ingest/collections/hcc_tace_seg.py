"""Import HCC-TACE-Seg (TCIA and IDC; 105 patients, CT before and after the first TACE).

Each patient has one original segmentation (series description ``Segmentation``: liver, mass,
portal vein, abdominal aorta), drawn on one contrast series of the first study. The masks of the
later collection ``bamf_aimi_annotations`` are made by a program and not used. The second study
has no masks, so it gives no rows. In 14 patients one series holds the arterial and the portal
phase. Layout and numbers: IDC index v25, doi 10.7937/TCIA.5FNA-0924.
"""

import re
from dataclasses import replace
from pathlib import Path

from pipeline.domain.scan import Timepoint
from pipeline.ingest.collections.clinical_table import find_clinical
from pipeline.ingest.collections.dicom_rules import DicomRules
from pipeline.ingest.collections.dicom_tree import LOOKED_FOR, plan_patient, read_tree
from pipeline.ingest.collections.hcc_tace_clinical import (
    ID_COLUMN,
    NOT_TAKEN,
    convert_clinical,
)
from pipeline.ingest.collections.import_report import no_image, patients_without_images
from pipeline.ingest.collections.plan import Fate, ImportPlan, PatientSource, ReportRow

ORIGINAL_MASKS = "Segmentation"
"""Series description of the collection's own masks."""

_PUBLIC_ID = re.compile(r"HCC_\d{3}")


def plan_hcc_tace_seg(source: Path, rules: DicomRules, clinical: Path | None) -> ImportPlan:
    """Plan the import of HCC-TACE-Seg.

    Parameters
    ----------
    source : Path
        Folder with the DICOM files below it in any layout.
    rules : DicomRules
        What the user chose; the collection's own masks and its time points are added here.
    clinical : Path or None
        The clinical table; by default the file below the source with ``clinical`` in its name.

    Raises
    ------
    CohortError
        If there is no clinical table, or several that differ.
    """
    table, notes = find_clinical(source, clinical, "*clinical*", ID_COLUMN)
    tables = convert_clinical(table)
    tree = read_tree(source)
    rules = replace(rules, mask_description=ORIGINAL_MASKS, only_visit=Timepoint.BASELINE)
    known = set(tables.patients["patient_id"])
    patients: list[PatientSource] = []
    report = [*notes, *tree.report, *tables.report, *_notes()]
    report += [] if tree.stacks else [no_image(LOOKED_FOR)]
    report += patients_without_images(known, tree.patients)
    for header_id in tree.patients:
        if header_id not in known or not _PUBLIC_ID.fullmatch(header_id):
            report.append(_not_in_the_table(tree.files(header_id)))
            continue
        patient, rows = plan_patient(tree, header_id, header_id, rules)
        patients.append(patient)
        report += rows
    return ImportPlan(tuple(patients), tuple(report), tables.patients, tables.biomarkers)


def _notes() -> list[ReportRow]:
    return [
        ReportRow(
            source="clinical table",
            fate=Fate.NOTE,
            reason="AFP has no date of its own: drawn_on is the pseudo-date of the baseline scan",
        ),
        ReportRow(
            source=f"clinical table, columns {', '.join(NOT_TAKEN)}",
            fate=Fate.NOTE,
            reason="not taken, groups of other columns",
        ),
    ]


def _not_in_the_table(files: tuple[Path, ...]) -> ReportRow:
    return ReportRow(
        source="patient",
        fate=Fate.FAILED,
        reason="PatientID is none of the clinical table's: another collection, or another table",
        advice="Correct the path, --format or --clinical.",
        files=files,
    )
