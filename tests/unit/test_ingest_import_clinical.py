"""The clinical tables of the public collections: codes, units, nothing lost."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline.biomarkers.checks import find_measurement_problems
from pipeline.config.biomarkers import load_biomarkers_config
from pipeline.domain.errors import CohortError
from pipeline.ingest.collections import hcc_tace_clinical, waw_tace_clinical
from pipeline.ingest.collections.clinical_table import find_clinical, read_clinical
from pipeline.ingest.collections.hcc_tace_clinical import majority_response
from pipeline.ingest.collections.plan import Fate

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (("1", "1", "1"), "1"),
        (("2", "1", "4"), "1"),
        (("3", "3", "2"), "0"),
        (("1", "3", ""), ""),
        (("2", "", ""), ""),
        (("2", "1", ""), "1"),
        (("", "", ""), ""),
    ],
)
def test_the_majority_of_readers_decides(codes: tuple[str, ...], expected: str) -> None:
    assert majority_response(codes) == expected


@pytest.fixture(scope="module")
def published(real_data: Path) -> Path:
    return real_data / "liver" / "hcc_tace_seg"


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["clinical.csv", "HCC-TACE-Seg_clinical_data-V2.xlsx"])
def test_hcc_tace_seg_keeps_every_patient_and_knows_every_code(published: Path, name: str) -> None:
    table = read_clinical(published / name, hcc_tace_clinical.ID_COLUMN)
    tables = hcc_tace_clinical.convert_clinical(table)
    assert tables.report == ()
    patients = tables.patients.set_index("patient_id")
    assert list(patients.index) == [f"HCC_{number:03d}" for number in range(1, 106)]
    # As printed in the published table.
    first = patients.loc["HCC_001"]
    expected = {"age": "71", "sex": "M", "hbv": "0", "hcv": "1", "cirrhosis": "1", "bclc": "A"}
    assert {key: first[key] for key in expected} == expected
    assert float(str(first["post_time_to_progression_weeks"])) == 197
    assert float(str(first["recist_mm_reader3"])) == 43
    assert first["post_responder_mrecist"] == "1"
    assert patients.loc["HCC_002", "tumour_size_cm"] == ""
    assert patients["sex"].value_counts().to_dict() == {"M": 68, "F": 37}
    assert (patients["hbv"] == "1").sum() == 9 + 16
    assert len(tables.biomarkers) == 105
    problems = find_measurement_problems(
        tables.biomarkers, tables.patients, load_biomarkers_config(CONFIGS / "biomarkers.yaml")
    )
    assert problems == []


@pytest.mark.real_data
def test_the_response_codes_are_those_of_mrecist(published: Path) -> None:
    table = pd.read_csv(published / "clinical.csv")
    checked = 0
    for reader in "123":
        columns = [f"{reader}_mRECIST_BL", f"{reader}_mRECIST_FU", f"{reader}_mRECIST"]
        for before, after, code in table[columns].dropna().itertuples(index=False):
            change = 100 * (after - before) / before
            by_rule = 1 if after == 0 else 2 if change <= -30 else 4 if change >= 20 else 3
            assert by_rule == code
            checked += 1
    assert checked == 287


def test_a_code_that_nobody_described_is_left_empty_and_listed() -> None:
    table = pd.DataFrame({"TCIA_ID": ["HCC_001", "HCC_002"], "Sex": ["1", "7"]})
    tables = hcc_tace_clinical.convert_clinical(table)
    assert list(tables.patients["sex"]) == ["M", ""]
    unknown = [row for row in tables.report if row.patient_id == "HCC_002"]
    assert [row.fate for row in unknown] == [Fate.FAILED]
    assert "column Sex" in unknown[0].reason


def waw_table(**changes: list[str]) -> pd.DataFrame:
    columns = {
        "PATPRI": ["7", "12"],
        "age": ["66", "71"],
        "gender_woman": ["1", "0"],
        "lab_afp": ["50", ""],
        "lab_albumin": ["3.8", "4.1"],
        "lab_bilirubin": ["1.0", "0.8"],
        "lab_alt": ["40", "35"],
        "initial_LR_TR": ["0", "2"],
        "survival_time": ["800", "120"],
        "bclc": ["1", "0"],
    }
    return pd.DataFrame({**columns, **changes})


def test_waw_tace_becomes_patients_and_measurements() -> None:
    tables = waw_tace_clinical.convert_clinical(waw_table())
    patients = tables.patients.set_index("patient_id")
    assert list(patients.index) == ["WAW_007", "WAW_012"]
    assert patients["sex"].to_dict() == {"WAW_007": "F", "WAW_012": "M"}
    assert patients["post_nonviable"].to_dict() == {"WAW_007": "1", "WAW_012": "0"}
    markers = tables.biomarkers
    assert list(markers.loc[markers["analyte"] == "AFP", "value"]) == ["50"]
    assert set(markers.loc[markers["analyte"] == "albumin", "unit"]) == {"g/dL"}
    problems = find_measurement_problems(
        markers, tables.patients, load_biomarkers_config(CONFIGS / "biomarkers.yaml")
    )
    assert problems == []


def test_columns_of_unknown_meaning_are_listed_not_taken() -> None:
    tables = waw_tace_clinical.convert_clinical(waw_table())
    assert "bclc" not in tables.patients.columns
    left_out = [row for row in tables.report if "not known" in row.reason]
    assert [row.source for row in left_out] == ["clinical table: bclc"]


@pytest.mark.parametrize(
    ("values", "unit"), [(["38", "41"], "g/L"), (["3.8", "41"], ""), (["3.8", "4.1"], "g/dL")]
)
def test_the_unit_of_albumin_follows_from_all_values(values: list[str], unit: str) -> None:
    tables = waw_tace_clinical.convert_clinical(waw_table(lab_albumin=values))
    markers = tables.biomarkers
    assert set(markers.loc[markers["analyte"] == "albumin", "unit"]) == ({unit} if unit else set())
    refused = any(row.fate is Fate.FAILED and "albumin" in row.source for row in tables.report)
    assert refused == (unit == "")


def test_of_two_files_of_one_table_the_spreadsheet_is_taken(tmp_path: Path) -> None:
    rows = pd.DataFrame({"TCIA_ID": ["a", "b"], "age": [71.0, 5.5], "drug": ["NA", "x"]})
    rows.to_excel(tmp_path / "z_clinical.xlsx", index=False)
    (tmp_path / "a_clinical.csv").write_text("TCIA_ID,age,drug\na,71,\nb,5.50,x\n")
    (tmp_path / "~$clinical.xlsx").write_text("lock of a spreadsheet program")
    table, notes = find_clinical(tmp_path, None, "*clinical*", "TCIA_ID")
    assert table.to_numpy().tolist() == [["a", "71", ""], ["b", "5.5", "x"]]
    assert [(row.fate, row.reason) for row in notes] == [
        (Fate.NOTE, "z_clinical.xlsx is taken; the same table is in a_clinical.csv")
    ]


@pytest.mark.parametrize("other", ["TCIA_ID,age\na,72\n", "TCIA_ID,age\n", "TCIA_ID,years\na,71\n"])
def test_two_clinical_tables_that_differ_are_left_to_the_user(tmp_path: Path, other: str) -> None:
    (tmp_path / "clinical_a.csv").write_text("TCIA_ID,age\na,71\n")
    (tmp_path / "clinical_b.csv").write_text(other)
    with pytest.raises(
        CohortError, match=r"table-ambiguous.*got clinical_a\.csv, clinical_b\.csv.*--clinical FILE"
    ):
        find_clinical(tmp_path, None, "*clinical*", "TCIA_ID")
    table, notes = find_clinical(tmp_path, tmp_path / "clinical_a.csv", "*clinical*", "TCIA_ID")
    assert (table["age"].tolist(), notes) == (["71"], [])


def test_an_absent_clinical_table_is_missing(tmp_path: Path) -> None:
    with pytest.raises(CohortError, match=r"table-missing.*named .clinical.*got none"):
        find_clinical(tmp_path, None, "*clinical*", "TCIA_ID")


@pytest.mark.real_data
def test_the_published_files_are_one_table(published: Path) -> None:
    _, notes = find_clinical(published, None, "*clinical*", hcc_tace_clinical.ID_COLUMN)
    assert [row.reason.split(";")[0] for row in notes] == [
        "HCC-TACE-Seg_clinical_data-V2.xlsx is taken"
    ]


def test_a_damaged_spreadsheet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "clinical.xlsx").write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(CohortError, match="cannot be read"):
        read_clinical(tmp_path / "clinical.xlsx", "TCIA_ID")
