"""From rows of draws to one row of features a patient."""

from datetime import date
from math import log, log10
from pathlib import Path

import pandas as pd
import pytest

from pipeline.biomarkers.checks import find_measurement_problems
from pipeline.biomarkers.serum import build_serum_features
from pipeline.biomarkers.timepoints import latest_draws, scan_dates, with_timepoints
from pipeline.config.biomarkers import BiomarkersConfig, load_biomarkers_config

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.fixture(scope="module")
def config() -> BiomarkersConfig:
    return load_biomarkers_config(CONFIGS / "biomarkers.yaml")


def draws(*rows: tuple[str, str, str, str, str, str]) -> pd.DataFrame:
    columns = ["patient_id", "analyte", "value", "unit", "drawn_on", "timepoint"]
    return pd.DataFrame(rows, columns=columns)


PATIENTS = pd.DataFrame({"patient_id": ["P1", "P2"], "surgery_date": ["2026-06-01", ""]})


def test_levels_kinetics_and_albi_of_one_patient(config: BiomarkersConfig) -> None:
    table = build_serum_features(
        draws(
            ("P1", "AFP", "1000", "ng/mL", "2026-01-05", "baseline"),
            ("P1", "AFP", "<10", "ng/mL", "2026-05-20", "preop"),
            ("P1", "albumin", "4.0", "g/dL", "2026-05-20", "preop"),
            ("P1", "bilirubin", "1.0", "mg/dL", "2026-05-20", "preop"),
        ),
        ["P1", "P2"],
        config,
    )
    row = table.values.loc["P1"]
    assert row["afp_preop_log10_ng_ml"] == pytest.approx(log10(5))  # <10 counts as 5
    assert row["afp_log_ratio"] == pytest.approx(log(5 / 1000))
    assert row["albumin_preop_g_l"] == pytest.approx(40)
    assert row["albi_preop"] == pytest.approx(0.66 * log10(17.1) - 3.4)
    assert table.values.loc["P2", "afp_missing"] == 1.0
    assert table.values.loc["P2"].drop(["afp_missing", "pivka_missing"]).fillna(0).eq(0).all()


def test_the_last_draw_of_a_time_point_counts() -> None:
    rows = draws(
        ("P1", "AFP", "50", "ng/mL", "2026-05-20", "preop"),
        ("P1", "AFP", "90", "ng/mL", "2026-05-02", "preop"),
    )
    assert latest_draws(rows)["value"].tolist() == ["50"]


def test_a_draw_without_time_point_belongs_to_the_nearest_scan_in_the_window() -> None:
    scans = pd.DataFrame(
        {
            "patient_id": ["P1", "P1"],
            "timepoint": ["baseline", "preop"],
            "scan_date": ["2026-01-10", "2026-05-10"],
        }
    )
    rows = draws(
        ("P1", "AFP", "50", "ng/mL", "2026-01-02", ""),
        ("P1", "AFP", "50", "ng/mL", "2026-05-30", ""),
        ("P1", "AFP", "50", "ng/mL", "2026-03-10", ""),
    )
    dates = scan_dates(scans)
    assert dates["P1", "baseline"] == date(2026, 1, 10)
    assert with_timepoints(rows, dates, 28)["timepoint"].tolist() == ["baseline", "preop", ""]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (("P1", "AFP", "400", "furlong", "2026-01-05", "baseline"), "measurement-unit"),
        (("P1", "PIVKA-II", "40", "ng/mL", "2026-01-05", "baseline"), "measurement-unit"),
        (("P1", "albumin", "41", "g/dL", "2026-01-05", "baseline"), "measurement-value"),
        (("P1", "AFP", "12,5", "ng/mL", "2026-01-05", "baseline"), "measurement-value"),
        (("P1", "AFP", "12", "ng/mL", "2026-06-01", "preop"), "draw-after-surgery"),
    ],
)
def test_each_wrong_row_is_an_error_with_its_place(
    config: BiomarkersConfig, row: tuple[str, str, str, str, str, str], code: str
) -> None:
    (problem,) = find_measurement_problems(draws(row), PATIENTS, config)
    assert (problem.code, problem.is_error) == (code, True)
    assert problem.patient_id == "P1"
    assert "row 2" in problem.what


def test_unknown_analytes_and_homeless_draws_are_warnings(config: BiomarkersConfig) -> None:
    rows = draws(
        ("P1", "ferritin", "400", "ug/L", "2026-01-05", "baseline"),
        ("P1", "ferritin", "300", "ug/L", "2026-05-05", "preop"),
        ("P2", "AFP", "300", "ng/mL", "2026-05-05", ""),
    )
    problems = find_measurement_problems(rows, PATIENTS, config)
    assert [problem.code for problem in problems] == ["analyte-unknown", "draw-without-timepoint"]
    assert not any(problem.is_error for problem in problems)


def test_the_columns_depend_on_the_settings_alone(config: BiomarkersConfig) -> None:
    some = build_serum_features(draws(), ["P1"], config)
    row = ("P1", "AFP", "400", "ng/mL", "2026-01-05", "baseline")
    assert some.specs == build_serum_features(draws(row), ["P1"], config).specs
