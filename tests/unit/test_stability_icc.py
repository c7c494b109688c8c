"""Intraclass correlations against the table they were published with and another implementation."""

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.features.stability.icc import Agreement, icc_1_1, icc_2_1, icc_3_1

Floats = npt.NDArray[np.float64]

SHROUT_FLEISS = np.array(  # their table 2: six targets, four judges
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]],
    dtype=float,
)
TWO_READERS = np.array(
    [
        [0.108, 0.572], [0.14, 0.196], [-1.816, 1.223], [-2.32, -0.33], [-1.888, -0.218],
        [-1.099, -1.067], [-1.105, 1.696], [2.8, 3.539], [-0.91, 1.092], [-0.574, 1.698],
        [1.107, 1.292], [1.859, 0.89],
    ]
)  # fmt: skip
# Printed by pingouin 0.7.0, intraclass_corr, with eight digits of its CI95.
PINGOUIN = {
    ("four judges", icc_1_1): (0.1657417684054755, -0.13293232, 0.72256006),
    ("four judges", icc_2_1): (0.28976377952755916, 0.01878651, 0.76108437),
    ("four judges", icc_3_1): (0.7148407148407154, 0.34246477, 0.94585826),
    ("two readers", icc_1_1): (0.36382579185752, -0.21548568, 0.7605473),
    ("two readers", icc_2_1): (0.442368531267117, -0.08944081, 0.79544889),
    ("two readers", icc_3_1): (0.5874140485073014, 0.05105407, 0.86077242),
}
DATA = {"four judges": SHROUT_FLEISS, "two readers": TWO_READERS}
COEFFICIENTS = (icc_1_1, icc_2_1, icc_3_1)


def numbers(found: Agreement, feature: int = 0) -> tuple[float, float, float]:
    return (found.icc[feature], found.low[feature], found.high[feature])


def test_the_published_table() -> None:
    published = [round(float(icc(SHROUT_FLEISS[:, :, None]).icc[0]), 2) for icc in COEFFICIENTS]
    assert published == [0.17, 0.29, 0.71]


@pytest.mark.parametrize(("data", "icc"), PINGOUIN)
def test_coefficients_and_intervals_of_another_implementation(data: str, icc: object) -> None:
    chosen = next(one for one in COEFFICIENTS if one is icc)
    expected = PINGOUIN[(data, chosen)]
    assert numbers(chosen(DATA[data][:, :, None])) == pytest.approx(expected, abs=6e-9)


@pytest.mark.parametrize("icc", COEFFICIENTS)
def test_features_are_independent_and_units_do_not_matter(icc: object) -> None:
    chosen = next(one for one in COEFFICIENTS if one is icc)
    rng = np.random.default_rng(3)
    other = rng.normal(size=SHROUT_FLEISS.shape)
    together = np.stack([other, SHROUT_FLEISS * 1e-30, 7 - SHROUT_FLEISS * 1e12, other], axis=2)
    found = chosen(together)
    alone = chosen(SHROUT_FLEISS[:, :, None])
    for feature in (1, 2):
        assert numbers(found, feature) == pytest.approx(numbers(alone), rel=1e-9)
    assert numbers(found, 0) == numbers(found, 3)


def test_what_has_no_coefficient_has_a_reason() -> None:
    values = np.tile(SHROUT_FLEISS[:, :2, None], (1, 1, 5))
    values[:, :, 1] = 0.1 + 0.2  # a constant that is not a round number
    values[:, :, 2] = np.nan
    values[1:, :, 3] = np.inf
    values[:, 1, 4] = np.nan
    once, twice = icc_1_1(values), icc_2_1(values)
    assert once.reason == (
        "",
        "the same value in all cases",
        "no case has a value",
        "fewer than two cases have a value",
        "no case has two values",
    )
    assert twice.reason == (*once.reason[:4], "no case has a value")  # of both readers
    assert np.isnan([once.icc, once.low, once.high])[:, 1:].all()
    assert once.cases.tolist() == [6, 6, 0, 1, 6]
    assert twice.cases.tolist() == [6, 6, 0, 1, 0]


def test_perfect_agreement_is_one_and_a_constant_offset_only_for_consistency() -> None:
    same = np.repeat(SHROUT_FLEISS[:, :1], 3, axis=1)[:, :, None]
    for icc in COEFFICIENTS:
        assert numbers(icc(same)) == (1, 1, 1)
    offset = same + np.array([0.0, 2.0, 4.0])[None, :, None]
    assert numbers(icc_3_1(offset)) == (1, 1, 1)
    # Rows vary by 8/3 = 2.667 (sample variance of 9 6 8 7 10 6), readers by 4.
    absolute = icc_2_1(offset)
    assert absolute.icc[0] == pytest.approx((8 / 3) / (8 / 3 + 4))
    almost = offset + 1e-6 * np.random.default_rng(0).normal(size=offset.shape)
    assert numbers(absolute) == pytest.approx(numbers(icc_2_1(almost)), abs=1e-5)


def test_readers_leave_out_incomplete_cases_perturbations_do_not() -> None:
    holed = SHROUT_FLEISS.copy()
    holed[2, 1] = np.nan
    rest = np.delete(SHROUT_FLEISS, 2, axis=0)[:, :, None]
    for icc in (icc_2_1, icc_3_1):
        assert numbers(icc(holed[:, :, None])) == pytest.approx(numbers(icc(rest)), rel=1e-12)
    found = icc_1_1(holed[:, :, None])
    # By hand: 5 cases of 4 and one of 3, k0 = (23 - 89/23) / 5.
    cases = [row[np.isfinite(row)] for row in holed]
    every = np.concatenate(cases)
    between = sum(len(case) * (case.mean() - every.mean()) ** 2 for case in cases) / 5
    within = sum(((case - case.mean()) ** 2).sum() for case in cases) / 17
    size = (23 - 89 / 23) / 5
    expected = (between - within) / (between + (size - 1) * within)
    assert found.icc[0] == pytest.approx(expected)
    assert found.cases[0] == 6


@pytest.mark.parametrize("lost", [0.0, 0.2])
def test_intervals_hold_the_true_value_in_95_of_100_studies(lost: float) -> None:
    """Each feature is a study of 15 cases of 6 measurements with a true ICC of 0.7.

    With 4000 studies the share of intervals that hold it scatters by 0.35 %.
    """
    rng = np.random.default_rng(11)
    cases = np.sqrt(0.7) * rng.normal(size=(15, 1, 4000))
    values = cases + np.sqrt(0.3) * rng.normal(size=(15, 6, 4000))
    found = icc_1_1(np.where(rng.random(values.shape) < lost, np.nan, values))
    assert np.mean((found.low <= 0.7) & (found.high >= 0.7)) == pytest.approx(0.95, abs=0.012)
    assert np.mean(found.icc) == pytest.approx(0.7, abs=0.03)  # slightly biased downwards
