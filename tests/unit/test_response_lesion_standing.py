"""Which lesions stand for a patient, by hand."""

import pytest

from pipeline.config.assemble import LesionRule
from pipeline.domain.scan import Modality, Timepoint
from pipeline.response.lesion_matching import Match, Status
from pipeline.response.lesion_standing import (
    Standing,
    find_standings,
    find_worst,
    list_weights,
)
from pipeline.response.measured import Measured, Missing
from pipeline.response.visit_measures import VisitKey

CT, MR, PT = Modality
BASELINE, PREOP = Timepoint
ORDER = (CT, MR, PT)
NO_NATIVE = Missing("no native phase")


def lesion(volume_ml: Measured, enhancing_ml: Measured, diameter_mm: float) -> dict[str, Measured]:
    return {
        "volume_ml": volume_ml,
        "enhancing_volume_ml": enhancing_ml,
        "recist_diameter_mm": diameter_mm,
    }


def match(status: Status) -> Match:
    return Match(status, 0.0, "")


VISITS = {
    VisitKey("P1", BASELINE, CT): {
        "1": lesion(30, 20, 40),
        "2": lesion(90, 5, 60),
        "all": lesion(120, 25, 100),
    },
    VisitKey("P1", PREOP, CT): {
        "1": lesion(20, 12, 35),
        "2": lesion(10, 0, 25),
        "3": lesion(2, 1, 10),
        "all": lesion(32, 13, 90),
    },
    VisitKey("P2", PREOP, MR): {"b": lesion(5, 1, 20), "a": lesion(5, 1, 20)},
}
MATCHES = {
    "P1": {"1": match(Status.MATCHED), "2": match(Status.MATCHED), "3": match(Status.NEW)},
    "P2": {"a": match(Status.ALONE), "b": match(Status.ALONE)},
}
STANDINGS = find_standings(VISITS, MATCHES, ORDER, PREOP)


def test_volumes_are_those_of_the_first_sight() -> None:
    assert STANDINGS["P1"] == Standing({"1": 30, "2": 90, "3": 2}, "2", "1", ("1", "2"))
    assert STANDINGS["P2"] == Standing({"a": 5, "b": 5}, "a", "a", ())


def test_the_largest_is_of_the_earliest_time_point() -> None:
    """A giant that is new before the operation does not stand for the patient."""
    visits = {
        VisitKey("P1", BASELINE, CT): {"1": lesion(30, 20, 40)},
        VisitKey("P1", BASELINE, MR): {"1": lesion(28, 20, 40), "2": lesion(31, 1, 41)},
        VisitKey("P1", PREOP, CT): {"1": lesion(20, 12, 35), "3": lesion(500, 1, 99)},
    }
    assert find_standings(visits, {}, ORDER, PREOP)["P1"].largest == "2"


@pytest.mark.parametrize(
    ("visits", "expected"),
    [
        ([{"1": lesion(9, 3, 10), "2": lesion(5, 4, 5)}], "2"),
        # not of every lesion: the greatest diameter of the first modality
        ([{"1": lesion(9, NO_NATIVE, 10), "2": lesion(5, 4, 5)}], "1"),
        # the second modality has it of every lesion
        (
            [
                {"1": lesion(9, NO_NATIVE, 10), "2": lesion(5, 4, 5)},
                {"1": lesion(9, 1, 10), "2": lesion(5, 2, 5)},
            ],
            "2",
        ),
        # nothing enhances: the greater diameter, then the first name
        ([{"1": lesion(9, 0, 5), "2": lesion(5, 0, 10)}], "2"),
        ([{"b": lesion(9, 0, 5), "a": lesion(5, 0, 5)}], "a"),
        ([], None),
    ],
)
def test_the_worst_lesion(
    visits: list[dict[str, dict[str, Measured]]], expected: str | None
) -> None:
    assert find_worst(visits) == expected


@pytest.mark.parametrize(
    ("rule", "values", "change"),
    [
        (LesionRule.LARGEST, ("2",), ("2",)),
        (LesionRule.WORST, ("1",), ("1",)),
        (LesionRule.VOLUME_WEIGHTED, ("1", "2", "3"), ("1", "2")),
        (LesionRule.UNION, ("1", "2", "3"), ()),  # 3 is not matched: two different unions
    ],
)
def test_who_stands_by_each_rule(
    rule: LesionRule, values: tuple[str, ...], change: tuple[str, ...]
) -> None:
    standing = STANDINGS["P1"]
    assert standing.in_visit(rule, ["3", "1", "2"]) == values
    assert standing.in_change(rule) == change


def test_a_lesion_in_another_place_has_no_change() -> None:
    matches = {"P1": MATCHES["P1"] | {"2": match(Status.MOVED)}}
    standing = find_standings(VISITS, matches, ORDER, PREOP)["P1"]
    assert standing.in_change(LesionRule.LARGEST) == ()
    assert standing.in_change(LesionRule.WORST) == ()  # it may be the one that is lost
    assert standing.in_change(LesionRule.VOLUME_WEIGHTED) == ("1",)


@pytest.mark.parametrize("status", [Status.VANISHED, Status.MOVED])
@pytest.mark.parametrize("rule", LesionRule)
def test_a_lost_lesion_withholds_what_is_about_all_lesions(
    rule: LesionRule, status: Status
) -> None:
    """Lesion 1 is lost; the largest is lesion 2, which is there."""
    matches = {"P1": MATCHES["P1"] | {"1": Match(status, 0.0, "not found")}}
    standings = find_standings(VISITS, matches, ORDER, PREOP)
    standing = standings["P1"]
    assert standing.worst is None
    assert standing.withhold(rule, BASELINE) is None
    tables = [list_weights(VISITS, standings, rule, change) for change in (False, True)]
    times = [set(table[table["patient_id"] == "P1"]["timepoint"]) for table in tables]
    if rule is LesionRule.LARGEST:
        assert standing.withhold(rule, PREOP) is None
        assert times == [{"baseline", "preop"}] * 2
    else:
        assert standing.withhold(rule, PREOP) == Missing("lesion 1: not found")
        assert not [item for item in times if "preop" in item]


def test_a_lesion_whose_place_is_unknown_is_not_lost() -> None:
    matches = {"P1": dict.fromkeys("123", match(Status.UNPLACED))}
    standing = find_standings(VISITS, matches, ORDER, PREOP)["P1"]
    assert (standing.lost, standing.matched) == ({}, ())


@pytest.mark.parametrize(
    ("rule", "change", "expected"),
    [
        (LesionRule.LARGEST, False, {("baseline", "2", 1.0), ("preop", "2", 1.0)}),
        (LesionRule.WORST, True, {("baseline", "1", 1.0), ("preop", "1", 1.0)}),
        (
            LesionRule.VOLUME_WEIGHTED,
            False,
            {
                *(("baseline", "1", 30.0), ("baseline", "2", 90.0)),
                *(("preop", "1", 30.0), ("preop", "2", 90.0), ("preop", "3", 2.0)),
            },
        ),
        (
            LesionRule.VOLUME_WEIGHTED,
            True,
            {
                *(("baseline", "1", 30.0), ("baseline", "2", 90.0)),
                *(("preop", "1", 30.0), ("preop", "2", 90.0)),
            },
        ),
        (LesionRule.UNION, False, {("baseline", "all", 1.0), ("preop", "all", 1.0)}),
        (LesionRule.UNION, True, set()),
    ],
)
def test_weights(rule: LesionRule, change: bool, expected: set[tuple[str, str, float]]) -> None:
    weights = list_weights(VISITS, STANDINGS, rule, change)
    one = weights[weights["patient_id"] == "P1"]
    found = set(zip(one["timepoint"], one["lesion_id"], one["weight"], strict=True))
    assert found == expected


def test_the_union_of_an_only_lesion_is_that_lesion() -> None:
    visits = {VisitKey("P1", PREOP, CT): {"7": lesion(30, 20, 40)}}
    standings = find_standings(visits, {}, ORDER, PREOP)
    weights = list_weights(visits, standings, LesionRule.UNION, change=False)
    assert weights.to_numpy().tolist() == [["P1", "preop", "CT", "7", 1.0]]
