"""The measure stage on files: numbers in the row, and why the others are not there."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import isnan
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import SimpleITK as sitk

from pipeline.config.assemble import LesionRule
from pipeline.config.loading import load_settings
from pipeline.config.measure import MeasureConfig, ReferenceTissue
from pipeline.config.prepare import PrepareConfig
from pipeline.config.registration import RegistrationConfig, RegistrationMethod
from pipeline.domain.cohort import Cohort, ScanRow
from pipeline.domain.lesions import link_lesions
from pipeline.domain.scan import Modality, Timepoint
from pipeline.response.visit_measures import MEASURE_COLUMNS
from pipeline.stages import measure as stage
from pipeline.store.results import ResultStore

CONFIGS = Path(__file__).parents[2] / "configs"
CONFIG = load_settings(MeasureConfig, CONFIGS / "measure.yaml")
PREPARE = PrepareConfig(registration=RegistrationConfig(method=RegistrationMethod.NONE))
SHAPE_ZYX, SPACING_MM = (16, 40, 60), (2.0, 2.0, 4.0)
TUMOUR = (slice(4, 12), slice(12, 22), slice(12, 22))  # 800 voxels of 16 mm3
VIABLE = (slice(4, 12), slice(12, 22), slice(12, 17))  # half of it
SECOND = (slice(4, 12), slice(28, 38), slice(44, 54))  # as large, all of it dead
LEVELS_HU = {"native": (50, 50, 50), "arterial": (130, 50, 60), "portal": (100, 50, 110)}


def write(path: Path, voxels: npt.NDArray[np.int16]) -> str:
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(SPACING_MM)
    sitk.WriteImage(image, str(path))
    return path.name


def scan(phase: str, files: Mapping[str, str]) -> ScanRow:
    return ScanRow(
        patient_id="P1",
        timepoint=Timepoint.PREOP,
        modality=Modality.CT,
        phase=phase,
        image=files[phase],
        mask=files["mask"],
        liver_mask=files["liver"],
    )


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """A tumour of which half gains 80 HU, in liver that gains 10, and a dead one beside it."""
    inside, beside = (np.zeros(SHAPE_ZYX, dtype=np.int16) for _ in range(2))
    inside[TUMOUR] = beside[SECOND] = 1
    written = {
        "mask": write(tmp_path / "mask.nii.gz", inside),
        "second": write(tmp_path / "second.nii.gz", beside),
        "liver": write(tmp_path / "liver.nii.gz", np.ones(SHAPE_ZYX, dtype=np.int16)),
    }
    for phase, (viable, dead, parenchyma) in LEVELS_HU.items():
        voxels = np.full(SHAPE_ZYX, parenchyma, dtype=np.int16)
        voxels[TUMOUR], voxels[VIABLE], voxels[SECOND] = dead, viable, dead
        written[phase] = write(tmp_path / f"{phase}.nii.gz", voxels)
    return written


@pytest.fixture
def rows(files: dict[str, str]) -> list[ScanRow]:
    return [scan(phase, files) for phase in LEVELS_HU]


def cohort_of(rows: tuple[ScanRow, ...], root: Path) -> Cohort:
    return Cohort(root, rows, pd.DataFrame({"patient_id": ["P1"]}), pd.DataFrame())


def run(
    rows: Iterable[ScanRow],
    root: Path,
    config: MeasureConfig = CONFIG,
    rule: LesionRule | None = None,
) -> stage.MeasureTables:
    cohort = cohort_of(link_lesions(list(rows)), root)
    settings = stage.MeasureSettings(PREPARE, config, rule)
    return stage.run(cohort, settings, ResultStore(root / "store"), jobs=1)


def measure(rows: Iterable[ScanRow], root: Path, config: MeasureConfig = CONFIG) -> pd.Series:
    tables = run(rows, root, config)
    assert tables.measures.failures.empty
    (_, row), *_ = tables.measures.rows.iterrows()
    return row


def test_a_lesion_on_three_phases(rows: list[ScanRow], tmp_path: Path) -> None:
    measures = measure(rows, tmp_path)
    expected = {
        "ct_volume_ml": 12.8,
        "ct_enhancing_volume_ml": 6.4,
        "ct_qeasl_k2_percent": 50,
        "ct_necrosis_fraction": 0.5,
        "ct_gain_necrosis_fraction": 0.5,
        "ct_arterial_necrosis_fraction": 0,  # nothing is as dark as 30.2 HU
        "ct_gain_mean": 40,
        "ct_aphe_ratio": 4,
        "ct_arterial_enhancement_fraction_percent": 160,
        "ct_washout_percent": 100 * 15 / 90,
        "ct_mean_arterial": 90,
        "ct_tumour_liver_ratio_portal": 75 / 110,
        "ct_mrecist_diameter_mm": np.hypot(8, 20),  # 4 columns and 10 rows of 2 mm
        "ct_lipiodol_percent": 0,
    }
    assert {name: measures[name] for name in expected} == pytest.approx(expected)
    assert measures["missing"] == (
        "no tumour on a delayed phase: ct_washout_percent_delayed, ct_tumour_liver_ratio_delayed; "
        "fewer than two voxels hold lipiodol: ct_lipiodol_variation; "
        "no baseline scan of this modality: ct_centre_x_mm, ct_centre_y_mm, ct_centre_z_mm"
    )
    assert measures["liver_reference"] == "sphere, lesion's side"
    assert measures["not_registered"] == ""


def test_without_a_native_phase_the_row_says_why(rows: list[ScanRow], tmp_path: Path) -> None:
    measures = measure(rows[1:], tmp_path)
    for name in ("ct_mrecist_diameter_mm", "ct_necrosis_fraction", "ct_lipiodol_percent"):
        assert isnan(measures[name])
    assert "no native phase: ct_gain_mean" in measures["missing"]
    assert measures["ct_washout_percent"] == pytest.approx(100 * 15 / 90)


def test_the_whole_liver_where_it_is_asked_for(rows: list[ScanRow], tmp_path: Path) -> None:
    whole = CONFIG.model_copy(update={"reference": ReferenceTissue.WHOLE})
    measures = measure(rows, tmp_path, whole)
    assert measures["liver_reference"] == "whole liver: as configured"
    # It holds the dead lesion that is not in this table: 800 voxels, of which 0 gain.
    assert measures["ct_enhancing_volume_ml"] == pytest.approx(6.4)
    assert measures["ct_aphe_ratio"] > 4


def test_without_a_liver_mask_the_row_says_so(rows: list[ScanRow], tmp_path: Path) -> None:
    measures = measure([replace(row, liver_mask="") for row in rows], tmp_path)
    assert measures["liver_reference"] == "none: no liver mask"
    assert isnan(measures["ct_necrosis_fraction"])
    assert "no reference liver: " in measures["missing"]
    assert measures["ct_gain_necrosis_fraction"] == 0.5


def test_curves_have_a_row_a_point(rows: list[ScanRow], tmp_path: Path) -> None:
    curves = run(rows, tmp_path).curves.set_index(["curve", "at"])
    assert set(curves["patient_id"] + curves["modality"] + curves["lesion_id"]) == {"P1CT1"}
    assert curves.loc[("qeasl", 2.0), "value"] == 50
    assert curves.loc[("lipiodol", 75.0), "value"] == 0
    assert list(curves.index.unique("curve")) == ["qeasl", "lipiodol"]


def test_a_lesion_that_fails_has_no_row_and_no_curve(rows: list[ScanRow], tmp_path: Path) -> None:
    tables = run([replace(row, mask="absent.nii.gz") for row in rows], tmp_path)
    assert tables.measures.rows.empty
    assert tables.curves.empty
    assert list(tables.measures.failures["code"]) == ["file-missing"]


def test_a_table_without_rows_is_still_a_table_of_measures(tmp_path: Path) -> None:
    assert set(MEASURE_COLUMNS) <= set(run([], tmp_path).measures.rows.columns)


def test_the_union_is_measured_where_the_rule_asks_for_it(
    rows: list[ScanRow], files: dict[str, str], tmp_path: Path
) -> None:
    both = [*rows, *(replace(row, lesion_id="2", mask=files["second"]) for row in rows)]
    tables = run(both, tmp_path, rule=LesionRule.UNION)
    measured = tables.measures.rows.set_index("lesion_id")
    assert list(measured.index) == ["1", "2", "all"]
    assert list(measured["ct_volume_ml"]) == pytest.approx([12.8, 12.8, 25.6])
    assert list(measured["ct_necrosis_fraction"]) == pytest.approx([0.5, 1, 0.75])
    assert list(run(both, tmp_path).measures.rows["lesion_id"]) == ["1", "2"]


def test_the_place_of_a_lesion_is_told_in_baseline_coordinates(
    rows: list[ScanRow], tmp_path: Path
) -> None:
    earlier = [replace(row, timepoint=Timepoint.BASELINE) for row in rows]
    measured = run([*earlier, *rows], tmp_path).measures.rows.set_index("timepoint")
    centre = [f"ct_centre_{axis}_mm" for axis in "xyz"]
    # Voxels 12 to 21 and 4 to 11: their middle at 16.5 and 7.5 voxels of 2, 2 and 4 mm.
    assert list(measured.loc["baseline", centre]) == pytest.approx([33, 33, 30])
    assert measured.loc["preop", centre].isna().all()
    assert "registration is switched off: ct_centre_x_mm" in str(measured.loc["preop", "missing"])


def test_a_baseline_that_cannot_be_read_costs_the_place_alone(
    rows: list[ScanRow], tmp_path: Path
) -> None:
    lost = [replace(row, timepoint=Timepoint.BASELINE, image="lost.nii.gz") for row in rows]
    registered = PREPARE.model_copy(update={"registration": RegistrationConfig()})
    cohort = cohort_of((*lost, rows[1]), tmp_path)
    settings = stage.MeasureSettings(registered, CONFIG)
    tables = stage.run(cohort, settings, ResultStore(tmp_path / "store"), jobs=1)
    assert list(tables.measures.failures["timepoint"]) == ["baseline"]
    (row,) = tables.measures.rows.to_dict("records")
    assert row["ct_volume_ml"] == pytest.approx(12.8)
    assert "the baseline scan cannot be prepared: ct_centre_x_mm" in row["missing"]
