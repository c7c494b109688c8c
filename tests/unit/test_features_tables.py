"""Covariates as numbers, and what a feature table must be."""

import pandas as pd
import pytest

from pipeline.config.cohort import Covariate
from pipeline.domain.errors import MeasurementError
from pipeline.domain.features import FeatureGroup, FeatureSpec, FeatureTable
from pipeline.features.clinical import encode_covariates


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


READERS = ["LR-TR Viable", "nonviable", "Equivocal", "LR-TR nonevaluable", None]


def lr_tr_table(written: list[str | None]) -> FeatureTable:
    names = [f"P{number}" for number in range(len(written))]
    patients = pd.DataFrame({"patient_id": names, "lr_tr": written})
    return encode_covariates(patients, {"lr_tr": Covariate(kind="lr_tr")})


def test_the_reader_s_category_is_a_response() -> None:
    table = lr_tr_table(READERS)
    assert table.specs == (
        FeatureSpec("lr_tr_viable", FeatureGroup.RESPONSE, "1"),
        FeatureSpec("lr_tr_equivocal", FeatureGroup.RESPONSE, "1"),
    )
    assert table.values.fillna(-1).to_numpy().tolist() == [
        [1, 0],
        [0, 0],
        [0, 1],
        [-1, -1],
        [-1, -1],
    ]


def test_nobody_read_is_missing() -> None:
    assert lr_tr_table([None, None]).values.isna().all(axis=None)


def test_another_category_is_refused_by_its_name() -> None:
    with pytest.raises(MeasurementError, match=r"column lr_tr: expected LR-TR viable.*'alive'"):
        lr_tr_table(["LR-TR Viable", "alive"])


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
