"""Change since baseline, and which modality and lesion it is measured on."""

from math import isnan, nan

import pandas as pd
import pytest

from pipeline.domain.scan import Modality, Timepoint
from pipeline.features.lesions import keep_lesions, largest_lesions
from pipeline.response.change import compute_decreases, decrease_percent
from pipeline.response.patient import choose_modality, response_features, size_features

ORDER = (Modality.CT, Modality.MR, Modality.PT)
COLUMNS = ["patient_id", "timepoint", "modality", "lesion_id", "volume_ml", "longest_diameter_mm"]


def measures(*rows: tuple[str, str, str, str, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS)


@pytest.mark.parametrize(
    ("before", "after", "expected"), [(50, 10, 80), (50, 50, 0), (40, 60, -50)]
)
def test_decrease(before: float, after: float, expected: float) -> None:
    assert decrease_percent(before, after) == pytest.approx(expected)


def test_nothing_can_decrease_from_nothing() -> None:
    assert isnan(decrease_percent(0, 0))
    assert isnan(decrease_percent(nan, 5))


def test_decreases_of_a_lesion() -> None:
    before = {"longest_diameter_mm": 100.0, "viable_diameter_mm": 80.0, "viable_area_mm2": 4000.0}
    after = {"longest_diameter_mm": 70.0, "viable_diameter_mm": 8.0, "viable_area_mm2": 400.0}
    decreases = compute_decreases(before, after)
    assert decreases["recist_like_decrease_percent"] == pytest.approx(30)
    assert decreases["mrecist_like_depth_percent"] == pytest.approx(90)
    assert decreases["enhancing_area_reduction_percent"] == pytest.approx(90)
    assert isnan(decreases["volume_decrease_percent"])


def test_the_modality_that_covers_both_time_points_is_compared() -> None:
    rows = measures(
        ("P1", "baseline", "MR", "1", 100, 60),
        ("P1", "preop", "MR", "1", 50, 40),
        ("P1", "preop", "CT", "1", 55, 41),
        ("P2", "preop", "CT", "1", 10, 20),
        ("P2", "preop", "PT", "1", 11, 21),
    )
    chosen = choose_modality(rows, ORDER)
    assert set(zip(chosen["patient_id"], chosen["modality"], strict=True)) == {
        ("P1", "MR"),
        ("P2", "CT"),
    }


def test_size_and_response_of_a_patient() -> None:
    rows = measures(("P1", "baseline", "CT", "1", 100, 60), ("P1", "preop", "CT", "1", 50, 42))
    size = size_features(rows, Timepoint.PREOP, ORDER).values.loc["P1"]
    assert size.to_dict() == {
        "size_volume_ml": 50,
        "size_longest_diameter_mm": 42,
        "size_baseline_volume_ml": 100,
        "size_baseline_longest_diameter_mm": 60,
    }
    response = response_features(rows, Timepoint.PREOP, ORDER)
    assert response.values.loc["P1", "recist_like_decrease_percent"] == pytest.approx(30)
    assert response.values.loc["P1", "volume_decrease_percent"] == pytest.approx(50)
    assert (
        dict(zip(response.values.columns, response.specs, strict=True))[
            "volume_decrease_percent"
        ].unit
        == "%"
    )


def test_a_cohort_with_one_time_point_has_no_change() -> None:
    rows = measures(("P1", "baseline", "CT", "1", 100, 60))
    table = response_features(rows, Timepoint.BASELINE, ORDER)
    assert not any("decrease" in name or "depth" in name for name in table.values.columns)


def test_the_largest_lesion_at_the_earliest_time_point_stands_for_the_patient() -> None:
    rows = measures(
        ("P1", "baseline", "CT", "1", 30, 1),
        ("P1", "baseline", "CT", "2", 90, 1),
        ("P1", "preop", "CT", "1", 30, 1),
        ("P1", "preop", "CT", "2", 10, 1),
        ("P2", "preop", "CT", "b", 5, 1),
        ("P2", "preop", "CT", "a", 5, 1),
    )
    chosen = largest_lesions(rows)
    assert chosen == {"P1": "2", "P2": "a"}
    assert len(keep_lesions(rows, chosen)) == 3
