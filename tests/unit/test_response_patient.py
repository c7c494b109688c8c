"""Measures of a patient by each lesion rule, by hand."""

import pytest

from pipeline.config.assemble import LesionRule
from pipeline.domain.features import FeatureGroup, FeatureSpec
from pipeline.domain.scan import Modality, Timepoint
from pipeline.response.lesion_standing import Standing
from pipeline.response.measured import Measured, Missing
from pipeline.response.patient import (
    LesionView,
    explain_missing,
    measure_patients,
    response_features,
    size_features,
    tabulate_measures,
)
from pipeline.response.visit_measures import Measures, VisitKey, Visits

CT, MR, PT = Modality
ORDER = (CT, MR, PT)
BASELINE, PREOP = Timepoint
LARGEST, VOLUME_WEIGHTED, UNION, WORST = LesionRule


def lesion(*values: Measured) -> Measures:
    """Volume, diameter, necrosis fraction, mean on the native phase, 95th percentile of gain."""
    names = ("volume_ml", "recist_diameter_mm", "necrosis_fraction", "mean_native", "gain_p95")
    return dict(zip(names, values, strict=True))


VISITS: Visits = {
    VisitKey("P1", BASELINE, CT): {
        "1": lesion(30.0, 40.0, 0.2, 40.0, 50.0),
        "2": lesion(90.0, 60.0, 0.0, 44.0, 60.0),
        "all": lesion(120.0, 150.0, 0.05, 43.0, 59.0),
    },
    VisitKey("P1", PREOP, CT): {
        "1": lesion(20.0, 36.0, 0.5, 30.0, 45.0),
        "2": lesion(60.0, 50.0, 0.9, 34.0, 20.0),
        "all": lesion(80.0, 140.0, 0.8, 33.0, 44.0),
    },
    VisitKey("P2", PREOP, MR): {"1": lesion(5.0, 20.0, Missing("no native phase"), 900.0, 1.0)},
}
STANDINGS = {
    "P1": Standing({"1": 30.0, "2": 90.0}, "2", "1", ("1", "2")),
    "P2": Standing({"1": 5.0}, "1", "1", ()),
}


def view(rule: LesionRule, visits: Visits = VISITS) -> LesionView:
    return LesionView(visits, STANDINGS, rule)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (LARGEST, lesion(60.0, 50.0, 0.9, 34.0, 20.0)),
        # by volume at baseline, 30 and 90 mL: a quarter and three quarters
        (VOLUME_WEIGHTED, lesion(50.0, 46.5, 0.8, 33.0, 26.25)),
        # as measured on the union; its diameter would span the gap
        (UNION, lesion(80.0, 50.0, 0.8, 33.0, 44.0)),
        # the greatest volume, diameter, gain; the least necrosis; of the mean, lesion 1's
        (WORST, lesion(60.0, 50.0, 0.5, 30.0, 45.0)),
    ],
)
def test_values_by_each_rule(rule: LesionRule, expected: Measures) -> None:
    measures = measure_patients(view(rule), PREOP)
    assert measures["P1"] == pytest.approx({f"ct_{name}": expected[name] for name in expected})
    assert measures["P2"]["mr_volume_ml"] == 5.0


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (LARGEST, lesion(60.0, 50.0, 0.9, 34.0, 20.0)),
        (VOLUME_WEIGHTED, lesion(50.0, 46.5, 0.8, 33.0, 26.25)),
        (UNION, lesion(80.0, 50.0, 0.8, 33.0, 44.0)),
        (WORST, lesion(20.0, 36.0, 0.5, 30.0, 45.0)),  # change follows one lesion: the first
    ],
)
def test_values_for_change(rule: LesionRule, expected: Measures) -> None:
    measures = measure_patients(view(rule), PREOP, change=True)["P1"]
    assert measures == pytest.approx({f"ct_{name}": expected[name] for name in expected})


@pytest.mark.parametrize("rule", LesionRule)
def test_there_is_no_change_of_unmatched_lesions(rule: LesionRule) -> None:
    measures = measure_patients(view(rule), PREOP, change=True)["P2"]
    assert set(measures.values()) == {Missing("no lesion")}


def test_a_union_that_was_not_measured_is_combined_where_that_is_exact() -> None:
    """Weights are the volumes at that time, 20 and 60 mL, not those at baseline."""
    visits = {
        key: {name: lesions[name] for name in lesions if name != "all"}
        for key, lesions in VISITS.items()
    }
    measures = dict(measure_patients(view(UNION, visits), PREOP)["P1"])
    gain = Missing("of the union only its voxels tell: measure the united region")
    assert measures.pop("ct_gain_p95") == gain
    assert measures == pytest.approx(
        {
            "ct_volume_ml": 80.0,
            "ct_recist_diameter_mm": 50.0,
            "ct_necrosis_fraction": (20 * 0.5 + 60 * 0.9) / 80,
            "ct_mean_native": (20 * 30 + 60 * 34) / 80,
        }
    )


@pytest.mark.parametrize("rule", [VOLUME_WEIGHTED, WORST])
def test_a_value_that_one_lesion_lacks_is_missing_with_the_reason(rule: LesionRule) -> None:
    key = VisitKey("P1", PREOP, CT)
    unknown = {**VISITS[key]["1"], "necrosis_fraction": Missing("no native phase")}
    visits = {**VISITS, key: {**VISITS[key], "1": unknown}}
    measures = measure_patients(view(rule, visits), PREOP)["P1"]
    assert measures["ct_necrosis_fraction"] == Missing("lesion 1: no native phase")
    largest = measure_patients(view(LARGEST, visits), PREOP)["P1"]
    assert largest["ct_necrosis_fraction"] == 0.9


def test_a_largest_lesion_that_is_not_drawn_is_not_replaced_by_another() -> None:
    key = VisitKey("P1", PREOP, CT)
    visits = {**VISITS, key: {"1": VISITS[key]["1"]}}
    measures = measure_patients(view(LARGEST, visits), PREOP)["P1"]
    assert measures["ct_volume_ml"] == Missing("lesion 2 is not drawn")


@pytest.mark.parametrize("rule", LesionRule)
def test_a_lesion_that_is_not_drawn_any_more_is_not_taken_for_dead(rule: LesionRule) -> None:
    """Without lesion 1 lesion 2 would pass for the patient; for the largest it is the patient."""
    key = VisitKey("P1", PREOP, CT)
    visits = {**VISITS, key: {"2": VISITS[key]["2"]}}
    lost = {"1": "not drawn at preop"}
    standings = {"P1": Standing({"1": 30.0, "2": 90.0}, "2", None, ("2",), lost)} | {
        "P2": STANDINGS["P2"]
    }
    seen = LesionView(visits, standings, rule)
    now = measure_patients(seen, PREOP)["P1"]
    before = measure_patients(seen, BASELINE)["P1"]
    assert before["ct_volume_ml"] == measure_patients(view(rule), BASELINE)["P1"]["ct_volume_ml"]
    if rule is LARGEST:
        assert now["ct_necrosis_fraction"] == 0.9
        return
    assert set(now.values()) == {Missing("lesion 1: not drawn at preop")}
    assert "lesion 1" in explain_missing({"P1": now})["P1"]


def test_size_of_the_compared_modality() -> None:
    table = size_features(view(LARGEST), PREOP, ORDER)
    assert table.values.loc["P1"].to_dict() == {
        "size_volume_ml": 60.0,
        "size_longest_diameter_mm": 50.0,
        "size_baseline_volume_ml": 90.0,
        "size_baseline_longest_diameter_mm": 60.0,
    }
    assert table.values.loc["P2", "size_volume_ml"] == 5.0  # on MR
    assert table.values["size_baseline_volume_ml"].isna().to_dict() == {"P1": False, "P2": True}
    assert [spec.unit for spec in table.specs] == ["mL", "mm", "mL", "mm"]


def test_response_has_every_measure_but_size_with_its_unit() -> None:
    table = response_features(view(LARGEST), PREOP)
    assert table.specs == (
        FeatureSpec("ct_gain_p95", FeatureGroup.RESPONSE, "HU"),
        FeatureSpec("ct_mean_native", FeatureGroup.RESPONSE, "HU"),
        FeatureSpec("ct_necrosis_fraction", FeatureGroup.RESPONSE, "1"),
    )  # mr_necrosis_fraction: nobody has it; MR signal is in arbitrary units
    assert table.values.loc["P1", "ct_necrosis_fraction"] == 0.9


def test_baseline_alone_has_no_baseline_columns() -> None:
    table = size_features(view(LARGEST), BASELINE, ORDER)
    assert table.values.to_dict("index") == {
        "P1": {"size_volume_ml": 90.0, "size_longest_diameter_mm": 60.0}
    }


def test_places_and_curves_are_left_out() -> None:
    patients = {"P1": {"ct_centre_x_mm": 1.0, "ct_qeasl_curve_k1": 2.0, "ct_volume_ml": 3.0}}
    assert list(tabulate_measures(patients).columns) == ["ct_volume_ml"]
    assert tabulate_measures({}).empty


def test_missing_measures_are_explained() -> None:
    explained = explain_missing(measure_patients(view(WORST), PREOP))
    assert explained == {"P1": "", "P2": "lesion 1: no native phase: mr_necrosis_fraction"}
