"""A laboratory's text becomes a number in a known unit, or is refused with the reason."""

import pytest

from pipeline.biomarkers.measurement import Censoring, Measurement, find_analyte, read_measurement
from pipeline.config.biomarkers import Analyte, BiomarkersConfig

AFP = Analyte(
    key="afp",
    unit="ng/mL",
    unit_key="ng_ml",
    accepted_units={"ng/mL": 1, "ug/L": 1, "IU/mL": 1.21},
    hard_range=(0.2, 1e6),
    upper_normal=20,
    kinetics=True,
)
ALBUMIN = Analyte(
    key="albumin",
    unit="g/L",
    unit_key="g_l",
    accepted_units={"g/L": 1, "g/dL": 10},
    hard_range=(15, 60),
)
PIVKA = Analyte(
    key="pivka",
    unit="mAU/mL",
    unit_key="mau_ml",
    accepted_units={"mAU/mL": 1},
    refused_units={"ng/mL": "assays are not interchangeable"},
    hard_range=(2, 1e6),
)


@pytest.mark.parametrize(
    ("text", "unit", "analyte", "value", "censoring"),
    [
        ("400", "ng/mL", AFP, 400.0, ""),
        ("100", "IU/mL", AFP, 121.0, ""),
        ("<1.3", "ng/mL", AFP, 1.3, "<"),
        (" > 60000 ", "ng/ml", AFP, 60000.0, ">"),
        ("7", "\u00b5g/L", AFP, 7.0, ""),  # the micro sign
        ("7", "\u03bcg/L", AFP, 7.0, ""),  # the Greek letter
        ("4.1", "g/dL", ALBUMIN, 41.0, ""),
        ("1.2e3", "ng/mL", AFP, 1200.0, ""),
    ],
)
def test_values_are_converted(
    text: str, unit: str, analyte: Analyte, value: float, censoring: str
) -> None:
    measured = read_measurement(text, unit, analyte)
    assert measured.value == pytest.approx(value)
    assert measured.censoring == Censoring(censoring)


@pytest.mark.parametrize(
    ("text", "unit", "analyte", "message"),
    [
        ("12,5", "ng/mL", AFP, r"expected a number such as .* got '12,5'"),
        ("negative", "ng/mL", AFP, "got 'negative'"),
        ("-3", "ng/mL", AFP, "got '-3'"),
        ("40", "mg/L", AFP, "expected one of ng/mL, ug/L, IU/mL, got mg/L"),
        ("40", "", AFP, "got nothing"),
        ("41", "g/dL", ALBUMIN, r"expected 15 to 60 g/L, got 41 g/dL = 410 g/L; is the unit right"),
        ("4.1", "g/L", ALBUMIN, "is the unit right"),
        ("900", "ng/mL", PIVKA, "not interchangeable"),
    ],
)
def test_what_cannot_be_interpreted_is_refused(
    text: str, unit: str, analyte: Analyte, message: str
) -> None:
    from pipeline.domain.errors import MeasurementError

    with pytest.raises(MeasurementError, match=message):
        read_measurement(text, unit, analyte)


def test_a_bound_counts_as_half_below_and_as_itself_above() -> None:
    assert Measurement(1.3, Censoring.BELOW).point_value(0.5) == pytest.approx(0.65)
    assert Measurement(60000.0, Censoring.ABOVE).point_value(0.5) == 60000.0


@pytest.mark.parametrize("name", ["AFP", "afp", "a-f-p"])
def test_names_match_without_regard_to_case_and_hyphens(name: str) -> None:
    assert find_analyte(name, BiomarkersConfig(analytes={"AFP": AFP})) is AFP


def test_another_name_is_not_an_analyte() -> None:
    assert find_analyte("AFP-L3", BiomarkersConfig(analytes={"AFP": AFP})) is None
