"""The clinical table of HCC-TACE-Seg as ``patients.csv`` and ``biomarkers.csv``.

Codes and units are those of the glossary in the spreadsheet (TCIA, doi 10.7937/TCIA.5FNA-0924;
Moawad et al., Sci Data 2023, doi 10.1038/s41597-023-01928-3). The table has no dates of blood
draws. What is only known after treatment has the prefix ``post_``.
"""

from collections.abc import Iterable

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

ID_COLUMN = "TCIA_ID"
OUTCOME = "post_responder_mrecist"
"""1 where two of three readers saw an objective response (complete or partial) by mRECIST."""

READERS = ("1", "2", "3")
_MAJORITY = 2
_RESPONSE = {"1": "1", "2": "1", "3": "0", "4": "0"}
"""mRECIST codes: 1 complete, 2 partial response, 3 stable, 4 progressive disease.

The glossary does not say so. It follows from the readers' sums of viable diameters: all 287
readings have code 1 where nothing was left, 2 from -30 %, 4 from +20 % on, and else 3."""

_YES_NO = one_of(("0", "1"))
_STAGES = {"Stage I": "1", "Stage II": "2", "Stage III": "3"}

COLUMNS = (
    Column("Interval_BL", "diagnosis_minus_baseline_ct_days", number),
    Column("age", "age", whole),
    Column("Sex", "sex", recode({"1": "M", "2": "F"})),
    Column("hepatitis", "hbv", recode(
        {"No virus": "0", "HCV only": "0", "HBV only": "1", "HCV and HBV": "1"}
    )),
    Column("hepatitis", "hcv", recode(
        {"No virus": "0", "HCV only": "1", "HBV only": "0", "HCV and HBV": "1"}
    )),
    Column("Smoking", "smoking", _YES_NO),
    Column("Alcohol", "alcohol", _YES_NO),
    Column("Diabetes", "diabetes", _YES_NO),
    Column("fhx_can", "family_history_cancer", _YES_NO),
    Column("fhx_livc", "family_history_liver_cancer", _YES_NO),
    Column("Personal history of cancer", "personal_history_cancer", _YES_NO),
    Column("Evidence_of_cirh", "cirrhosis", _YES_NO),
    Column("CPS", "child_pugh", one_of("ABC")),
    Column("PS_bclc_0_0_1-2_1_3-4_3", "performance_status_group", one_of(("0", "1", "3"))),
    Column("BCLC", "bclc", one_of("0ABCD", prefix="Stage-")),
    Column("TNM", "tnm", one_of(
        ("I", "II", "IIIA", "IIIB", "IIIC", "IVA", "IVB"), prefix="Stage-"
    )),
    Column("CLIP_Score", "clip_score", one_of("0123456", prefix="Stage_")),
    Column("Okuda", "okuda", recode(_STAGES)),
    Column("Tr_Size", "tumour_size_cm", number),
    Column("tumor_nodul", "multinodular", recode({"uninodular": "0", "multinodular": "1"})),
    Column("T_involvment", "liver_involvement_over_half", recode(
        {"< or = 50%": "0", ">50%": "1"}
    )),
    Column("Vascular invasion", "vascular_invasion", _YES_NO),
    Column("Portal Vein Thrombosis", "portal_vein_thrombosis", _YES_NO),
    Column("Metastasis", "metastasis", _YES_NO),
    Column("Lymphnodes", "lymph_nodes", _YES_NO),
    Column("Pathology", "differentiation"),
    Column("chemotherapy", "chemotherapy"),
    Column("1_EASL_BL", "easl_mm2_reader1", number),
    *(Column(f"{reader}_RECIST_BL", f"recist_mm_reader{reader}", number) for reader in READERS),
    *(Column(f"{reader}_mRECIST_BL", f"mrecist_mm_reader{reader}", number) for reader in READERS),
    Column("Interval_FU", "post_followup_interval_weeks", number),
    Column("TTP", "post_time_to_progression_weeks", number),
    Column("Censored_0_progressed_1", "post_progressed", _YES_NO),
    Column("OS", "post_overall_survival_weeks", number),
    Column("Death_1_StillAliveorLostToFU_0", "post_died", _YES_NO),
    Column("1_EASL_FU", "post_easl_mm2_reader1", number),
    Column("1_EASL", "post_easl_response_reader1", whole),
    *(
        Column(f"{reader}_{name}_FU", f"post_{name.lower()}_mm_reader{reader}", number)
        for name in ("RECIST", "mRECIST")
        for reader in READERS
    ),
    *(
        Column(f"{reader}_{name}", f"post_{name.lower()}_response_reader{reader}", whole)
        for name in ("RECIST", "mRECIST")
        for reader in READERS
    ),
)  # fmt: skip
"""Columns that are taken. Left out: age, AFP and CLIP groups, which follow from others; AFP, which
is a measurement."""

NOT_TAKEN = ("agegp", "AFP_group", "CLIP")


def convert_clinical(table: pd.DataFrame) -> ClinicalTables:
    """Turn the published table into ours; every patient is kept, in the same order.

    Parameters
    ----------
    table : pandas.DataFrame
        All fields as text.
    """
    ids = [text.strip() for text in table[ID_COLUMN]]
    patients, report = convert_columns(table, COLUMNS, ids)
    names = [f"post_mrecist_response_reader{reader}" for reader in READERS]
    readings = patients.reindex(columns=names, fill_value="")
    patients[OUTCOME] = [majority_response(row) for row in readings.itertuples(index=False)]
    afp = baseline_measurements(table, ids, "AFP", "AFP", "ng/mL")
    markers = pd.DataFrame(afp, columns=list(BIOMARKER_COLUMNS), dtype=str)
    return ClinicalTables(patients, markers, tuple(report))


def majority_response(codes: Iterable[str]) -> str:
    """Return 1 where two of the three readers saw an mRECIST response, 0 where two saw none.

    Parameters
    ----------
    codes : iterable of str
        One a reader, empty where there is no reading.

    Returns
    -------
    str
        Empty where no two readers agree.
    """
    votes = [_RESPONSE[code] for code in codes if code in _RESPONSE]
    agreed = [vote for vote in ("1", "0") if votes.count(vote) >= _MAJORITY]
    return agreed[0] if agreed else ""
