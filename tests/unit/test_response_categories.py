"""Categories at the edges of their limits, worked by hand."""

import pytest

from pipeline.response.categories import (
    EASL,
    MRECIST,
    QEASL,
    RECIST_1_1,
    VRECIST,
    Category,
    Criterion,
    categorise,
    is_major_radiographic_response,
)
from pipeline.response.measured import Measured, Missing
from pipeline.response.target_lesions import choose_target_lesions, sum_over_targets

CR, PR, SD, PD = Category


@pytest.mark.parametrize(
    ("criterion", "baseline", "current", "expected"),
    [
        (RECIST_1_1, 100, 0, CR),
        (RECIST_1_1, 100, 70, PR),
        (RECIST_1_1, 90, 63, PR),  # 0.7 * 90 is 62.999... in binary
        (RECIST_1_1, 100, 70.01, SD),
        (RECIST_1_1, 100, 119.99, SD),
        (RECIST_1_1, 100, 120, PD),
        (RECIST_1_1, 20, 24.9, SD),  # +24.5 %, but 4.9 mm
        (RECIST_1_1, 20, 25, PD),
        (MRECIST, 20, 24, PD),  # no least increase
        (MRECIST, 20, 23.9, SD),
        (MRECIST, 50, 35, PR),
        (MRECIST, 50, 0, CR),
        (EASL, 400, 200, PR),
        (EASL, 400, 200.1, SD),
        (EASL, 400, 500, SD),  # exactly +25 %
        (EASL, 400, 500.1, PD),
        (VRECIST, 100, 35, PR),
        (VRECIST, 100, 35.1, SD),
        (VRECIST, 100, 172.9, SD),
        (VRECIST, 100, 173, PD),
        (QEASL, 100, 34, PR),
        (QEASL, 100, 0, CR),
    ],
)
def test_limits(criterion: Criterion, baseline: float, current: float, expected: Category) -> None:
    assert categorise(criterion, baseline, current) is expected


def test_progression_is_judged_from_the_nadir() -> None:
    assert categorise(RECIST_1_1, 100, 60) is PR
    assert categorise(RECIST_1_1, 100, 60, nadir=50) is PD
    assert categorise(RECIST_1_1, 100, 59.9, nadir=50) is PR
    assert categorise(RECIST_1_1, 100, 120, nadir=130) is PD  # a nadir is not above the baseline
    assert categorise(RECIST_1_1, 100, 100, nadir=Missing("no scan")) is SD


def test_what_came_back_or_is_new_is_progression() -> None:
    assert categorise(MRECIST, 40, 6, nadir=0) is PD
    assert categorise(MRECIST, 40, 0, nadir=0) is CR
    assert categorise(MRECIST, 40, 0, new_lesion=True) is PD


def test_no_category_without_both_values() -> None:
    absent = Missing("no arterial phase")
    assert categorise(MRECIST, absent, 10) == absent
    assert categorise(MRECIST, 10, absent) == absent
    nothing = categorise(MRECIST, 0, 0)
    assert isinstance(nothing, Missing)
    assert "baseline is 0" in nothing.reason


@pytest.mark.parametrize(("after", "expected"), [(200, True), (200.1, False), (0, True)])
def test_major_radiographic_response(after: float, expected: bool) -> None:
    assert is_major_radiographic_response(1000, after) is expected


def test_no_major_response_from_nothing() -> None:
    assert is_major_radiographic_response(0, 0) == Missing("no enhancing area at baseline")
    absent = Missing("no native phase")
    assert is_major_radiographic_response(absent, 5) == absent
    assert is_major_radiographic_response(5, absent) == absent


def test_targets_are_the_two_largest_that_can_be_measured() -> None:
    sizes: dict[str, Measured] = {
        "a": 9.9,
        "b": 30.0,
        "c": 10.0,
        "d": 30.0,
        "e": 12.0,
        "f": Missing("no mask"),
    }
    assert choose_target_lesions(sizes) == ("b", "d")
    assert choose_target_lesions(sizes, most=9) == ("b", "d", "e", "c")
    assert choose_target_lesions({"a": 9.0}) == ()


def test_sum_over_targets() -> None:
    assert sum_over_targets(("a", "b"), {"a": 20.0, "b": 0.0, "c": 99.0}) == 20
    absent = sum_over_targets(("a", "b"), {"a": 20.0, "b": Missing("no arterial phase")})
    assert absent == Missing("target lesion b: no arterial phase")
    assert sum_over_targets(("a",), {}) == Missing("target lesion a: not measured")
    assert isinstance(sum_over_targets((), {}), Missing)
