"""Habitat features: counted by hand, learned from the training patients of a fold alone."""

import json
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from pipeline.config.train import (
    Declared,
    HabitatSettings,
    LightGBMSettings,
    RandomForestSettings,
    TrainConfig,
)
from pipeline.domain.errors import BundleError, ModelingError, PipelineError
from pipeline.domain.features import FeatureGroup, FeatureSpec, FeatureTable
from pipeline.domain.scan import Timepoint
from pipeline.imaging.habitat_table import to_cells, without_voxels
from pipeline.imaging.habitat_voxels import HabitatVoxels
from pipeline.imaging.habitats import HabitatModel
from pipeline.modeling.bundle_contents import BundleContents, OutcomeDescription, TrainingCounts
from pipeline.modeling.habitat_data import HabitatData, TumourCount, count_modalities
from pipeline.modeling.habitat_features import HabitatsOfFold, fit_models, habitat_features
from pipeline.modeling.habitat_models import from_plain, to_plain
from pipeline.stages.train import TrainingResult, run

PHASES = ("native", "arterial", "portal")
CENTRES = np.array([[0.0, -2.0, -1.0], [0.0, 1.0, 3.0], [0.0, 6.0, 2.0]])
MODEL = HabitatModel(PHASES, tuple(tuple(row) for row in CENTRES.tolist()))
SETTINGS = HabitatSettings(voxels_a_tumour=50, minimum_tumours=2, seed=5)
PATIENTS = tuple(f"P{number:02d}" for number in range(30))
KEYS = ("patient_id", "timepoint", "modality", "lesion_id")


def _voxels(habitats: npt.ArrayLike, offset: float = 0.0, seed: int = 0) -> HabitatVoxels:
    """A tumour whose voxels have the given habitats, counted from 0."""
    places = np.asarray(habitats)
    noise = np.random.default_rng(seed).normal(0, 0.05, (places.size, 3)) if seed else 0.0
    values = (CENTRES[places] + offset + noise).astype(np.float32)
    return HabitatVoxels(PHASES, values)


def _weights(rows: list[tuple[str, str, str, float]]) -> pd.DataFrame:
    """Weights of CT lesions, for values and for change alike."""
    one = pd.DataFrame(
        [(patient, time, "CT", lesion, weight) for patient, time, lesion, weight in rows],
        columns=[*KEYS, "weight"],
    )
    return pd.concat([one.assign(change=False), one.assign(change=True)], ignore_index=True)


def _two_lesions() -> HabitatData:
    tumours: dict[tuple[str, ...], HabitatVoxels] = {
        ("A", "baseline", "CT", "1"): _voxels([2, 2, 2, 2]),
        ("A", "preop", "CT", "1"): _voxels([0, 0, 1, 2]),
        ("B", "preop", "CT", "1"): _voxels([0, 0]),
        ("B", "preop", "CT", "2"): _voxels([2, 2]),
    }
    rows = [("A", "baseline", "1", 1.0), ("A", "preop", "1", 1.0)]
    rows += [("B", "preop", "1", 3.0), ("B", "preop", "2", 1.0), ("C", "preop", "1", 1.0)]
    return HabitatData(tumours, _weights(rows), Timepoint.PREOP)


def test_features_counted_by_hand() -> None:
    """A: of 4 voxels 2, 1, 1; baseline all of the third. B: 3 parts to 1."""
    table = habitat_features(_two_lesions(), {"CT": MODEL}, ["A", "B", "C"], 3)
    a, b, c = (table.values.loc[name] for name in "ABC")
    assert [a[f"ct_habitat_{n}_percent"] for n in (1, 2, 3)] == [50, 25, 25]
    assert a["ct_habitat_dispersion"] == 0
    assert [a[f"ct_habitat_{n}_percent_change"] for n in (1, 2, 3)] == [50, 25, -75]
    assert [b[f"ct_habitat_{n}_percent"] for n in (1, 2, 3)] == [75, 0, 25]
    assert np.isnan(b["ct_habitat_1_percent_change"])  # no baseline
    assert c.isna().all()  # a lesion without voxels
    assert {spec.group for spec in table.specs} == {FeatureGroup.HABITAT}


def test_a_lesion_without_voxels_makes_the_mean_of_its_patient_missing() -> None:
    data = _two_lesions()
    tumours = {key: voxels for key, voxels in data.tumours.items() if key[3] == "1"}
    table = habitat_features(replace(data, tumours=tumours), {"CT": MODEL}, ["A", "B"], 3)
    assert table.values.loc["B"].isna().all()
    assert table.values.loc["A", "ct_habitat_1_percent"] == 50


def test_the_smallest_training_part_decides_which_modalities_have_habitats() -> None:
    """A has 2 tumours and B 2: all have 4, either alone 2."""
    data = _two_lesions()
    found = count_modalities(data, ["A", "B"], [["A"], ["A", "B"]], 2)
    assert found == {"CT": TumourCount(4, 2, "")}
    few = count_modalities(data, ["A", "B"], [["A"], ["A", "B"]], 3)["CT"]
    assert few.left_out == "expected habitats.minimum_tumours 3 in each training part, got 2"
    assert count_modalities(data, ["A"], [["A"], ["C"]], 1)["CT"].smallest_training_part == 0
    assert habitat_features(data, {}, ["A"], 3).values.shape == (1, 0)


def test_voxels_of_other_phases_than_the_model_s_are_refused() -> None:
    swapped = replace(MODEL, phases=("portal", "arterial", "native"))
    with pytest.raises(ModelingError, match=r"A baseline CT 1: .* portal, arterial, native, from"):
        habitat_features(_two_lesions(), {"CT": swapped}, ["A"], 3)


def _read(change: dict[str, object], columns: tuple[str, ...] = ()) -> HabitatData:
    """Read the table with other cells in its second row, or without columns."""
    table = _table().astype(object)
    for name, cell in change.items():
        table[name] = pd.Series([table[name][0], cell, *table[name][2:]], dtype=object)
    weights = _weights([("P00", time, "1", 1.0) for time in ("baseline", "preop")])
    return HabitatData.read(
        table.drop(columns=list(columns)), weights, Timepoint.PREOP, "v.parquet"
    )


def test_a_damaged_table_of_voxels_is_named_with_its_row() -> None:
    place = "v.parquet: patient P00, preop CT, lesion 1: "
    with pytest.raises(PipelineError, match=f"{place}habitat_values: expected bytes, 12 a voxel"):
        _read({"habitat_values": b"odd"})
    with pytest.raises(PipelineError, match=f"{place}expected the phases native, arterial, portal"):
        _read({"habitat_phases": "portal,arterial,native"})
    with pytest.raises(PipelineError, match=r"P00, baseline CT, lesion 1: expected one row, got"):
        _read({"timepoint": "baseline"})
    with pytest.raises(PipelineError, match=r"v.parquet: expected the columns .*habitat_values"):
        _read({}, columns=("habitat_values",))
    assert len(_read({}).tumours) == 2


PLAIN = {"phases": ["native", "arterial"], "centres": [[0.0, 1.0], [2.0, 3.0]]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"phases": None}, "habitats.CT: phases: expected different names, got None"),
        ({"phases": ["native", "native"]}, "phases: expected different names"),
        ({"phases": ["native"]}, "at least 2 rows of 1 numbers, one a phase"),
        ({"centres": []}, "at least 2 rows of 2 numbers"),
        ({"centres": [[0.0, 1.0]]}, "at least 2 rows of 2 numbers"),
        ({"centres": [[0.0, 1.0], [2.0]]}, "at least 2 rows of 2 numbers"),
        ({"centres": [["low", 1.0], [2.0, 3.0]]}, "at least 2 rows of 2 numbers"),
        ({"centres": [[0.0, float("nan")], [2.0, 3.0]]}, "centres: expected finite numbers"),
    ],
)
def test_habitats_of_a_bundle_that_are_no_model_are_refused(
    change: dict[str, object], message: str
) -> None:
    with pytest.raises(BundleError, match=message):
        from_plain({"CT": {**PLAIN, **change}})


def test_habitats_of_a_bundle_must_be_whole_and_alike() -> None:
    assert from_plain({"CT": PLAIN})["CT"].centres == ((0.0, 1.0), (2.0, 3.0))
    damaged: tuple[object, ...] = ({"centres": []}, {"phases": []}, 3)
    for plain in damaged:
        with pytest.raises(BundleError, match=r"habitats.CT: expected phases and centres, got"):
            from_plain({"CT": plain})
    more = {**PLAIN, "centres": [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]}
    with pytest.raises(BundleError, match=r"same number of centres .* \{'CT': 2, 'MR': 3\}"):
        from_plain({"CT": PLAIN, "MR": more})


def _table() -> pd.DataFrame:
    """Voxels of 30 patients at both time points; the last has lipiodol."""
    rows = []
    for number, patient in enumerate(PATIENTS):
        for time in ("baseline", "preop"):
            draw = np.random.default_rng(number + (100 if time == "preop" else 0))
            sample = _voxels(draw.integers(0, 3, 40), seed=number + 1)
            cells = without_voxels("lipiodol") if patient == PATIENTS[-1] else to_cells(sample)
            rows.append({**dict(zip(KEYS, (patient, time, "CT", "1"), strict=True)), **cells})
    return pd.DataFrame(rows)


def _cohort() -> HabitatData:
    standing = [(patient, time, "1", 1.0) for patient in PATIENTS for time in ("baseline", "preop")]
    return HabitatData.read(_table(), _weights(standing), Timepoint.PREOP)


def _shift(data: HabitatData, patient: str) -> HabitatData:
    """Plant other values in all voxels of one patient."""
    tumours = {
        key: replace(voxels, values=voxels.values * 3 + 7) if key[0] == patient else voxels
        for key, voxels in data.tumours.items()
    }
    return replace(data, tumours=tumours)


def test_voxels_of_a_tested_patient_change_nobody_else() -> None:
    data = _cohort()
    training = np.arange(20)
    before = HabitatsOfFold(data, PATIENTS, SETTINGS, ("CT",))(training)
    tested = HabitatsOfFold(_shift(data, PATIENTS[25]), PATIENTS, SETTINGS, ("CT",))(training)
    others = [name for name in PATIENTS if name != PATIENTS[25]]
    pd.testing.assert_frame_equal(tested.loc[others], before.loc[others], check_exact=True)
    assert not tested.loc[[PATIENTS[25]]].equals(before.loc[[PATIENTS[25]]])
    # The same plant in a training patient is seen by all: the test above can fail.
    trained = HabitatsOfFold(_shift(data, PATIENTS[3]), PATIENTS, SETTINGS, ("CT",))(training)
    assert (trained["ct_habitat_dispersion"] != before["ct_habitat_dispersion"])[:-1].all()
    assert before.loc[PATIENTS[-1]].isna().all()


CONFIG = TrainConfig(
    outer_folds=3,
    repeats=1,
    candidates=("lightgbm", "random_forest"),
    declared=Declared(feature_set="habitat", candidate="random_forest"),
    feature_sets={"habitat": (FeatureGroup.HABITAT,)},
    habitats=SETTINGS,
    lightgbm=LightGBMSettings(max_trees=5),
    random_forest=RandomForestSettings(trees=5),
)


def _train(data: HabitatData | None, jobs: int = 1) -> TrainingResult:
    index = pd.Index(PATIENTS, name="patient_id")
    empty = FeatureTable(pd.DataFrame(index=index), ())
    outcome = pd.Series(np.tile([0.0, 1.0], 15), index=index, name="necrosis_percent")
    return run(empty, outcome, CONFIG, jobs, habitats=data)


def test_training_uses_the_habitats_of_each_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the three folds learns from its 20 patients; the bundle's model from all 30."""
    learned: list[set[str]] = []

    def watch(
        data: HabitatData, ids: list[str], settings: HabitatSettings, modalities: list[str]
    ) -> object:
        learned.append(set(ids))
        return fit_models(data, ids, settings, modalities)

    monkeypatch.setattr("pipeline.modeling.habitat_features.fit_models", watch)
    result = _train(_cohort())
    assert sorted(map(len, learned)) == [20, 20, 20, 30]
    predictions = result.predictions
    for _, rows in predictions.groupby("fold"):
        assert set(PATIENTS) - set(rows["patient_id"]) in learned
    other = _train(_cohort(), jobs=2).predictions
    pd.testing.assert_frame_equal(other, predictions, check_exact=True)


@pytest.mark.parametrize(("minimum", "fitted"), [(38, ["CT"]), (39, [])])
def test_folds_and_final_model_have_the_same_habitats(minimum: int, fitted: list[str]) -> None:
    """58 tumours of 29 patients; of a training part of 20, 38 where the last is in it, else 40."""
    settings = SETTINGS.model_copy(update={"minimum_tumours": minimum})
    sets = {"both": (FeatureGroup.CLINICAL, FeatureGroup.HABITAT)}
    declared = Declared(feature_set="both", candidate="random_forest")
    update = {"habitats": settings, "feature_sets": sets, "declared": declared}
    index = pd.Index(PATIENTS, name="patient_id")
    age = pd.DataFrame({"age": np.arange(30.0)}, index=index)
    table = FeatureTable(age, (FeatureSpec("age", FeatureGroup.CLINICAL, "years"),))
    outcome = pd.Series(np.tile([0.0, 1.0], 15), index=index, name="necrosis_percent")
    result = run(table, outcome, CONFIG.model_copy(update=update), 1, habitats=_cohort())
    assert list(result.habitats) == fitted
    assert len(result.features) == (9 if fitted else 1)
    why = f"expected habitats.minimum_tumours {minimum} in each training part, got 38"
    assert result.summary["habitat_tumours"] == {
        "CT": {
            "tumours": 58,
            "smallest_training_part": 38,
            "left_out": "" if fitted else why,
        }
    }


def test_the_bundle_s_habitats_give_a_training_patient_the_training_row() -> None:
    result = _train(_cohort())
    contents = BundleContents(
        features=result.features,
        outcome=OutcomeDescription("necrosis_percent", ">= 100", "pCR"),
        synthetic=True,
        training=TrainingCounts(30, 15),
        training_ranges=(),
        out_of_fold={},
        declared={},
        seed=1,
        sha256={},
        versions={},
        habitats=to_plain(result.habitats),
    )
    read = BundleContents.from_dict(json.loads(json.dumps(contents.as_dict())))
    models = from_plain(read.habitats)
    assert models == result.habitats
    one = _table().query("patient_id == 'P07'")
    standing = _weights([("P07", time, "1", 1.0) for time in ("baseline", "preop")])
    data = HabitatData.read(one, standing, Timepoint.PREOP)
    row = habitat_features(data, models, ["P07"], 3).values
    trained = result.table.values.loc[["P07"], row.columns]
    pd.testing.assert_frame_equal(row, trained, check_exact=True)
    assert row.notna().all(axis=None)
