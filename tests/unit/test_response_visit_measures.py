"""The table of measures read as visits."""

import pandas as pd
import pytest

from pipeline.domain.scan import Modality, Timepoint
from pipeline.response.measured import Measured, Missing, describe_missing, parse_missing
from pipeline.response.visit_measures import VisitKey, choose_modalities, drop_union, read_visits

CT, MR, PT = Modality
BASELINE, PREOP = Timepoint
TABLE = pd.DataFrame(
    [
        ("P1", "preop", "CT", "2", 4.0, None, "no native phase: ct_necrosis_fraction", None),
        ("P1", "preop", "CT", "1", 5.0, 0.25, "", None),
        ("P1", "baseline", "MR", "1", None, None, "", 7.0),
    ],
    columns=[
        *("patient_id", "timepoint", "modality", "lesion_id"),
        *("ct_volume_ml", "ct_necrosis_fraction", "missing", "mr_volume_ml"),
    ],
)


def test_a_visit_has_the_measures_of_its_modality_with_their_reasons() -> None:
    visits = read_visits(TABLE, Timepoint)
    assert visits == {
        VisitKey("P1", BASELINE, MR): {"1": {"volume_ml": 7.0}},
        VisitKey("P1", PREOP, CT): {
            "1": {"volume_ml": 5.0, "necrosis_fraction": 0.25},
            "2": {"volume_ml": 4.0, "necrosis_fraction": Missing("no native phase")},
        },
    }
    assert list(visits[VisitKey("P1", PREOP, CT)]) == ["1", "2"]


def test_what_comes_after_the_prediction_is_not_read() -> None:
    assert list(read_visits(TABLE, [BASELINE])) == [VisitKey("P1", BASELINE, MR)]


def test_a_value_without_a_reason_was_not_measured() -> None:
    visits = read_visits(TABLE.drop(columns="missing"), [PREOP])
    lesion = visits[VisitKey("P1", PREOP, CT)]["2"]
    assert lesion["necrosis_fraction"] == Missing("not measured")


def test_reasons_survive_the_table() -> None:
    measures: dict[str, Measured] = {
        "a_ml": Missing("no native phase"),
        "b": 1.0,
        "c": Missing("targets are not certain: lesion 1: no ADC map"),
        "d": Missing("no native phase"),
    }
    assert parse_missing(describe_missing(measures)) == {
        "a_ml": "no native phase",
        "d": "no native phase",
        "c": "targets are not certain: lesion 1: no ADC map",
    }


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([(BASELINE, MR), (PREOP, MR), (PREOP, CT)], MR),  # the one at both time points
        ([(PREOP, CT), (PREOP, PT)], CT),
        # PET is for neither size nor enhancement
        ([(BASELINE, CT), (BASELINE, PT), (PREOP, MR), (PREOP, PT)], CT),
        ([(BASELINE, PT), (PREOP, PT), (PREOP, MR)], MR),
        ([(BASELINE, PT), (PREOP, PT)], PT),
        ([(BASELINE, MR), (PREOP, CT)], CT),  # none at both: the first in the order
        ([(BASELINE, MR), (PREOP, MR), (BASELINE, CT), (PREOP, CT)], CT),
    ],
)
def test_the_modality_that_covers_both_time_points_is_compared(
    seen: list[tuple[Timepoint, Modality]], expected: Modality
) -> None:
    visits = {VisitKey("P1", time, modality): {"1": {"volume_ml": 1.0}} for time, modality in seen}
    assert choose_modalities(visits, (CT, MR, PT)) == {"P1": expected}


def test_a_modality_that_the_settings_do_not_name_is_not_compared() -> None:
    visits = {VisitKey("P1", PREOP, PT): {"1": {"volume_ml": 1.0}}}
    assert choose_modalities(visits, (CT, MR)) == {}


def test_the_union_is_not_a_lesion() -> None:
    assert list(drop_union({"1": {}, "all": {}, "2": {}})) == ["1", "2"]
