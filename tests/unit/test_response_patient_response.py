"""Response of patients by the criteria, by hand."""

from math import isnan, nan

import pytest

from pipeline.config.assemble import TargetLesions
from pipeline.domain.features import FeatureGroup
from pipeline.domain.scan import Modality, Timepoint
from pipeline.response.lesion_matching import match_patients
from pipeline.response.measured import Measured, Missing
from pipeline.response.patient_response import (
    PatientResponse,
    assess_patients,
    criteria_features,
    tabulate_responses,
)
from pipeline.response.visit_measures import Lesions, Measures, VisitKey, Visits

CT, MR, PT = Modality
BASELINE, PREOP = Timepoint
NAMES = (
    "recist_diameter_mm",
    "mrecist_diameter_mm",
    "easl_product_mm2",
    "volume_ml",
    "enhancing_volume_ml",
    "enhancing_area_mm2",
)


def lesion(*values: Measured, x_mm: Measured = 0.0) -> Measures:
    measures = dict(zip(NAMES, values, strict=True))
    return measures | {"centre_x_mm": x_mm, "centre_y_mm": 0.0, "centre_z_mm": 0.0}


BIG = lesion(80.0, 70.0, 4000.0, 250.0, 200.0, 3000.0)
SMALL = lesion(20.0, 20.0, 300.0, 4.0, 3.0, 200.0)


def assess(
    before: Lesions, after: Lesions, targets: TargetLesions | None = None
) -> PatientResponse:
    visits = {
        VisitKey("P1", time, CT): lesions
        for time, lesions in ((BASELINE, before), (PREOP, after))
        if lesions
    }
    matches = match_patients(visits, (CT, MR, PT), tolerance_mm=10)
    return assess_patients(visits, matches, (CT, MR, PT), targets or TargetLesions())["P1"]


def features(response: PatientResponse) -> dict[str, float]:
    (row,) = criteria_features({"P1": response}).values.to_dict("records")
    return {str(name): float(value) for name, value in row.items()}


def test_a_patient_as_features() -> None:
    after = {
        "1": lesion(60.0, 14.0, 320.0, 120.0, 12.0, 360.0),
        "2": lesion(10.0, 0.0, 0.0, 1.0, 0.0, 0.0),
    }
    assert features(assess({"1": BIG, "2": SMALL}, after)) == pytest.approx(
        {
            "recist_decrease_percent": 30.0,  # 100 to 70 mm: just PR
            "mrecist_depth_percent": 100 * 76 / 90,
            "easl_decrease_percent": 100 * 3980 / 4300,
            "vrecist_decrease_percent": 100 * 133 / 254,
            "qeasl_decrease_percent": 100 * 191 / 203,
            "enhancing_area_reduction_percent": 88.75,  # 3200 to 360 mm2
            "major_radiographic_response": 1,
            "recist_category": 1,
            "mrecist_category": 1,
            "easl_category": 1,
            "vrecist_category": 2,
            "qeasl_category": 1,
        }
    )


@pytest.mark.parametrize(("area_mm2", "major"), [(600.0, 1), (600.1, 0), (0.0, 1), (3000.0, 0)])
def test_eighty_percent_less_area_is_a_major_response(area_mm2: float, major: int) -> None:
    after = {"1": {**BIG, "enhancing_area_mm2": area_mm2}}
    row = features(assess({"1": BIG}, after))
    assert row["major_radiographic_response"] == major
    assert row["enhancing_area_reduction_percent"] == pytest.approx(100 - area_mm2 / 30)


@pytest.mark.parametrize(
    ("viable_mm", "category"),
    [(0.0, 0), (49.0, 1), (49.1, 2), (83.9, 2), (84.0, 3)],  # of 70 mm: -30 and +20 %
)
def test_categories_in_their_order(viable_mm: float, category: int) -> None:
    after = {"1": {**BIG, "mrecist_diameter_mm": viable_mm}}
    assert features(assess({"1": BIG}, after))["mrecist_category"] == category


def test_what_did_not_change_did_not_change_by_minus_nothing() -> None:
    row = features(assess({"1": BIG}, {"1": BIG}))
    assert str(row["recist_decrease_percent"]) == "0.0"


def test_a_new_lesion_is_progression_and_named() -> None:
    response = assess({"1": BIG}, {"1": BIG, "7": SMALL})
    assert response.new_lesions == ("7",)
    assert features(response)["recist_category"] == 3


def test_a_vanished_lesion_is_not_taken_for_dead() -> None:
    response = assess({"1": BIG, "2": SMALL}, {"1": BIG})
    reason = Missing("target lesion 2: not drawn at preop: vanished, or left out")
    assert response.assessment.categories["mrecist"] == reason
    assert isnan(features(response)["mrecist_depth_percent"])


def test_a_new_lesion_counts_on_any_modality() -> None:
    """It is drawn on MR alone, while CT is compared, on which all is gone."""
    gone: Measures = dict.fromkeys(BIG, 0.0)
    visits: Visits = {
        VisitKey("P1", BASELINE, CT): {"1": BIG},
        VisitKey("P1", PREOP, CT): {"1": gone},
        VisitKey("P1", BASELINE, MR): {"1": BIG},
        VisitKey("P1", PREOP, MR): {"1": gone, "2": SMALL},
    }
    matches = match_patients(visits, (CT, MR, PT), tolerance_mm=10)
    response = assess_patients(visits, matches, (CT, MR, PT), TargetLesions())["P1"]
    assert (response.modality, response.new_lesions) == (CT, ("2",))
    row = features(response)
    assert row["mrecist_category"] == 3
    assert row["major_radiographic_response"] == 0
    (text,) = tabulate_responses({"P1": response}, {}, ["P1"]).to_dict("records")
    assert text["enhancing_area_reason"] == "not major: a lesion is new"


def test_a_vanished_lesion_that_is_no_target_does_not_matter_to_a_partial_response() -> None:
    response = assess({"1": BIG, "2": SMALL}, {"1": BIG}, TargetLesions(most=1))
    assert features(response)["recist_category"] == 2


def test_a_lesion_in_another_place_is_not_the_same() -> None:
    moved = {"1": lesion(80.0, 70.0, 4000.0, 250.0, 200.0, 3000.0, x_mm=91.0)}
    response = assess({"1": BIG}, moved)
    assert response.assessment.categories["recist"] == Missing(
        "target lesion 1: not the same lesion: centres 91 mm apart, at most 90 mm expected"
    )
    assert response.new_lesions == ()


def test_targets_have_the_least_diameter_of_the_settings() -> None:
    response = assess({"2": SMALL}, {"2": SMALL}, TargetLesions(least_diameter_mm=20.5))
    reason = Missing("no lesion was large enough to be a target")
    assert response.assessment.categories["recist"] == reason


def test_the_union_of_lesions_is_not_summed() -> None:
    before = {"1": BIG, "all": lesion(99.0, 99.0, 9e3, 999.0, 999.0, 9e3)}
    row = features(assess(before, {"1": BIG, "all": BIG}))
    assert row["vrecist_decrease_percent"] == 0


def test_features_say_what_they_are() -> None:
    table = criteria_features({})
    assert {spec.group for spec in table.specs} == {FeatureGroup.RESPONSE}
    units = {spec.name: spec.unit for spec in table.specs}
    assert units["mrecist_depth_percent"] == "%"
    assert units["mrecist_category"] == units["major_radiographic_response"] == "1"


def test_the_table_to_read() -> None:
    responses = {
        "P1": assess({"1": BIG}, {"1": {**BIG, "mrecist_diameter_mm": Missing("no native phase")}}),
        "P2": assess({"1": BIG}, {}),
    }
    table = tabulate_responses(responses, {"P1": "no ADC map: ct_x"}, ["P2", "P1", "P3"])
    assert table["patient_id"].tolist() == ["P2", "P1", "P3"]
    rows = table.set_index("patient_id")
    assert rows["modality"].to_dict() == {"P2": "CT", "P1": "CT", "P3": ""}
    assert rows["recist_category"].to_dict() == {"P2": "", "P1": "SD", "P3": ""}
    assert rows["recist_change_percent"].tolist() == pytest.approx([nan, 0, nan], nan_ok=True)
    assert rows["recist_reason"].to_dict() == {
        "P2": "no CT at preop",
        "P1": "",
        "P3": "no two time points to compare",
    }
    assert rows.loc["P1", "mrecist_reason"] == "target lesion 1: no native phase"
    assert rows["major_radiographic_response"].to_dict() == {"P2": "", "P1": "no", "P3": ""}
    assert rows.loc["P1", "missing"] == "no ADC map: ct_x"
    assert rows.loc["P3", "missing"] == "no scan at the time of the prediction"
