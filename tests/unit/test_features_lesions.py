"""Radiomic features of several lesions as those of a patient."""

from math import nan

import pandas as pd
import pytest

from pipeline.features.lesions import combine_lesions

KEYS = ["patient_id", "timepoint", "modality", "phase", "lesion_id", "region"]
ROWS = pd.DataFrame(
    [
        ("P1", "preop", "CT", "arterial", "1", "tumour", 1.0, 10.0),
        ("P1", "preop", "CT", "arterial", "2", "tumour", 4.0, nan),
        ("P1", "preop", "CT", "arterial", "all", "tumour", 7.0, 70.0),
        ("P1", "preop", "CT", "portal", "1", "tumour", 2.0, 20.0),
        ("P2", "preop", "MR", "arterial", "1", "ring", 5.0, 50.0),
    ],
    columns=[*KEYS, "f", "g"],
)


def weights(*rows: tuple[str, str, str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(
        rows, columns=["patient_id", "timepoint", "modality", "lesion_id", "weight"]
    )


BOTH = weights(("P1", "preop", "CT", "1", 10.0), ("P1", "preop", "CT", "2", 30.0))


def values(combined: pd.DataFrame) -> dict[tuple[str, ...], tuple[float, float]]:
    index = zip(*(combined[name] for name in ("patient_id", "phase", "region")), strict=True)
    return dict(zip(index, zip(combined["f"], combined["g"], strict=True), strict=True))


def test_the_mean_is_weighted_and_a_missing_lesion_is_missed() -> None:
    found = values(combine_lesions(ROWS, BOTH))
    # arterial f: (10 * 1 + 30 * 4) / 40; g lacks lesion 2; portal lacks lesion 2 altogether
    assert found == {
        ("P1", "arterial", "tumour"): (3.25, pytest.approx(nan, nan_ok=True)),
        ("P1", "portal", "tumour"): pytest.approx((nan, nan), nan_ok=True),
    }


@pytest.mark.parametrize(("lesion", "expected"), [("1", (1.0, 10.0)), ("all", (7.0, 70.0))])
def test_one_lesion_keeps_its_bits(lesion: str, expected: tuple[float, float]) -> None:
    found = values(combine_lesions(ROWS, weights(("P1", "preop", "CT", lesion, 1.0))))
    assert found["P1", "arterial", "tumour"] == expected


def test_a_weight_of_nothing_gives_nothing() -> None:
    combined = combine_lesions(ROWS, weights(("P2", "preop", "MR", "1", 0.0)))
    assert combined["f"].isna().tolist() == [True]


def test_the_order_of_rows_does_not_matter() -> None:
    mixed = combine_lesions(ROWS.sample(frac=1, random_state=3), BOTH[::-1])
    pd.testing.assert_frame_equal(mixed, combine_lesions(ROWS, BOTH))


def test_no_weight_no_row() -> None:
    assert combine_lesions(ROWS, BOTH[:0]).empty
