"""One patient by every criterion, worked by hand."""

import pytest

from pipeline.response.assessment import assess_response, decline_assessment
from pipeline.response.categories import Category
from pipeline.response.measured import Measured, Missing

CR, PR, SD, PD = Category
NAMES = (
    "recist_diameter_mm",
    "mrecist_diameter_mm",
    "easl_product_mm2",
    "volume_ml",
    "enhancing_volume_ml",
    "enhancing_area_mm2",
)


def lesion(*values: float) -> dict[str, Measured]:
    return dict(zip(NAMES, values, strict=True))


BEFORE = {
    "1": lesion(80, 75, 5000, 250, 200, 4000),
    "2": lesion(40, 30, 800, 30, 20, 600),
    "3": lesion(15, 9, 60, 2, 1, 50),  # third largest: no target
    "4": lesion(9, 8, 50, 1, 1, 40),  # too small
}
AFTER = {
    "1": lesion(64, 30, 700, 128, 40, 500),
    "2": lesion(36, 0, 0, 24, 0, 0),
    "3": lesion(60, 60, 3000, 110, 100, 2500),
    "4": lesion(0, 0, 0, 0, 0, 0),
}


def test_a_patient_by_every_criterion() -> None:
    assessment = assess_response(BEFORE, AFTER)
    assert assessment.categories == {
        "recist": SD,  # 120 to 100 mm
        "mrecist": PR,  # 105 to 30 mm
        "easl": PR,  # 5800 to 700 mm2
        "vrecist": SD,  # 280 to 152 mL
        "qeasl": PR,  # 220 to 40 mL
    }
    assert assessment.changes_percent == pytest.approx(
        {
            "recist": -100 * 20 / 120,
            "mrecist": -100 * 75 / 105,
            "easl": -100 * 5100 / 5800,
            "vrecist": -100 * 128 / 280,
            "qeasl": -100 * 180 / 220,
            "enhancing_area": -100 * 4100 / 4600,
        }
    )
    # 4600 to 500 mm2 is -89 %, but lesion 3 lives
    assert assessment.major_response is False
    assert assessment.remarks["enhancing_area"] == (
        "not major: lesion 3, which is no target, is left"
    )
    assert assessment.remarks["mrecist"] == ""


GONE = dict.fromkeys(NAMES, 0.0)


def test_a_lesion_that_is_left_is_no_complete_response_though_it_is_no_target() -> None:
    assessment = assess_response(BEFORE, dict.fromkeys("124", GONE) | {"3": BEFORE["3"]})
    assert set(assessment.categories.values()) == {PR}
    assert assessment.major_response is False
    assert assessment.remarks["recist"] == "not CR: lesion 3, which is no target, is left"
    assert assessment.changes_percent["mrecist"] == -100  # the sum itself stays


def test_targets_and_others_all_gone_is_complete_response() -> None:
    assessment = assess_response(BEFORE, dict.fromkeys("1234", GONE))
    assert set(assessment.categories.values()) == {CR}
    assert assessment.major_response is True
    assert set(assessment.remarks.values()) == {""}


def test_a_lesion_that_may_be_left_makes_complete_response_uncertain() -> None:
    unseen: dict[str, Measured] = dict.fromkeys(NAMES, Missing("not drawn"))
    assessment = assess_response(BEFORE, {"1": GONE, "2": GONE, "3": GONE, "4": unseen})
    expected = Missing("lesion 4 may be left: not drawn")
    assert {*assessment.categories.values(), assessment.major_response} == {expected}
    # what is surely left counts before what may be
    left = assess_response(BEFORE, {"1": GONE, "2": GONE, "3": unseen, "4": BEFORE["4"]})
    assert set(left.categories.values()) == {PR}
    # a partial response does not hang on it
    partial = assess_response(BEFORE, {**AFTER, "3": unseen, "4": unseen})
    assert partial.categories["mrecist"] is PR


def test_more_targets_change_the_verdict() -> None:
    """With the growing third lesion RECIST goes from 135 to 160 mm: +18.5 %."""
    assessment = assess_response(BEFORE, AFTER, most_targets=5)
    assert assessment.categories["recist"] is SD
    assert assessment.changes_percent["recist"] == pytest.approx(100 * 25 / 135)
    smaller = assess_response(BEFORE, AFTER, most_targets=5, least_mm=8)
    assert smaller.categories["mrecist"] is SD  # 122 to 90 mm: -26 %


def test_a_new_lesion_is_progression_by_all() -> None:
    gone = dict.fromkeys("1234", GONE)
    assessment = assess_response(BEFORE, gone, new_lesion=True)
    assert set(assessment.categories.values()) == {PD}
    assert assessment.major_response is False
    assert assessment.remarks["enhancing_area"] == "not major: a lesion is new"


def test_a_lesion_without_enhancement_measures_leaves_size_alone() -> None:
    absent = Missing("no native phase")
    unknown: dict[str, Measured] = {**BEFORE["2"], "mrecist_diameter_mm": absent}
    assessment = assess_response({**BEFORE, "2": unknown}, AFTER)
    expected = Missing("targets are not certain: lesion 2: no native phase")
    assert assessment.categories["recist"] is SD
    assert assessment.categories["mrecist"] == expected
    assert assessment.changes_percent["easl"] == expected
    assert assessment.major_response == expected


def test_a_target_that_was_not_looked_at_is_not_gone() -> None:
    after = {name: measures for name, measures in AFTER.items() if name != "2"}
    assessment = assess_response(BEFORE, after)
    assert assessment.categories["recist"] == Missing("target lesion 2: not measured")


def test_without_targets_there_is_no_category() -> None:
    assessment = assess_response({"4": BEFORE["4"]}, {"4": AFTER["4"]})
    expected = Missing("no lesion was large enough to be a target")
    assert set(assessment.categories.values()) == {expected}


def test_an_assessment_that_cannot_be_made_says_why_in_every_answer() -> None:
    declined = decline_assessment("no CT at preop")
    expected = Missing("no CT at preop")
    assert set(declined.categories) == {"recist", "mrecist", "easl", "vrecist", "qeasl"}
    assert {*declined.categories.values(), *declined.changes_percent.values()} == {expected}
    assert declined.major_response == expected
