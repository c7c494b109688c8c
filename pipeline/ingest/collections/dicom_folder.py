"""Import any DICOM tree: patients get pseudonyms, scans proposed phases, for the user to correct.

``patients.csv`` has an empty column for the outcome; sex and age come from the headers.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from pipeline.domain.cohort import BIOMARKER_COLUMNS
from pipeline.ingest.collections.dicom_rules import DicomRules
from pipeline.ingest.collections.dicom_tree import LOOKED_FOR, Tree, plan_patient, read_tree
from pipeline.ingest.collections.import_report import no_image
from pipeline.ingest.collections.plan import Fate, ImportPlan, PatientSource, ReportRow
from pipeline.ingest.dicom.attributes import optional_text
from pipeline.ingest.dicom.header import read_header
from pipeline.ingest.pseudonyms import number_patients

OLDEST_AGE = 89
"""Higher ages identify a person (45 CFR 164.514(b)(2)(i)(C)) and are not written."""

_YEARS = re.compile(r"(\d{3})Y")


def plan_dicom(
    source: Path, rules: DicomRules, given: Mapping[str, str] | None
) -> tuple[ImportPlan, dict[str, str]]:
    """Plan the import of a DICOM tree.

    Parameters
    ----------
    source : Path
        Folder with DICOM below it in any layout.
    rules : DicomRules
        What the user chose.
    given : mapping of str to str or None
        Pseudonyms by header identifier; None gives ``P001`` ... in the order of the identifiers.

    Returns
    -------
    plan : ImportPlan
        What is imported.
    pseudonyms : dict
        Which pseudonym stands for which header identifier, for the key file only.
    """
    tree = read_tree(source)
    pseudonyms = dict(given) if given is not None else number_patients(tree.patients)
    report = [*tree.report, *([] if tree.stacks else [no_image(LOOKED_FOR)])]
    patients: list[PatientSource] = []
    records: list[dict[str, str]] = []
    for header_id in tree.patients:
        if header_id not in pseudonyms:
            report.append(_without_pseudonym(tree.files(header_id)))
            continue
        patient, rows = plan_patient(tree, header_id, pseudonyms[header_id], rules)
        record, remarks = _person(tree, header_id, patient.patient_id)
        patients.append(patient)
        records.append(record)
        report += [*rows, *remarks]
    used = {name: pseudonyms[name] for name in tree.patients if name in pseudonyms}
    table = pd.DataFrame(records, dtype=str).sort_values("patient_id") if records else _no_patient()
    plan = ImportPlan(
        tuple(sorted(patients, key=lambda patient: patient.patient_id)),
        tuple(report),
        table,
        pd.DataFrame(columns=list(BIOMARKER_COLUMNS)),
    )
    return plan, used


def _person(tree: Tree, header_id: str, patient_id: str) -> tuple[dict[str, str], list[ReportRow]]:
    """Return a row of ``patients.csv`` from the headers of the first visit."""
    stacks = sorted(tree.stacks.get(header_id, ()), key=lambda stack: stack.facts.study_date)
    record = {"patient_id": patient_id, "sex": "", "age": "", "necrosis_percent": ""}
    if not stacks:
        return record, []
    header = read_header(stacks[0].files[0], ("PatientSex", "PatientAge"))
    sex = optional_text(header, "PatientSex")
    record["sex"] = sex if sex in ("F", "M") else ""
    years = _YEARS.fullmatch(optional_text(header, "PatientAge"))
    age = int(years.group(1)) if years else None
    record["age"] = str(age) if age is not None and age <= OLDEST_AGE else ""
    return record, list(_age_withheld(patient_id)) if age and age > OLDEST_AGE else []


def _age_withheld(patient_id: str) -> Iterator[ReportRow]:
    yield ReportRow(
        patient_id=patient_id,
        source="PatientAge",
        fate=Fate.NOTE,
        reason=f"left empty: above {OLDEST_AGE} years, which would identify the patient",
    )


def _without_pseudonym(files: tuple[Path, ...]) -> ReportRow:
    return ReportRow(
        source="patient",
        fate=Fate.FAILED,
        reason="PatientID is not in the file of pseudonyms; add it, or leave out --pseudonyms",
        advice="Correct the file of pseudonyms.",
        files=files,
    )


def _no_patient() -> pd.DataFrame:
    return pd.DataFrame(columns=["patient_id", "sex", "age", "necrosis_percent"])
