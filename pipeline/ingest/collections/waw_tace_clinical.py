"""The clinical table of WAW-TACE as ``patients.csv`` and ``biomarkers.csv``.

The table lies on Zenodo (doi 10.5281/zenodo.12741586; doi 10.1148/ryai.240296) and was not at
hand: names, codes and units of the columns are those that published analyses of it use. Columns
whose meaning is not known from there are not taken and listed in the report. There are no dates of
blood draws. What is only known after treatment has the prefix ``post_``.
"""

import pandas as pd

from pipeline.domain.cohort import BIOMARKER_COLUMNS
from pipeline.ingest.collections.clinical_table import (
    ClinicalTables,
    Column,
    baseline_measurements,
    convert_columns,
    number,
    one_of,
    recode,
    whole,
)
from pipeline.ingest.collections.plan import Fate, ReportRow

ID_COLUMN = "PATPRI"
OUTCOME = "post_nonviable"
"""1 where LI-RADS treatment response after the first TACE was non-viable (code 0)."""

ALBUMIN_UNITS = {"g/dL": (1.0, 7.0), "g/L": (10.0, 70.0)}
"""Values that albumin can have in each unit. The definitions of the release say g/l, its values are
in g/dL according to published analyses, so the values decide; both at once are refused."""

_YES_NO = one_of(("0", "1"))
_LESIONS = ("1", "2", "3")

COLUMNS = (
    Column("age", "age", number),
    Column("gender_woman", "sex", recode({"0": "M", "1": "F"})),
    Column("lesions_number", "tumour_number", whole),
    *(Column(f"lesion{n}_diameter", f"lesion{n}_diameter_mm", number) for n in _LESIONS),
    Column("lab_inr", "inr", number),
    Column("lab_creatinine", "creatinine_mg_dl", number),
    Column("hap_score", "hap_score", number),
    Column("mhap_2", "mhap_ii_score", number),
    Column("6_12", "six_and_twelve", number),
    Column("initial_LR_TR", "post_lr_tr_code", whole),
    Column("time_to_nonv", "post_time_to_nonviable_days", number),
    Column("progression", "post_progressed", _YES_NO),
    Column("progression_time", "post_progression_days", number),
    Column("death", "post_died", _YES_NO),
    Column("survival_time", "post_survival_days", number),
)

MARKERS = {
    "lab_afp": ("AFP", "ng/mL"),
    "lab_albumin": ("albumin", ""),
    "lab_bilirubin": ("bilirubin", "mg/dL"),
    "lab_alt": ("ALT", "U/L"),
}
"""Analyte and unit of each laboratory column; albumin's is found from its values."""


def patient_id_of(number_text: str) -> str:
    """Return our identifier of a patient: ``WAW_007`` for the collection's 7.

    Raises
    ------
    ValueError
        If it is not a whole number.
    """
    return f"WAW_{int(whole(number_text)):03d}"


def convert_clinical(table: pd.DataFrame) -> ClinicalTables:
    """Turn the published table into ours; every patient is kept, in the same order.

    Parameters
    ----------
    table : pandas.DataFrame
        All fields as text.

    Raises
    ------
    ValueError
        If an identifier is not a whole number.
    """
    ids = [patient_id_of(text) for text in table[ID_COLUMN]]
    present = [column for column in COLUMNS if column.source in table.columns]
    patients, report = convert_columns(table, present, ids)
    if "post_lr_tr_code" in patients:
        patients[OUTCOME] = [_nonviable(code) for code in patients["post_lr_tr_code"]]
    units = {name: unit for name, (_, unit) in MARKERS.items()}
    units["lab_albumin"] = _albumin_unit(table)
    rows = [
        row
        for name, (analyte, _) in MARKERS.items()
        if units[name]
        for row in baseline_measurements(table, ids, name, analyte, units[name])
    ]
    markers = pd.DataFrame(rows, columns=list(BIOMARKER_COLUMNS), dtype=str)
    report += _remarks(table, units["lab_albumin"])
    return ClinicalTables(patients, markers, tuple(report))


def _nonviable(code: str) -> str:
    return "" if code == "" else str(int(code == "0"))


def _albumin_unit(table: pd.DataFrame) -> str:
    """Return the unit in which all values are possible; empty where there is none."""
    texts = table["lab_albumin"] if "lab_albumin" in table.columns else pd.Series(dtype=str)
    values = pd.to_numeric(texts, errors="coerce").dropna()
    fitting = [
        unit
        for unit, (low, high) in ALBUMIN_UNITS.items()
        if len(values) and values.between(low, high).all()
    ]
    return fitting[0] if fitting else ""


def _remarks(table: pd.DataFrame, albumin_unit: str) -> list[ReportRow]:
    taken = {ID_COLUMN, *(column.source for column in COLUMNS), *MARKERS}
    absent = sorted(taken - set(table.columns))
    others = [name for name in table.columns if name not in taken]
    remarks = [(Fate.NOTE, "laboratory values", "without date: drawn_on is the scan's pseudo-date")]
    if albumin_unit:
        remarks.append((Fate.NOTE, "lab_albumin", f"taken as {albumin_unit} by its values"))
    elif "lab_albumin" not in absent:
        remarks.append((Fate.FAILED, "lab_albumin", "fits neither g/dL nor g/L; left out"))
    if absent:
        remarks.append((Fate.NOTE, ", ".join(absent), "expected and not in the table"))
    if others:
        remarks.append((Fate.NOTE, ", ".join(others), "not taken, meaning or code not known"))
    return [
        ReportRow(source=f"clinical table: {columns}", fate=fate, reason=reason)
        for fate, columns, reason in remarks
    ]
