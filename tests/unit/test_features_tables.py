"""Radiomic features side by side, their change, and covariates as numbers."""

import pandas as pd
import pytest

from pipeline.config.cohort import Covariate
from pipeline.domain.features import FeatureGroup, FeatureSpec, FeatureTable
from pipeline.domain.scan import Timepoint
from pipeline.features.clinical import encode_covariates
from pipeline.features.delta import compute_delta, widen


def test_one_row_a_patient_with_modality_and_phase_in_the_name() -> None:
    rows = pd.DataFrame(
        [
            ("P1", "preop", "CT", "arterial", "1", "tumour", 1.0, 2.0),
            ("P1", "preop", "CT", "portal", "1", "tumour", 3.0, 4.0),
            ("P2", "preop", "MR", "arterial", "1", "tumour", 5.0, None),
            ("P1", "baseline", "CT", "arterial", "1", "tumour", 0.5, 2.5),
        ],
        columns=["patient_id", "timepoint", "modality", "phase", "lesion_id", "region", "f", "g"],
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
    delta = compute_delta(wide, widen(rows, Timepoint.BASELINE))
    assert list(delta.columns) == ["delta_ct_arterial_tumour_f", "delta_ct_arterial_tumour_g"]
    assert delta.to_numpy()[0].tolist() == [0.5, -0.5]
    assert delta.isna().to_numpy()[1].all()


def test_covariates_are_encoded_by_the_settings_alone() -> None:
    patients = pd.DataFrame(
        {"patient_id": ["P1", "P2", "P3"], "age": [60, None, 45], "hbv": [1.0, 0.0, None]}
    )
    table = encode_covariates(
        patients,
        {
            "age": Covariate(kind="numeric", unit="years"),
            "hbv": Covariate(kind="categorical", categories=("0", "1")),
            "grade": Covariate(kind="categorical", categories=("low", "high")),
        },
    )
    assert [spec.name for spec in table.specs] == [
        "clinical_age",
        "clinical_hbv_1",
        "clinical_grade_high",
    ]
    assert table.values["clinical_hbv_1"].tolist()[:2] == [1.0, 0.0]
    assert table.values.isna().sum().tolist() == [1, 1, 3]
    assert table.specs[0] == FeatureSpec("clinical_age", FeatureGroup.CLINICAL, "years")


@pytest.mark.parametrize(
    ("index", "names", "message"),
    [
        (["P1", "P1"], ["a"], "one row a patient expected, several for"),
        (["P1", "P2"], ["a", "a"], "feature names must be unique"),
        (["P1", "P2"], ["b"], "columns and specs must agree"),
    ],
)
def test_a_feature_table_is_valid_from_birth(
    index: list[str], names: list[str], message: str
) -> None:
    frame = pd.DataFrame(
        [[1.0] * len(names)] * 2, index=index, columns=names if names != ["b"] else ["a"]
    )
    specs = tuple(FeatureSpec(name, FeatureGroup.SIZE, "1") for name in names)
    with pytest.raises(ValueError, match=message):
        FeatureTable(frame, specs)
