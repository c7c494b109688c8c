"""Pseudonyms, pseudo-dates, the key file, and which descriptions may be written."""

import stat
from pathlib import Path

import pytest

from pipeline.domain.errors import CohortError
from pipeline.ingest.description_words import WITHHELD, safe_description
from pipeline.ingest.pseudonyms import (
    days_between,
    number_patients,
    pseudo_date,
    read_pseudonyms,
    write_key,
)


def test_days_count_over_a_leap_day() -> None:
    assert days_between("20240228", "20240301") == 2
    assert days_between("20240301", "20240228") == -2


@pytest.mark.parametrize("text", ["", "20240230", "2024-02-01", "202402", "2024020\uff11"])
def test_what_is_no_dicom_date_has_no_days(text: str) -> None:
    assert days_between("20240201", text) is None


@pytest.mark.parametrize(
    ("days", "expected"), [(0, "2000-01-01"), (59, "2000-02-29"), (None, ""), (-1, "1999-12-31")]
)
def test_pseudo_dates_keep_the_interval(days: int | None, expected: str) -> None:
    assert pseudo_date(days) == expected


def test_numbers_follow_the_alphabet_not_the_order_of_arrival() -> None:
    assert number_patients(["zeta", "alpha", "zeta"]) == {"alpha": "P001", "zeta": "P002"}
    many = number_patients(str(number) for number in range(1000))
    assert len(set(many.values())) == 1000
    assert many["0"] == "P0001"


def test_given_pseudonyms_are_read(tmp_path: Path) -> None:
    file = tmp_path / "p.csv"
    file.write_text("header_id,patient_id\n4711,A-1\n0815,A-2\n")
    assert read_pseudonyms(file) == {"4711": "A-1", "0815": "A-2"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("header_id,name\n4711,A\n", "column patient_id.*got no patient_id"),
        ("header_id,patient_id\n4711,A\n0815,A\n", "line 3 repeats"),
        ("header_id,patient_id\n4711,A b\n", "not a plain identifier"),
        ("header_id,patient_id\n,A\n", "line 2 has no header_id"),
    ],
)
def test_wrong_pseudonyms_are_refused_without_naming_anybody(
    tmp_path: Path, content: str, message: str
) -> None:
    file = tmp_path / "p.csv"
    file.write_text(content)
    with pytest.raises(CohortError, match=message) as caught:
        read_pseudonyms(file)
    assert "4711" not in str(caught.value)


def test_the_key_is_for_the_owner_only(tmp_path: Path) -> None:
    write_key(tmp_path / "k" / "key.csv", {"4711": "P002", "0815": "P001"})
    file = tmp_path / "k" / "key.csv"
    assert file.read_text() == "patient_id,header_id\nP001,0815\nP002,4711\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Recon 2: LIVER 3 PHASE (C/A/P)",
        "PRE LIVER",
        "LIVER 2PHASE CAP",
        "Abdomen 5.0 B40s",
        "portal 120 mm 100 mm",
    ],
)
def test_descriptions_of_listed_words_are_kept(text: str) -> None:
    assert safe_description(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "LIVER Mueller",
        "Liver^Smith",
        "portal 19560412",
        "portal 12.04.56",
        "portal 12 04 56",
        "Leber Müller",
        "liver\nSmith",
        "PID4711 liver",
        "123-456",
        "CT 123 456",
        "123a456b789",
    ],
)
def test_anything_else_is_withheld(text: str) -> None:
    assert safe_description(text) == WITHHELD
