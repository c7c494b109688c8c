"""The train stage: what is trained, what is left out and said, what it writes."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.config.train import Declared, LightGBMSettings, RandomForestSettings, TrainConfig
from pipeline.domain.errors import LeakageError, ModelingError
from pipeline.domain.features import FeatureGroup, FeatureSpec, FeatureTable
from pipeline.modeling.bundle import load_bundle
from pipeline.stages.train import main, run
from pipeline.tabular import write_feature_table

ROOT = Path(__file__).parents[2]
CONFIG = TrainConfig(
    outer_folds=3,
    repeats=2,
    candidates=("lightgbm", "random_forest"),
    declared=Declared(feature_set="both"),
    feature_sets={
        "both": (FeatureGroup.SERUM, FeatureGroup.SIZE),
        "serum": (FeatureGroup.SERUM,),
        "delta": (FeatureGroup.DELTA,),
    },
    comparators={"volume": ("size_volume_ml",), "afp": ("afp_log_ratio",)},
    lightgbm=LightGBMSettings(max_trees=5),
    random_forest=RandomForestSettings(trees=5),
)
SPECS = (
    FeatureSpec("ast", FeatureGroup.SERUM, "U/L"),
    FeatureSpec("alt", FeatureGroup.SERUM, "U/L"),
    FeatureSpec("size_volume_ml", FeatureGroup.SIZE, "mL"),
    FeatureSpec("constant", FeatureGroup.DELTA, "1"),
)


def features() -> FeatureTable:
    rng = np.random.default_rng(12)
    index = pd.Index([f"P{number:02d}" for number in range(32)], name="patient_id")
    columns = [spec.name for spec in SPECS]
    values = pd.DataFrame(rng.normal(size=(32, 4)), index=index, columns=columns)
    return FeatureTable(values.assign(constant=1.0), SPECS)


def outcome() -> "pd.Series[float]":
    ids = features().values.index[::-1]  # another order than the table's
    values = pd.Series(np.tile([0.0, 1.0], 16), index=ids, name="necrosis_percent")
    return values.where(~values.index.isin(["P03", "P30"]))


def test_every_set_and_candidate_is_judged_on_the_same_folds() -> None:
    predictions = run(features(), outcome(), CONFIG).predictions
    runs = predictions.groupby(["feature_set", "candidate"], sort=False)
    assert list(runs.groups) == [
        *((name, candidate) for name in ("both", "serum")
          for candidate in ("lightgbm", "random_forest", "average")),
        ("volume", "logistic"),
    ]  # fmt: skip
    keys = ["repeat", "fold", "patient_id", "y"]
    first = runs.get_group(("both", "average"))[keys].reset_index(drop=True)
    for _, rows in runs:
        pd.testing.assert_frame_equal(rows[keys].reset_index(drop=True), first)
    assert sorted(predictions["repeat"].unique()) == [1, 2]
    assert sorted(predictions["fold"].unique()) == [1, 2, 3]


def test_outcomes_are_matched_by_patient_and_the_rest_is_counted() -> None:
    result = run(features(), outcome(), CONFIG)
    expected = outcome().dropna()
    for patient, y in result.predictions[["patient_id", "y"]].itertuples(index=False):
        assert expected[patient] == y
    assert result.summary["patients"] == {
        "in_table": 32, "with_outcome": 30, "without_outcome": 2, "events": 15,
    }  # fmt: skip


def test_what_cannot_be_trained_is_skipped_with_the_reason() -> None:
    summary = run(features(), outcome(), CONFIG).summary
    assert summary["skipped"] == {
        "delta": "all its columns are empty or constant",
        "afp": "columns absent, empty or constant: afp_log_ratio",
    }
    assert summary["feature_sets"]["both"]["features"] == 3


def test_a_declared_set_without_data_is_refused() -> None:
    config = CONFIG.model_copy(update={"declared": Declared(feature_set="delta")})
    with pytest.raises(ModelingError, match=r"declared feature set delta: .*empty or constant"):
        run(features(), outcome(), config)


def test_a_column_known_only_afterwards_is_refused() -> None:
    table = features()
    specs = (FeatureSpec("post_ast", FeatureGroup.SERUM, "U/L"), *SPECS[1:])
    leaky = FeatureTable(table.values.rename(columns={"ast": "post_ast"}), specs)
    with pytest.raises(LeakageError, match="post_ast"):
        run(leaky, outcome(), CONFIG)


def write_inputs(folder: Path) -> list[str]:
    write_feature_table(features(), folder / "features.parquet")
    cohort = folder / "cohort"
    cohort.mkdir()
    percent = (outcome() * 100).rename("necrosis_percent").reset_index()
    percent.to_csv(cohort / "patients.csv", index=False)
    scan = {"patient_id": "P00", "timepoint": "preop", "modality": "CT", "phase": "arterial",
            "image": "i.nii", "mask": "m.nii"}  # fmt: skip
    pd.DataFrame([scan]).to_csv(cohort / "scans.csv", index=False)
    (cohort / "cohort.json").write_text(json.dumps({"synthetic": True}))
    (folder / "train.yaml").write_text(json.dumps(CONFIG.model_dump(mode="json")))
    return [
        "--config", str(folder / "train.yaml"), "--features", str(folder / "features.parquet"),
        "--cohort", str(cohort), "--configs", str(ROOT / "configs"),
        "--cohort-config", str(ROOT / "configs/cohort.yaml"), "--out", str(folder / "out"),
        "--bundle", str(folder / "bundle"), "--jobs", "1",
    ]  # fmt: skip


def test_the_command_writes_predictions_summary_and_a_bundle_that_loads(tmp_path: Path) -> None:
    assert main(write_inputs(tmp_path)) == 0
    predictions = pd.read_parquet(tmp_path / "out/predictions.parquet")
    summary = json.loads((tmp_path / "out/train.json").read_text())
    bundle = load_bundle(tmp_path / "bundle")
    assert [spec.name for spec in bundle.features] == ["ast", "alt", "size_volume_ml"]
    assert bundle.synthetic
    assert bundle.out_of_fold == summary["feature_sets"]["both"]["scores"]["average"]
    in_sample = bundle.predict(features().values)
    direct = run(features(), outcome(), CONFIG).procedure
    expected = direct.predict_proba(features().values.iloc[:, :3].to_numpy())[:, 1]
    np.testing.assert_array_equal(in_sample, expected)
    assert set(predictions["patient_id"]) == set(outcome().dropna().index)
