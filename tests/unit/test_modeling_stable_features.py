"""Unstable radiomic features are left out of training, with their changes and the reason."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.config.loading import parse_settings, read_yaml
from pipeline.config.train import (
    Declared,
    LightGBMSettings,
    PreprocessingSettings,
    TrainConfig,
)
from pipeline.domain.errors import ConfigError, ModelingError
from pipeline.domain.features import FeatureGroup, FeatureSpec, FeatureTable
from pipeline.modeling.stable_features import keep_stable
from pipeline.stages.train import main, run
from pipeline.tabular import write_feature_table

ROOT = Path(__file__).parents[2]
GROUPS = {
    "age": FeatureGroup.CLINICAL,
    "ct_arterial_tumour_original_glcm_Id": FeatureGroup.RADIOMICS,
    "ct_arterial_tumour_original_glcm_Idn": FeatureGroup.RADIOMICS,
    "ct_portal_tumour_original_glcm_Id": FeatureGroup.RADIOMICS,
    "delta_ct_arterial_tumour_original_glcm_Id": FeatureGroup.DELTA,
    "delta_ct_arterial_tumour_original_glcm_Idn": FeatureGroup.DELTA,
    "delta_log_ratio_ct_portal_tumour_original_glcm_Id": FeatureGroup.DELTA,
    "delta_ct_volume_ml": FeatureGroup.DELTA,
}
CONFIG = TrainConfig(
    outer_folds=3,
    repeats=1,
    candidates=("lightgbm",),
    declared=Declared(feature_set="all"),
    feature_sets={
        "all": (FeatureGroup.CLINICAL, FeatureGroup.RADIOMICS, FeatureGroup.DELTA),
    },
    lightgbm=LightGBMSettings(max_trees=5),
    preprocessing=PreprocessingSettings(minimum_icc=0.75),
)
LEFT = [
    "age",
    "ct_arterial_tumour_original_glcm_Idn",
    "delta_ct_arterial_tumour_original_glcm_Idn",
    "delta_ct_volume_ml",
]


def features() -> FeatureTable:
    index = pd.Index([f"P{number:02d}" for number in range(30)], name="patient_id")
    values = np.random.default_rng(12).normal(size=(30, len(GROUPS)))
    specs = tuple(FeatureSpec(name, group, "1") for name, group in GROUPS.items())
    return FeatureTable(pd.DataFrame(values, index=index, columns=list(GROUPS)), specs)


def stability() -> pd.DataFrame:
    return pd.DataFrame(
        [
            ("CT", "arterial", "tumour", "original_glcm_Id", 0.9, 0.7499, ""),
            ("CT", "arterial", "tumour", "original_glcm_Idn", 0.9, 0.75, ""),
            ("CT", "portal", "tumour", "original_glcm_Id", np.nan, np.nan, "no case has a value"),
        ],
        columns=["modality", "phase", "region", "feature", "icc", "low", "reason"],
    )


def outcome() -> "pd.Series[float]":
    return pd.Series(np.tile([0.0, 1.0], 15), index=features().values.index, name="complete")


def test_the_lower_limit_decides_and_changes_go_with_their_feature() -> None:
    stable = keep_stable(features(), stability(), 0.75)
    assert [spec.name for spec in stable.table.specs] == LEFT
    assert list(stable.table.values.columns) == LEFT
    assert stable.dropped == {
        "ct_arterial_tumour_original_glcm_Id": "lower limit of ICC 0.750",
        "ct_portal_tumour_original_glcm_Id": "no ICC: no case has a value",
        "delta_ct_arterial_tumour_original_glcm_Id": "lower limit of ICC 0.750",
        "delta_log_ratio_ct_portal_tumour_original_glcm_Id": "no ICC: no case has a value",
    }


def test_a_feature_that_stability_does_not_know_is_an_error() -> None:
    with pytest.raises(ModelingError, match=r"none of 1, such as ct_portal_.*take other regions"):
        keep_stable(features(), stability().iloc[:2], 0.75)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"low": 7.0}, "column low: expected at most 1, or NaN, got 7.0"),
        ({"low": -np.inf}, "column low: expected at most 1, or NaN, got -inf"),
        ({"low": "0.9"}, "column low: expected numbers, got"),
        ({"reason": None}, "column reason: expected text in every row"),
        ({"feature": 3}, "column feature: expected text in every row"),
        (
            {"phase": "arterial", "feature": "original_glcm_Id"},
            "one row a feature, got several of CT arterial tumour original_glcm_Id",
        ),
    ],
)
def test_a_wrong_table_of_stability_is_refused(change: dict[str, object], message: str) -> None:
    wrong = stability().drop(columns=list(change)).join(pd.DataFrame([change] * 3))
    with pytest.raises(ModelingError, match=f"table of the stage stability: .*{message}"):
        keep_stable(features(), wrong, 0.75)


def test_an_absent_column_of_stability_is_named() -> None:
    with pytest.raises(ModelingError, match=r"lacking low, reason. Run the stage stability again"):
        keep_stable(features(), stability().drop(columns=["low", "reason"]), 0.75)


def test_a_change_without_its_feature_is_judged_by_that_feature() -> None:
    """The arterial Id is unstable: its change goes, although the table has no arterial Id."""
    whole = features()
    specs = tuple(spec for spec in whole.specs if spec.group is FeatureGroup.DELTA)
    values = whole.values[[spec.name for spec in specs]]
    stable = keep_stable(FeatureTable(values, specs), stability(), 0.75)
    assert [spec.name for spec in stable.table.specs] == LEFT[2:]
    assert len(stable.dropped) == 2


def test_training_lists_what_is_left_out() -> None:
    result = run(features(), outcome(), CONFIG, stability=stability())
    assert [spec.name for spec in result.features] == LEFT
    assert result.summary["unstable"]["features"] == 4
    assert list(result.summary["unstable"]["reasons"]) == list(
        keep_stable(features(), stability(), 0.75).dropped
    )


def test_nothing_is_left_out_unless_it_is_asked_for() -> None:
    config = CONFIG.model_copy(update={"preprocessing": PreprocessingSettings()})
    result = run(features(), outcome(), config, stability=stability())
    assert len(result.features) == len(GROUPS)
    assert result.summary["unstable"] == {"features": 0, "reasons": {}}


def test_a_limit_without_a_table_is_refused() -> None:
    with pytest.raises(ModelingError, match=r"minimum_icc: .*got 0.75. Give the table"):
        run(features(), outcome(), CONFIG)


def test_a_limit_is_a_positive_share() -> None:
    content = read_yaml(ROOT / "configs/train.yaml")
    assert content["preprocessing"]["minimum_icc"] is None
    content["preprocessing"]["minimum_icc"] = 75
    with pytest.raises(ConfigError, match=r"key preprocessing.minimum_icc"):
        parse_settings(TrainConfig, content, "train.yaml")


def write_inputs(tmp_path: Path) -> list[str]:
    write_feature_table(features(), tmp_path / "features.parquet")
    stability().to_parquet(tmp_path / "stability.parquet")
    cohort = tmp_path / "cohort"
    cohort.mkdir()
    percent = (outcome() * 100).rename("necrosis_percent").rename_axis("patient_id")
    percent.reset_index().to_csv(cohort / "patients.csv", index=False)
    scan = {"patient_id": "P00", "timepoint": "preop", "modality": "CT", "phase": "arterial",
            "image": "i.nii", "mask": "m.nii"}  # fmt: skip
    pd.DataFrame([scan]).to_csv(cohort / "scans.csv", index=False)
    (cohort / "cohort.json").write_text(json.dumps({"synthetic": True}))
    (tmp_path / "train.yaml").write_text(json.dumps(CONFIG.model_dump(mode="json")))
    return [
        "--config", str(tmp_path / "train.yaml"), "--features", str(tmp_path / "features.parquet"),
        "--stability", str(tmp_path / "stability.parquet"), "--cohort", str(cohort),
        "--configs", str(ROOT / "configs"), "--cohort-config", str(ROOT / "configs/cohort.yaml"),
        "--out", str(tmp_path / "out"), "--bundle", str(tmp_path / "bundle"), "--jobs", "1",
    ]  # fmt: skip


def test_wrong_tables_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = write_inputs(tmp_path)
    for option in ("--features", "--stability", "--habitats"):
        wrong = [option, str(tmp_path / "nope.parquet"), "--weights", "w.parquet"]
        given = [*command, *(wrong if option == "--habitats" else wrong[:2])]
        assert main(given) == 1
        assert "nope.parquet: cannot be read as Parquet (there is no" in capsys.readouterr().err
    assert main([*command, "--stability", str(tmp_path / "features.parquet")]) == 1
    assert "features.parquet: expected the columns modality, phase" in capsys.readouterr().err


def test_the_command_reads_the_table(tmp_path: Path) -> None:
    assert main(write_inputs(tmp_path)) == 0
    summary = json.loads((tmp_path / "out/train.json").read_text())
    assert summary["unstable"]["features"] == 4
    assert summary["feature_sets"]["all"]["features"] == len(LEFT)
    bundle = json.loads((tmp_path / "bundle/bundle.json").read_text())
    assert [feature["name"] for feature in bundle["features"]] == LEFT
    written = (tmp_path / "stability.parquet").read_bytes()
    assert bundle["sha256"]["stability.parquet"] == hashlib.sha256(written).hexdigest()
