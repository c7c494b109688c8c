"""Figures in words: never without the interval, never stronger than it."""

from math import nan

import pytest

from pipeline.report import wording


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.126, "0.13"),
        (-0.5, "\N{MINUS SIGN}0.50"),
        (-0.001, "0.00"),
        (nan, "not defined"),
        (None, "not defined"),
    ],
)
def test_numbers(value: float | None, text: str) -> None:
    assert wording.number(value) == text


def test_value_with_limits() -> None:
    row = {"auc": 0.714, "auc_low": 0.55, "auc_high": 0.831}
    assert wording.with_limits(row, "auc") == "0.71 (0.55 to 0.83)"
    assert wording.with_limits({}, "auc") == "not defined"
    assert wording.with_limits({"auc": 0.7, "auc_low": nan, "auc_high": nan}, "auc") == "0.70"


def test_percent_with_limits() -> None:
    row = {"ppv": 0.61, "ppv_low": 0.43, "ppv_high": 0.77}
    assert wording.percent_with_limits(row, "ppv") == "61 % (43 to 77 %)"
    assert wording.percent_with_limits({"ppv": nan}, "ppv") == "not defined"
    assert wording.percent(0.195, 1) == "19.5 %"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0004, "< 0.001"), (0.035, "0.035"), (0.42, "0.42"), (nan, "not defined")],
)
def test_p_values(value: float, text: str) -> None:
    assert wording.p_value(value) == text


@pytest.mark.parametrize(
    ("low", "high", "start"),
    [
        (0.31, 0.86, "Not distinguishable from chance"),
        (0.5, 0.9, "Not distinguishable from chance"),
        (0.51, 0.9, "Distinguishable from chance"),
        (0.1, 0.49, "Worse than chance"),
    ],
)
def test_verdict_follows_the_interval(low: float, high: float, start: str) -> None:
    assert wording.judge_auc({"auc_low": low, "auc_high": high}).startswith(start)


def test_verdict_without_an_auc() -> None:
    assert "not defined" in wording.judge_auc({})


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.01, 0.2, "better"),
        (-0.2, -0.01, "worse"),
        (-0.1, 0.1, "not shown to differ"),
        (nan, nan, "not shown to differ"),
    ],
)
def test_difference_follows_the_interval(low: float, high: float, verdict: str) -> None:
    assert wording.judge_difference({"difference_low": low, "difference_high": high}) == verdict


def test_sets_without_a_given_name_lose_their_underscores() -> None:
    assert wording.name_of_set("my_own_set") == "my own set"
