"""Oil withholds what intensities tell of a lesion on CT, by hand."""

from math import nan

import pandas as pd

from pipeline.domain.scan import Timepoint
from pipeline.features.lipiodol_guard import (
    LESION,
    SHARE,
    explain_withheld,
    find_oily_lesions,
    withhold_texture,
)

MEASURES = pd.DataFrame(
    [
        ("P1", "baseline", "CT", "1", 0.0),
        ("P1", "preop", "CT", "1", 60.4),
        ("P1", "preop", "CT", "2", 5.0),  # as much as is tolerated
        ("P1", "preop", "MR", "1", nan),
        ("P2", "preop", "CT", "1", nan),  # no native phase: nothing is known
    ],
    columns=[*LESION, SHARE],
)
FEATURES = ["original_shape_Elongation", "original_glcm_Contrast", "log_sigma_firstorder_Mean"]


def row(
    timepoint: str, modality: str, phase: str, lesion: str, patient: str = "P1"
) -> list[object]:
    return [patient, timepoint, modality, phase, lesion, "tumour", 1.0, 2.0, 3.0]


ROWS = pd.DataFrame(
    [
        row("preop", "CT", "native", "1"),
        row("preop", "CT", "arterial", "1"),
        row("preop", "CT", "arterial", "2"),
        row("preop", "MR", "arterial", "1"),
        row("baseline", "CT", "arterial", "1"),
        row("preop", "CT", "arterial", "1", patient="P2"),
    ],
    columns=["patient_id", "timepoint", "modality", "phase", "lesion_id", "region", *FEATURES],
)
OILY = find_oily_lesions(MEASURES, tolerated_percent=5)


def test_lesions_with_more_oil_than_tolerated() -> None:
    assert OILY.to_numpy().tolist() == [["P1", "preop", "CT", "1", 60.4]]
    assert find_oily_lesions(MEASURES.drop(columns=SHARE), 5).empty


def test_all_but_shape_is_missing_on_every_ct_phase_of_the_lesion() -> None:
    kept = withhold_texture(ROWS, OILY)
    assert kept[FEATURES[0]].tolist() == [1.0] * 6
    for name in FEATURES[1:]:
        assert kept[name].isna().tolist() == [True, True, False, False, False, False]
    pd.testing.assert_frame_equal(kept.iloc[2:], ROWS.iloc[2:])
    assert ROWS.notna().all(axis=None)


def test_without_oil_nothing_changes() -> None:
    pd.testing.assert_frame_equal(withhold_texture(ROWS, OILY[:0]), ROWS)


def test_the_lesions_that_stand_are_named() -> None:
    both = find_oily_lesions(MEASURES, tolerated_percent=4)
    weights = MEASURES[LESION]
    assert explain_withheld(both, weights, Timepoint.PREOP) == {
        "P1": "lipiodol in 60 % of lesion 1: CT radiomics but shape;"
        " lipiodol in 5 % of lesion 2: CT radiomics but shape"
    }
    largest = weights[weights["lesion_id"] == "2"]
    assert explain_withheld(OILY, largest, Timepoint.PREOP) == {}
    assert explain_withheld(OILY, weights, Timepoint.BASELINE) == {}
