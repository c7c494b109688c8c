"""The tables of the demo cohort keep the contract and carry the planted imperfections."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.config.biomarkers import load_biomarkers_config
from pipeline.config.demo import DemoConfig
from pipeline.config.loading import load_settings, parse_settings, read_yaml
from pipeline.domain.cohort import BIOMARKER_COLUMNS, SCAN_COLUMNS
from pipeline.domain.errors import ConfigError
from pipeline.synthetic.noise import Stream, patient_generator
from pipeline.synthetic.tables import DemoTables, generate_tables

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.fixture(scope="module")
def config() -> DemoConfig:
    return load_settings(DemoConfig, CONFIGS / "demo.yaml")


@pytest.fixture(scope="module")
def tables(config: DemoConfig) -> DemoTables:
    return generate_tables(config)


def test_scans_have_the_columns_of_the_contract(tables: DemoTables) -> None:
    drawn = [name for name in SCAN_COLUMNS if name not in {"vessel_mask", "muscle_mask"}]
    assert list(tables.scans.columns) == drawn


def test_measurements_have_the_columns_of_the_contract(tables: DemoTables) -> None:
    assert list(tables.biomarkers.columns) == list(BIOMARKER_COLUMNS)


def test_every_patient_has_an_outcome(tables: DemoTables, config: DemoConfig) -> None:
    necrosis = tables.patients["necrosis_percent"]
    assert len(tables.patients) == config.patients
    assert necrosis.between(0, 100).all()


def test_every_patient_has_all_preop_phases(tables: DemoTables) -> None:
    preop = tables.scans[tables.scans["timepoint"] == "preop"]
    phases = preop.groupby("patient_id")["phase"].agg(set)
    assert set(phases.index) == set(tables.patients["patient_id"])
    assert all(found == {"native", "arterial", "portal"} for found in phases)


def test_a_few_baseline_native_phases_are_missing(tables: DemoTables) -> None:
    baseline = tables.scans[tables.scans["timepoint"] == "baseline"]
    missing = len(tables.patients) - (baseline["phase"] == "native").sum()
    assert 1 <= missing <= 10


def test_both_modalities_and_sites_occur(tables: DemoTables) -> None:
    first = tables.scans.drop_duplicates("patient_id")
    assert set(first["site"]) == {"A", "B"}
    assert 0.05 < (first["modality"] == "MR").mean() < 0.3


def test_some_covariates_and_draws_are_missing(tables: DemoTables) -> None:
    gaps = tables.patients[["hbv", "cirrhosis", "tumour_number", "pvtt", "cycles"]].isna()
    draws = tables.biomarkers.query("analyte == 'AFP'")
    assert 0 < gaps.to_numpy().mean() < 0.12
    assert 0.8 < len(draws) / (2 * len(tables.patients)) < 1


def test_values_are_censored_and_units_mixed(tables: DemoTables) -> None:
    rows = tables.biomarkers
    assert rows["value"].str.startswith(">").any()
    assert {"g/L", "g/dL"} == set(rows.loc[rows["analyte"] == "albumin", "unit"])
    assert {"umol/L", "mg/dL"} == set(rows.loc[rows["analyte"] == "bilirubin", "unit"])


def test_low_values_are_censored(config: DemoConfig) -> None:
    many = generate_tables(config.model_copy(update={"patients": 1000})).biomarkers
    assert "<1.3" in set(many.loc[many["analyte"] == "AFP", "value"])


def test_measurements_are_plausible_in_the_canonical_unit(tables: DemoTables) -> None:
    analytes = load_biomarkers_config(CONFIGS / "biomarkers.yaml").analytes
    for row in tables.biomarkers.itertuples():
        analyte = analytes[str(row.analyte)]
        value = float(str(row.value).lstrip("<>")) * analyte.accepted_units[str(row.unit)]
        low, high = analyte.hard_range
        assert low <= value <= high, row


def test_other_units_tell_the_same_level(config: DemoConfig) -> None:
    usual = generate_tables(config.model_copy(update={"other_unit_share": 0.0})).biomarkers
    other = generate_tables(config.model_copy(update={"other_unit_share": 1.0})).biomarkers
    bilirubin = usual["analyte"] == "bilirubin"
    umol = usual.loc[bilirubin, "value"].astype(float)
    mg_dl = other.loc[bilirubin, "value"].astype(float)
    assert set(other.loc[bilirubin, "unit"]) == {"mg/dL"}
    np.testing.assert_allclose(mg_dl * 17.1, umol, atol=17.1 * 0.005 + 0.05, rtol=0.005)


def test_dates_follow_the_course_of_treatment(tables: DemoTables) -> None:
    truth = tables.truth
    assert (truth["baseline_scan_date"] < truth["preop_scan_date"]).all()
    to_surgery = (truth["surgery_date"] - truth["preop_scan_date"]).dt.days
    assert to_surgery.between(3, 28).all()
    assert (truth["pathology_date"] > truth["surgery_date"]).all()


def test_blood_is_drawn_before_surgery(tables: DemoTables) -> None:
    surgery = tables.patients.set_index("patient_id")["surgery_date"]
    drawn = pd.to_datetime(tables.biomarkers["drawn_on"])
    assert (drawn < pd.to_datetime(tables.biomarkers["patient_id"].map(surgery))).all()


def test_draws_without_time_point_lie_near_one_scan(tables: DemoTables) -> None:
    unnamed = tables.biomarkers[tables.biomarkers["timepoint"] == ""]
    dates = tables.truth.loc[unnamed["patient_id"], ["baseline_scan_date", "preop_scan_date"]]
    drawn = pd.to_datetime(unnamed["drawn_on"]).to_numpy()[:, None]
    days = np.abs((dates.to_numpy() - drawn) / np.timedelta64(1, "D")).min(axis=1)
    assert len(unnamed) > 0
    assert days.max() <= 5


def test_viable_diameter_follows_from_fraction(tables: DemoTables) -> None:
    truth = tables.truth
    cubed = (truth["viable_diameter_mm_preop"] / truth["diameter_mm_preop"]) ** 3
    np.testing.assert_allclose(cubed, truth["viable_fraction_preop"], atol=1e-12)


def test_small_cohort_is_the_beginning_of_a_large_one(config: DemoConfig) -> None:
    small = generate_tables(config.model_copy(update={"patients": 7}))
    large = generate_tables(config.model_copy(update={"patients": 30}))
    for name in ("scans", "patients", "biomarkers"):
        few, many = getattr(small, name), getattr(large, name)
        pd.testing.assert_frame_equal(few, many.iloc[: len(few)])


def test_another_seed_gives_other_patients(config: DemoConfig) -> None:
    ours = generate_tables(config.model_copy(update={"patients": 20}))
    theirs = generate_tables(config.model_copy(update={"patients": 20, "seed": config.seed + 1}))
    assert not ours.patients["necrosis_percent"].equals(theirs.patients["necrosis_percent"])


def test_patient_stream_is_the_spawned_one() -> None:
    children = np.random.SeedSequence(5).spawn(4)[2].spawn(2)
    expected = np.random.default_rng(children[1]).standard_normal(3)
    ours = patient_generator(5, 2, Stream.IMAGES).standard_normal(3)
    np.testing.assert_array_equal(ours, expected)


def test_config_refuses_one_site() -> None:
    content = read_yaml(CONFIGS / "demo.yaml")
    content["sites"] = {"A": content["sites"]["A"]}
    with pytest.raises(ConfigError, match="two sites are needed, got 1: A"):
        parse_settings(DemoConfig, content, "demo.yaml")
