"""The bundle answers as the procedure did, and refuses whatever was changed."""

import io
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from pipeline.config.cohort import load_cohort_config
from pipeline.config.train import Declared, LightGBMSettings, RandomForestSettings, TrainConfig
from pipeline.domain.errors import BundleError, ConfigError
from pipeline.domain.features import FeatureGroup, FeatureSpec
from pipeline.modeling import bundle_writer
from pipeline.modeling.bundle import MODEL, ModelBundle, load_bundle
from pipeline.modeling.bundle_contents import (
    BundleContents,
    OutcomeDescription,
    TrainingCounts,
    measure_ranges,
)
from pipeline.modeling.manifest import write_manifest
from pipeline.modeling.procedure import build_procedure, fit_procedure
from pipeline.modeling.serialisation import dump_procedure, load_procedure

CONFIG = TrainConfig(
    declared=Declared(feature_set="all"),
    feature_sets={"all": (FeatureGroup.RADIOMICS,)},
    lightgbm=LightGBMSettings(max_trees=10),
    random_forest=RandomForestSettings(trees=5),
)
NAMES = ["a", "b", "c", "empty"]


def training_values() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    values = pd.DataFrame(rng.normal(size=(30, 4)), columns=NAMES)
    values.loc[:5, "b"] = np.nan
    values["empty"] = np.nan
    return values


def fitted() -> Pipeline:
    values = training_values()
    y = np.where(values["a"] > 0, 1, 0)
    return fit_procedure(build_procedure("average", CONFIG), values.to_numpy(), y)


def write(folder: Path, procedure: Pipeline) -> None:
    values = training_values()
    specs = tuple(FeatureSpec(name, FeatureGroup.RADIOMICS, "1") for name in NAMES)
    contents = BundleContents(
        features=specs,
        outcome=OutcomeDescription("necrosis_percent", ">= 100", "pCR"),
        synthetic=True,
        training=TrainingCounts(30, 12),
        training_ranges=measure_ranges(values, NAMES),
        out_of_fold={"auc": 0.75},
        declared={"feature_set": "all", "candidate": "average"},
        seed=1,
        sha256={},
        versions=bundle_writer.list_versions(),
    )
    settings = {"cohort.yaml": "root: .\n"}
    bundle_writer.write_bundle(folder, contents, procedure, values.iloc[0], settings)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "bundle"
    write(folder, fitted())
    return folder


@pytest.fixture
def copy(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "bundle"))


@pytest.fixture(scope="module")
def bundle(written: Path) -> ModelBundle:
    return load_bundle(written)


def test_it_predicts_exactly_as_the_procedure_it_was_made_from(bundle: ModelBundle) -> None:
    values = training_values()
    procedure = fitted()
    expected = [procedure.predict_proba(row[np.newaxis, :])[0, 1] for row in values.to_numpy()]
    shuffled = values[["c", "empty", "a", "b"]].assign(extra=1.0)
    np.testing.assert_array_equal(bundle.predict(shuffled), expected)


def test_an_answer_is_the_same_bits_whoever_else_is_scored(bundle: ModelBundle) -> None:
    values = training_values()
    together = bundle.predict(values)
    alone = [bundle.predict(values.iloc[[number]])[0] for number in range(len(values))]
    assert together.tolist() == alone


def test_it_says_what_it_was_made_from(bundle: ModelBundle) -> None:
    assert bundle.synthetic
    assert bundle.outcome.positive == ">= 100"
    assert (bundle.training.patients, bundle.training.events) == (30, 12)
    assert bundle.training_ranges["b"].missing_share == pytest.approx(6 / 30)
    assert bundle.training_ranges["a"].maximum == training_values()["a"].max()
    low, high = bundle.range_arrays()
    assert np.isnan([low[3], high[3]]).all()
    assert (bundle.configs_folder / "cohort.yaml").read_text() == "root: .\n"


def test_two_trainings_give_the_same_bytes(written: Path, tmp_path: Path) -> None:
    write(tmp_path / "again", fitted())
    files = sorted(path.relative_to(written) for path in written.rglob("*") if path.is_file())
    assert len(files) == 5
    for file in files:
        assert (tmp_path / "again" / file).read_bytes() == (written / file).read_bytes(), file


def test_a_folder_with_other_files_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(BundleError, match="expected a bundle or an empty folder to replace"):
        write(tmp_path, fitted())
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_an_old_bundle_is_replaced_as_a_whole(copy: Path) -> None:
    (copy / "configs/stray.yaml").write_text("a: 1\n")
    write(copy, fitted())
    assert not (copy / "configs/stray.yaml").exists()


def test_it_holds_no_pickle(written: Path) -> None:
    with zipfile.ZipFile(written / MODEL) as archive:
        members = [archive.read(name) for name in archive.namelist() if name.endswith(".npy")]
    for member in members:
        np.load(io.BytesIO(member), allow_pickle=False)


@pytest.mark.parametrize(
    ("value", "message"), [(np.inf, "features a: expected finite"), ("x", "expected numbers")]
)
def test_values_that_are_no_numbers_are_refused(
    bundle: ModelBundle, value: object, message: str
) -> None:
    values = training_values().assign(a=pd.Series([value] * 30, dtype=object))
    with pytest.raises(BundleError, match=message):
        bundle.predict(values)


def test_absent_columns_are_listed(bundle: ModelBundle) -> None:
    with pytest.raises(BundleError, match="all 4 of the bundle, lacking b, c"):
        bundle.predict(training_values()[["a", "empty"]])


def test_no_patient_gives_no_answer(bundle: ModelBundle) -> None:
    assert bundle.predict(training_values().iloc[:0]).shape == (0,)


@pytest.mark.parametrize("name", [MODEL, "bundle.json", "example.json", "configs/cohort.yaml"])
def test_a_flipped_bit_is_noticed(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(BundleError, match=f"{name} was altered"):
        load_bundle(copy)


def test_missing_and_added_files_are_named(copy: Path) -> None:
    (copy / "example.json").unlink()
    (copy / "configs/extra.yaml").write_text("a: 1\n")
    with pytest.raises(BundleError, match=r"example.json is missing; configs/extra.yaml is not"):
        load_bundle(copy)


def test_a_folder_without_a_bundle_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"expected a model bundle with a readable manifest.json"):
        load_bundle(tmp_path)


def test_another_schema_version_is_refused(copy: Path) -> None:
    edit(copy / "bundle.json", {"schema_version": 99})
    with pytest.raises(BundleError, match="expected schema_version 2, got 99"):
        load_bundle(copy)


def test_unknown_contents_are_refused(copy: Path) -> None:
    edit(copy / "bundle.json", {"colour": "blue"})
    with pytest.raises(BundleError, match=r"got a problem with .*colour"):
        load_bundle(copy)


def test_an_example_that_is_not_reproduced_is_refused(copy: Path) -> None:
    probability = json.loads((copy / "example.json").read_text())["probability"]
    edit(copy / "example.json", {"probability": probability + 2e-9})
    with pytest.raises(BundleError, match=r"example.json: expected probability.*scikit-learn"):
        load_bundle(copy)


def test_a_type_that_could_run_code_is_refused(copy: Path) -> None:
    evil = Pipeline([("run", FunctionTransformer(shutil.rmtree)), ("model", Ridge())])
    (copy / MODEL).write_bytes(skops.io.dumps(evil))
    write_manifest(copy)
    with pytest.raises(BundleError, match=r"expected only known types, got shutil"):
        load_bundle(copy)


def test_bytes_that_are_no_model_are_refused() -> None:
    with pytest.raises(BundleError, match=r"x\.skops: expected a skops file"):
        load_procedure(b"nothing", "x.skops")


def test_a_stored_model_and_its_reloaded_copy_predict_the_same_bits() -> None:
    procedure, X = fitted(), training_values().to_numpy()
    reloaded = load_procedure(dump_procedure(procedure), "x")
    np.testing.assert_array_equal(reloaded.predict_proba(X), procedure.predict_proba(X))


def test_settings_are_resolved_and_say_nothing_of_the_place(tmp_path: Path) -> None:
    for name in ("assemble", "biomarkers", "extraction_ct", "measure", "prepare", "train"):
        (tmp_path / f"{name}.yaml").write_text(f"# {name}\n")
    (tmp_path / "evaluate.yaml").write_text("level: 0.95\n")
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets/other.yaml").write_text("scoring_timepoint: baseline\n")
    outcome = "outcome: {column: necrosis_percent, positive: '>= 100', name: pCR}\n"
    (tmp_path / "cohort.yaml").write_text(f"root: /secret/place\npreset: other\n{outcome}")
    cohort = load_cohort_config(tmp_path / "cohort.yaml")
    settings = bundle_writer.collect_settings(tmp_path, cohort)
    assert "evaluate.yaml" not in settings
    assert "secret" not in settings["cohort.yaml"]
    (tmp_path / "resolved").mkdir()
    (tmp_path / "resolved/cohort.yaml").write_text(settings["cohort.yaml"])
    resolved = load_cohort_config(tmp_path / "resolved/cohort.yaml")
    assert resolved == cohort.model_copy(update={"root": Path(), "preset": None})


def test_missing_settings_are_listed(tmp_path: Path) -> None:
    (tmp_path / "cohort.yaml").write_text(
        "root: .\noutcome: {column: x, positive: '== 1', name: y}\n"
    )
    cohort = load_cohort_config(tmp_path / "cohort.yaml")
    with pytest.raises(ConfigError, match=r"lacking assemble.yaml, biomarkers.yaml, extraction_"):
        bundle_writer.collect_settings(tmp_path, cohort)


def edit(path: Path, change: dict[str, object]) -> None:
    """Change a JSON file and the manifest with it, as somebody who means it would."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    write_manifest(path.parent)
