"""Lesions of one name are one lesion unless their places disagree."""

from math import isnan, nan

import pandas as pd
import pytest
from pandas.api.types import is_bool_dtype

from pipeline.domain.scan import Modality, Timepoint
from pipeline.response.lesion_matching import (
    Match,
    Place,
    Status,
    list_lesions,
    match_lesions,
    match_patients,
)
from pipeline.response.measured import Missing
from pipeline.response.visit_measures import VisitKey

CT, MR, PT = Modality
BASELINE, PREOP = Timepoint
BEFORE = Place((10.0, 20.0, 30.0), 40.0)


@pytest.mark.parametrize(
    ("x_mm", "status"),
    [
        (10.0, Status.MATCHED),
        (50.0, Status.MATCHED),  # 40 mm = (40 + 20) / 2 + 10
        (50.1, Status.MOVED),
    ],
)
def test_the_distance_of_centres_decides(x_mm: float, status: Status) -> None:
    after = Place((x_mm, 20.0, 30.0), 20.0)
    match = match_lesions({"1": BEFORE}, {"1": after}, tolerance_mm=10)["1"]
    assert match.status is status
    assert match.distance_mm == pytest.approx(x_mm - 10)


def test_the_distance_is_in_space() -> None:
    """Differences of 3, 4 and 12 mm are 13 mm."""
    after = Place((13.0, 24.0, 42.0), 2.0)
    match = match_lesions({"1": Place(BEFORE.centre_mm, 2.0)}, {"1": after}, tolerance_mm=10)["1"]
    assert match == Match(Status.MOVED, 13.0, "centres 13 mm apart, at most 12 mm expected")


@pytest.mark.parametrize("after", [Place(None, 20.0), Place()])
def test_without_places_names_alone_match(after: Place) -> None:
    match = match_lesions({"1": BEFORE}, {"1": after}, tolerance_mm=0)["1"]
    assert match.matched
    assert isnan(match.distance_mm)
    assert match.reason == "same name; places were not compared"


def test_names_of_several_lesions_may_have_been_swapped() -> None:
    """A pair with places is still compared beside one without."""
    unplaced = Place(None, 20.0)
    matches = match_lesions({"1": unplaced, "2": BEFORE}, {"1": unplaced, "2": BEFORE}, 10)
    assert [match.status for match in matches.values()] == [Status.UNPLACED, Status.MATCHED]
    assert matches["1"].reason == "same name as one of several; places were not compared"
    two_then_one = match_lesions({"1": unplaced, "2": unplaced}, {"1": unplaced}, 10)
    assert two_then_one["1"].status is Status.UNPLACED


def test_without_a_diameter_no_distance_is_too_far() -> None:
    after = Place((500.0, 20.0, 30.0), nan)
    match = match_lesions({"1": BEFORE}, {"1": after}, tolerance_mm=0)["1"]
    assert match == Match(Status.MATCHED, 490.0, "same name; a diameter is missing")


def test_new_and_vanished_lesions_are_listed() -> None:
    matches = match_lesions({"2": BEFORE, "1": BEFORE}, {"3": BEFORE, "1": BEFORE}, 0)
    assert [(name, match.status) for name, match in matches.items()] == [
        ("1", Status.MATCHED),
        ("2", Status.VANISHED),
        ("3", Status.NEW),
    ]
    assert matches["2"].reason == "not drawn at preop: vanished, or left out"
    assert matches["3"].reason == "not drawn at baseline: new, or left out"


def test_a_patient_scanned_once_has_neither_new_nor_vanished_lesions() -> None:
    once = match_lesions({"1": BEFORE}, {}, 0)["1"]
    assert (once.status, once.reason) == (Status.ALONE, "no scan at preop")
    assert match_lesions({}, {"1": BEFORE}, 0)["1"].reason == "no scan at baseline"


def placed(x_mm: float | Missing, diameter_mm: float = 20.0) -> dict[str, float | Missing]:
    return {
        "centre_x_mm": x_mm,
        "centre_y_mm": 0.0,
        "centre_z_mm": 0.0,
        "recist_diameter_mm": diameter_mm,
    }


UNPLACED = Missing("registration of the time points failed")


def test_patients_are_matched_on_the_first_modality_that_places_a_lesion_twice() -> None:
    visits = {
        VisitKey("P1", BASELINE, CT): {"1": placed(0.0), "all": placed(0.0)},
        VisitKey("P1", PREOP, CT): {"1": placed(UNPLACED), "all": placed(900.0)},
        VisitKey("P1", BASELINE, MR): {"1": placed(100.0), "2": placed(0.0)},
        VisitKey("P1", PREOP, MR): {"1": placed(125.0), "2": placed(31.0)},
        VisitKey("P2", BASELINE, CT): {"1": placed(0.0)},
        VisitKey("P2", PREOP, MR): {"1": placed(0.0), "2": placed(0.0)},
        VisitKey("P3", PREOP, MR): {"1": placed(0.0)},
    }
    matches = match_patients(visits, (CT, MR, PT), tolerance_mm=10)
    table = list_lesions(matches)
    expected = pd.DataFrame(
        [
            ("P1", "1", True, 25.0, "same name and place"),
            ("P1", "2", False, 31.0, "centres 31 mm apart, at most 30 mm expected"),
            # CT, then MR
            ("P2", "1", False, nan, "same name as one of several; places were not compared"),
            ("P2", "2", False, nan, "not drawn at baseline: new, or left out"),
            ("P3", "1", False, nan, "no scan at baseline"),
        ],
        columns=["patient_id", "lesion_id", "matched", "distance_mm", "reason"],
    )
    pd.testing.assert_frame_equal(table, expected)


def test_a_table_without_lesions_has_the_columns() -> None:
    assert is_bool_dtype(list_lesions({})["matched"])
