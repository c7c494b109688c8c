"""One row a patient, whatever is missing, by every lesion rule."""

from math import nan
from pathlib import Path

import pandas as pd
import pytest
import yaml

from pipeline.config.assemble import AssembleConfig, DeltaForm, LesionRule
from pipeline.config.cohort import CohortConfig, Covariate, Outcome
from pipeline.config.loading import load_settings
from pipeline.domain.cohort import ScanRow
from pipeline.domain.errors import ConfigError
from pipeline.domain.features import FeatureGroup, FeatureSpec, FeatureTable
from pipeline.domain.scan import Modality, Timepoint
from pipeline.modeling.bundle_writer import collect_settings
from pipeline.scoring.settings import load_scoring_settings
from pipeline.stages import assemble
from pipeline.tabular import read_feature_table, write_feature_table, write_parquet

ROOT = Path(__file__).parents[2]
COHORT = CohortConfig(
    root=Path("cohort"),
    outcome=Outcome(column="necrosis_percent", positive=">= 100"),
    covariates={"age": Covariate(kind="numeric", unit="years"), "lr_tr": Covariate(kind="lr_tr")},
)
PATIENTS = pd.DataFrame(
    {
        "patient_id": ["A", "B", "C"],
        "age": [50.0, 60.0, 70.0],
        "lr_tr": ["LR-TR Viable", None, "nonviable"],
    }
)
SERUM = FeatureTable(
    pd.DataFrame({"albi_preop": [-2.5]}, index=pd.Index(["B"], name="patient_id")),
    (FeatureSpec("albi_preop", FeatureGroup.SERUM, "1"),),
)
KEYS = ("patient_id", "timepoint", "modality")
MEASURES = pd.DataFrame(
    [
        # A has two lesions and their union; B one, drawn before the operation only; C nothing
        ("A", "baseline", "CT", "1", 30.0, 40.0, 20.0, 0.0, ""),
        ("A", "baseline", "CT", "2", 90.0, 60.0, 50.0, 0.0, ""),
        ("A", "baseline", "CT", "all", 120.0, 150.0, 70.0, 0.0, ""),
        ("A", "preop", "CT", "1", 20.0, 36.0, 10.0, 0.0, ""),
        ("A", "preop", "CT", "2", 60.0, 50.0, 5.0, 0.0, ""),
        ("A", "preop", "CT", "all", 80.0, 140.0, 15.0, 0.0, ""),
        ("B", "preop", "CT", "1", 5.0, 20.0, None, 0.0, "no native phase: ct_enhancing_volume_ml"),
    ],
    columns=[
        *(*KEYS, "lesion_id", "ct_volume_ml", "ct_recist_diameter_mm", "ct_enhancing_volume_ml"),
        *("ct_centre_x_mm", "missing"),
    ],
)
MEASURES = MEASURES.assign(ct_centre_y_mm=0.0, ct_centre_z_mm=0.0)
RADIOMICS = pd.DataFrame(
    [
        ("A", "baseline", "CT", "arterial", "1", "tumour", 2.0),
        ("A", "baseline", "CT", "arterial", "2", "tumour", 8.0),
        ("A", "baseline", "CT", "arterial", "all", "tumour", 5.0),
        ("A", "preop", "CT", "arterial", "1", "tumour", 3.0),
        ("A", "preop", "CT", "arterial", "2", "tumour", 16.0),
        ("A", "preop", "CT", "arterial", "all", "tumour", 4.0),
        ("B", "preop", "CT", "arterial", "1", "tumour", 6.0),
    ],
    columns=[*KEYS, "phase", "lesion_id", "region", "f"],
)


def scan(patient: str, timepoint: Timepoint, day: str) -> ScanRow:
    return ScanRow(
        patient_id=patient,
        timepoint=timepoint,
        modality=Modality.CT,
        phase="arterial",
        image="i.nii",
        mask="m.nii",
        scan_date=day,
    )


SCANS = (
    scan("A", Timepoint.BASELINE, "2024-01-01"),
    scan("A", Timepoint.PREOP, "2024-04-10"),  # 100 days
    scan("B", Timepoint.PREOP, "2024-04-10"),
)
PARTS = assemble.Parts(PATIENTS, SCANS, RADIOMICS, MEASURES, SERUM)


def config(rule: LesionRule, *forms: DeltaForm) -> AssembleConfig:
    return AssembleConfig(
        lesion_rule=rule,
        modality_order=(Modality.CT, Modality.MR),
        delta_forms=forms or (DeltaForm.ABSOLUTE,),
    )


def features(rule: LesionRule, parts: assemble.Parts = PARTS) -> pd.DataFrame:
    return assemble.run(parts, COHORT, config(rule)).features.values


EXPECTED = {
    # volume, diameter; enhancing volume; radiomic f; their changes: volume, f
    LesionRule.LARGEST: (60.0, 50.0, 5.0, 16.0, -30.0, 8.0),
    # a quarter of lesion 1 and three quarters of lesion 2
    LesionRule.VOLUME_WEIGHTED: (50.0, 46.5, 6.25, 12.75, -25.0, 6.25),
    LesionRule.UNION: (80.0, 50.0, 15.0, 4.0, -40.0, -1.0),
    # worst values; radiomics and change of lesion 1, whose enhancing volume is the greater
    LesionRule.WORST: (60.0, 50.0, 10.0, 3.0, -10.0, 1.0),
}
COLUMNS = [
    *("size_volume_ml", "size_longest_diameter_mm", "ct_enhancing_volume_ml"),
    *("ct_arterial_tumour_f", "delta_ct_volume_ml", "delta_ct_arterial_tumour_f"),
]


@pytest.mark.parametrize("rule", LesionRule)
def test_every_feature_follows_the_rule(rule: LesionRule) -> None:
    values = features(rule)
    assert tuple(values.loc["A", COLUMNS]) == pytest.approx(EXPECTED[rule])
    assert tuple(values.loc["B", COLUMNS]) == pytest.approx(
        (5.0, 20.0, nan, 6.0, nan, nan), nan_ok=True
    )


@pytest.mark.parametrize("rule", LesionRule)
def test_every_patient_keeps_a_row_and_criteria_sum_targets_by_any_rule(rule: LesionRule) -> None:
    values = features(rule)
    assert list(values.index) == ["A", "B", "C"]
    assert values.loc["A", "recist_decrease_percent"] == pytest.approx(14.0)  # 100 to 86 mm
    assert values.loc["A", "vrecist_decrease_percent"] == pytest.approx(100 / 3)  # 120 to 80 mL
    assert values.loc["C"].drop(["clinical_age", "lr_tr_viable", "lr_tr_equivocal"]).isna().all()
    assert values["lr_tr_viable"].tolist() == pytest.approx([1, nan, 0], nan_ok=True)
    assert values.loc["B", "albi_preop"] == -2.5


@pytest.mark.parametrize("rule", LesionRule)
def test_the_order_of_rows_does_not_matter(rule: LesionRule) -> None:
    mixed = assemble.Parts(
        PATIENTS,
        SCANS[::-1],
        RADIOMICS.sample(frac=1, random_state=1),
        MEASURES.sample(frac=1, random_state=2),
        SERUM,
    )
    first, second = (assemble.run(parts, COHORT, config(rule)) for parts in (PARTS, mixed))
    pd.testing.assert_frame_equal(first.features.values, second.features.values)
    assert first.features.specs == second.features.specs
    pd.testing.assert_frame_equal(first.lesions, second.lesions)
    pd.testing.assert_frame_equal(first.response, second.response)


@pytest.mark.parametrize("rule", LesionRule)
def test_a_patient_scored_alone_gets_the_row_it_has_in_the_cohort(rule: LesionRule) -> None:
    alone = assemble.Parts(
        PATIENTS[PATIENTS["patient_id"] == "B"],
        SCANS,
        RADIOMICS[RADIOMICS["patient_id"] == "B"],
        MEASURES[MEASURES["patient_id"] == "B"],
        SERUM,
    )
    everybody = features(rule)
    row = features(rule, alone).reindex(columns=everybody.columns)
    pd.testing.assert_frame_equal(row, everybody.loc[["B"]])


def test_a_lesion_in_another_place_has_no_change() -> None:
    moved = (MEASURES["timepoint"] == "preop") & (MEASURES["lesion_id"] == "2")
    measures = MEASURES.assign(ct_centre_x_mm=MEASURES["ct_centre_x_mm"].where(~moved, 200.0))
    parts = assemble.Parts(PATIENTS, SCANS, RADIOMICS, measures, SERUM)
    assembled = assemble.run(parts, COHORT, config(LesionRule.LARGEST))
    row = assembled.features.values.loc["A"]
    assert row["size_volume_ml"] == 60.0
    assert not [name for name in row.index if str(name).startswith("delta_")]  # nobody has one
    assert pd.isna(row["vrecist_decrease_percent"])
    assert assembled.lesions.to_numpy().tolist() == [
        ["A", "1", True, 0.0, "same name and place"],
        ["A", "2", False, 200.0, "centres 200 mm apart, at most 65 mm expected"],
        ["B", "1", False, pytest.approx(nan, nan_ok=True), "no scan at baseline"],
    ]
    # lesion 1 alone is not the patient
    assert "delta_ct_volume_ml" not in features(LesionRule.VOLUME_WEIGHTED, parts)


def test_lipiodol_withholds_texture_and_its_change() -> None:
    """Lesion 2, the largest, holds oil before the operation; its shape is kept."""
    oily = (MEASURES["timepoint"] == "preop") & (MEASURES["lesion_id"] == "2")
    parts = assemble.Parts(
        PATIENTS,
        SCANS,
        RADIOMICS.assign(original_shape_Elongation=0.5),
        MEASURES.assign(ct_lipiodol_percent=oily * 40.0),
        SERUM,
    )
    assembled = assemble.run(parts, COHORT, config(LesionRule.LARGEST))
    row = assembled.features.values.loc["A"]
    assert row["ct_arterial_tumour_original_shape_Elongation"] == 0.5
    assert row["delta_ct_arterial_tumour_original_shape_Elongation"] == 0.0
    assert pd.isna(row["ct_arterial_tumour_f"])
    assert "delta_ct_arterial_tumour_f" not in row.index  # nobody has it
    assert assembled.features.values.loc["B", "ct_arterial_tumour_f"] == 6.0
    missing = assembled.response.set_index("patient_id")["missing"]
    assert missing["A"] == "lipiodol in 40 % of lesion 2: CT radiomics but shape"
    tolerant = config(LesionRule.LARGEST).model_copy(update={"lipiodol_tolerated_percent": 40.0})
    kept = assemble.run(parts, COHORT, tolerant).features.values
    assert kept.loc["A", "delta_ct_arterial_tumour_f"] == 8.0


@pytest.mark.parametrize("rule", LesionRule)
def test_a_lesion_that_is_not_drawn_any_more_leaves_the_patient_unknown(rule: LesionRule) -> None:
    """Without lesion 1 the largest rule alone can speak of the patient."""
    gone = (MEASURES["patient_id"] == "A") & (MEASURES["timepoint"] == "preop")
    measures = MEASURES[~(gone & MEASURES["lesion_id"].isin(["1", "all"]))]
    parts = assemble.Parts(PATIENTS, SCANS, RADIOMICS, measures, SERUM)
    assembled = assemble.run(parts, COHORT, config(rule))
    row = assembled.features.values.loc[["A"], ["size_volume_ml", "ct_arterial_tumour_f"]]
    missing = assembled.response.set_index("patient_id")["missing"].to_dict()
    if rule is LesionRule.LARGEST:
        assert row.to_numpy().tolist() == [[60.0, 16.0]]
    else:
        assert row.isna().all(axis=None)
        assert "lesion 1: not drawn at preop: vanished, or left out" in missing["A"]


def test_all_forms_of_change() -> None:
    assembled = assemble.run(PARTS, COHORT, config(LesionRule.LARGEST, *DeltaForm))
    row = assembled.features.values.loc["A"]
    assert row["delta_ct_arterial_tumour_f"] == 8.0
    assert row["delta_relative_percent_ct_arterial_tumour_f"] == 100.0
    assert row["delta_log_ratio_ct_arterial_tumour_f"] == pytest.approx(0.6931471805599453)
    assert row["delta_per_day_ct_arterial_tumour_f"] == pytest.approx(0.08)
    assert row["delta_per_day_ct_volume_ml"] == pytest.approx(-0.3)
    units = {spec.name: spec.unit for spec in assembled.features.specs}
    assert units["delta_per_day_ct_volume_ml"] == "mL/d"


def test_a_prediction_at_baseline_uses_nothing_later() -> None:
    cohort = COHORT.model_copy(update={"scoring_timepoint": Timepoint.BASELINE})
    assembled = assemble.run(PARTS, cohort, config(LesionRule.LARGEST))
    values = assembled.features.values
    assert values.loc["A", "ct_arterial_tumour_f"] == 8.0
    assert not values.filter(regex="^delta_|_decrease_|_category$").columns.tolist()
    assert values.loc["B"].drop(["clinical_age", "albi_preop"]).isna().all()
    assert assembled.lesions.empty
    assert set(assembled.response["recist_reason"]) == {"no two time points to compare"}


def test_the_response_is_written_to_be_read() -> None:
    response = assemble.run(PARTS, COHORT, config(LesionRule.LARGEST)).response
    rows = response.set_index("patient_id")
    assert rows["vrecist_category"].to_dict() == {"A": "SD", "B": "", "C": ""}
    assert rows.loc["B", "vrecist_reason"] == "no CT at baseline"
    assert rows.loc["B", "missing"] == "no native phase: ct_enhancing_volume_ml"


def write_inputs(folder: Path) -> list[str]:
    tables = folder / "cohort"
    tables.mkdir()
    PATIENTS.to_csv(tables / "patients.csv", index=False)
    names = ["patient_id", "timepoint", "modality", "phase", "image", "mask", "scan_date"]
    rows = [[getattr(row, name) for name in names] for row in SCANS]
    pd.DataFrame(rows, columns=names).to_csv(tables / "scans.csv", index=False)
    write_parquet(RADIOMICS, folder / "radiomics.parquet")
    write_parquet(MEASURES, folder / "measures.parquet")
    write_feature_table(SERUM, folder / "serum.parquet")
    settings = {"lesion_rule": "union", "modality_order": ["CT"]}
    (folder / "assemble.yaml").write_text(yaml.safe_dump(settings))
    (folder / "cohort.yaml").write_text(yaml.safe_dump(COHORT.model_dump(mode="json")))
    return [
        *("--config", f"{folder / 'assemble.yaml'}"),
        *("--cohort-config", f"{folder / 'cohort.yaml'}", "--cohort", f"{tables}"),
        *("--radiomics", f"{folder / 'radiomics.parquet'}"),
        *("--measures", f"{folder / 'measures.parquet'}"),
        *("--serum", f"{folder / 'serum.parquet'}"),
    ]


def test_the_command_writes_the_three_tables_with_the_same_bytes(tmp_path: Path) -> None:
    arguments = write_inputs(tmp_path)
    written = []
    for run in ("first", "second"):
        out = tmp_path / run
        places = [
            *("--out", f"{out / 'features.parquet'}"),
            *("--lesions-out", f"{out / 'lesions.parquet'}"),
            *("--response-out", f"{out / 'response.parquet'}"),
        ]
        assert assemble.main([*arguments, *places]) == 0
        written.append({file.name: file.read_bytes() for file in sorted(out.iterdir())})
    assert written[0] == written[1]
    expected = assemble.run(PARTS, COHORT, config(LesionRule.UNION))
    table = read_feature_table(tmp_path / "first/features.parquet")
    pd.testing.assert_frame_equal(table.values, expected.features.values)
    assert table.specs == expected.features.specs
    for name, frame in (("lesions", expected.lesions), ("response", expected.response)):
        pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / f"first/{name}.parquet"), frame)


def test_wrong_tables_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [*write_inputs(tmp_path), "--out", f"{tmp_path / 'features.parquet'}"]
    for option in ("--radiomics", "--measures", "--serum"):
        assert assemble.main([*arguments, option, f"{tmp_path / 'nope.parquet'}"]) == 1
        assert "nope.parquet: cannot be read as Parquet (there is no" in capsys.readouterr().err
    assert assemble.main([*arguments, "--radiomics", f"{tmp_path / 'measures.parquet'}"]) == 1
    assert "measures.parquet: expected the columns patient_id," in capsys.readouterr().err
    assert assemble.main([*arguments, "--measures", f"{tmp_path / 'radiomics.parquet'}"]) == 1
    assert "radiomics.parquet: expected the columns patient_id," in capsys.readouterr().err


def test_the_rule_is_kept_in_the_bundle(tmp_path: Path) -> None:
    configs = tmp_path / "configs"
    configs.mkdir()
    for file in (ROOT / "configs").glob("*.yaml"):
        (configs / file.name).write_text(file.read_text())
    settings = load_settings(AssembleConfig, configs / "assemble.yaml")
    chosen = settings.model_copy(update={"lesion_rule": LesionRule.WORST})
    (configs / "assemble.yaml").write_text(yaml.safe_dump(chosen.model_dump(mode="json")))
    bundled = tmp_path / "bundle"
    bundled.mkdir()
    for name, text in collect_settings(configs, COHORT).items():
        (bundled / name).write_text(text)
    assert load_scoring_settings(bundled).assemble == chosen


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lesion_rule: biggest", "key lesion_rule.*largest.*volume_weighted.*union.*worst"),
        ("delta_forms: []", "key delta_forms"),
        ("delta_forms: [ratio]", "key delta_forms.*absolute"),
        ("match_tolerance_mm: -1", "key match_tolerance_mm"),
        ("target_lesions: {most: 0}", "key target_lesions.most"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "assemble.yaml"
    file.write_text(f"modality_order: [CT]\n{text}\n")
    with pytest.raises(ConfigError, match=message):
        load_settings(AssembleConfig, file)
