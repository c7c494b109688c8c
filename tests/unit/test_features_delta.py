"""Change over treatment in every form, by hand."""

from math import log, nan

import pandas as pd
import pytest

from pipeline.config.assemble import DeltaForm
from pipeline.domain.cohort import ScanRow
from pipeline.domain.features import FeatureGroup, FeatureSpec, FeatureTable
from pipeline.domain.scan import Modality, Timepoint
from pipeline.features.delta import compute_delta, count_days, widen

BASELINE, PREOP = Timepoint


def table(values: dict[str, list[float]], patients: list[str]) -> FeatureTable:
    index = pd.Index(patients, name="patient_id")
    specs = tuple(FeatureSpec(name, FeatureGroup.RESPONSE, "mL") for name in values)
    return FeatureTable(pd.DataFrame(values, index=index, dtype=float), specs)


EARLIER = table({"ct_f": [8.0, -4.0, 0.0, nan, 5.0], "ct_early": [1.0] * 5}, list("ABCDE"))
LATER = table({"ct_f": [2.0, 2.0, 3.0, 1.0, 7.0], "mr_late": [1.0] * 5}, list("ABCDF"))
DAYS = pd.DataFrame({"ct": {"A": 60.0, "B": 30.0}, "mr": {"C": 1.0}, "pt": {}}, dtype=float)


@pytest.mark.parametrize(
    ("form", "name", "unit", "expected"),
    [
        (DeltaForm.ABSOLUTE, "delta_ct_f", "mL", [-6, 6, 3, nan, nan]),
        (DeltaForm.RELATIVE, "delta_relative_percent_ct_f", "%", [-75, 150, nan, nan, nan]),
        (DeltaForm.LOG_RATIO, "delta_log_ratio_ct_f", "1", [log(0.25), nan, nan, nan, nan]),
        (DeltaForm.PER_DAY, "delta_per_day_ct_f", "mL/d", [-0.1, 0.2, nan, nan, nan]),
    ],
)
def test_forms(form: DeltaForm, name: str, unit: str, expected: list[float]) -> None:
    delta = compute_delta(LATER, EARLIER, [form], DAYS)
    assert delta.specs == (FeatureSpec(name, FeatureGroup.DELTA, unit),)
    assert list(delta.values.index) == list("ABCDF")
    assert delta.values[name].tolist() == pytest.approx(expected, nan_ok=True)


def test_forms_stand_in_the_order_of_the_settings() -> None:
    forms = (DeltaForm.LOG_RATIO, DeltaForm.ABSOLUTE)
    names = list(compute_delta(LATER, EARLIER, forms, DAYS).values.columns)
    assert names == ["delta_log_ratio_ct_f", "delta_ct_f"]


def test_a_ratio_that_overflows_is_missing() -> None:
    tiny, huge = table({"ct_f": [1e-300]}, ["A"]), table({"ct_f": [1e300]}, ["A"])
    forms = (DeltaForm.RELATIVE, DeltaForm.LOG_RATIO, DeltaForm.ABSOLUTE)
    delta = compute_delta(huge, tiny, forms, DAYS).values
    assert delta.to_numpy()[0].tolist() == pytest.approx([nan, nan, 1e300], nan_ok=True)


def test_nothing_in_common_is_no_column() -> None:
    none = table({}, [])
    assert compute_delta(LATER, none, [DeltaForm.PER_DAY], DAYS).specs == ()


def scan(patient: str, timepoint: Timepoint, day: str, modality: Modality) -> ScanRow:
    return ScanRow(
        patient_id=patient,
        timepoint=timepoint,
        modality=modality,
        phase="arterial",
        image="i",
        mask="m",
        scan_date=day,
    )


def test_days_between_the_scans_of_a_modality() -> None:
    days = count_days(
        [
            scan("A", PREOP, "2024-03-01", Modality.CT),
            scan("A", BASELINE, "2024-01-31", Modality.CT),
            scan("A", BASELINE, "2024-01-01", Modality.CT),  # the first date counts
            scan("A", PREOP, "2024-03-11", Modality.MR),  # no baseline MR
            scan("B", BASELINE, "2024-03-01", Modality.CT),
            scan("B", PREOP, "2024-02-01", Modality.CT),  # before baseline
            scan("C", BASELINE, "2024-03-01", Modality.CT),
            scan("C", PREOP, "2024-03-01", Modality.CT),  # the same day
            scan("D", BASELINE, "2024-03-01", Modality.CT),
            scan("D", PREOP, "", Modality.CT),
        ]
    )
    assert list(days.columns) == ["ct", "mr", "pt"]
    assert days["ct"].to_dict() == {"A": 60.0}  # 2024 has a 29 February
    assert days["mr"].dropna().empty


def test_one_row_a_patient_with_modality_and_phase_in_the_name() -> None:
    rows = pd.DataFrame(
        [
            ("P1", "preop", "CT", "arterial", "tumour", 1.0, 2.0),
            ("P1", "preop", "CT", "portal", "tumour", 3.0, 4.0),
            ("P2", "preop", "MR", "arterial", "tumour", 5.0, None),
            ("P1", "baseline", "CT", "arterial", "tumour", 0.5, 2.5),
        ],
        columns=["patient_id", "timepoint", "modality", "phase", "region", "f", "g"],
    )
    wide = widen(rows, Timepoint.PREOP)
    assert list(wide.columns) == [
        "ct_arterial_tumour_f",
        "ct_arterial_tumour_g",
        "ct_portal_tumour_f",
        "ct_portal_tumour_g",
        "mr_arterial_tumour_f",
    ]
    assert wide.loc["P1", "ct_portal_tumour_g"] == 4
    assert wide["ct_arterial_tumour_f"].isna().to_dict() == {"P1": False, "P2": True}
