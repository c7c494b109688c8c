"""The measure stage on files: numbers in the row, and why the others are not there."""

from math import isnan
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk

from pipeline.cases import Preparation
from pipeline.config.loading import load_settings
from pipeline.config.measure import MeasureConfig
from pipeline.config.prepare import PrepareConfig
from pipeline.domain.cohort import ScanRow
from pipeline.domain.scan import Modality, Timepoint
from pipeline.stages.measure import MISSING_COLUMN, LesionCase, list_lesion_cases, measure_lesion
from pipeline.store.results import ResultStore

CONFIGS = Path(__file__).parents[2] / "configs"
CONFIG = load_settings(MeasureConfig, CONFIGS / "measure.yaml")
SHAPE_ZYX, SPACING_MM = (16, 40, 40), (2.0, 2.0, 4.0)
TUMOUR = (slice(4, 12), slice(12, 22), slice(12, 22))  # 800 voxels of 16 mm3
VIABLE = (slice(4, 12), slice(12, 22), slice(12, 17))  # half of it
LEVELS_HU = {"native": (50, 50, 50), "arterial": (130, 50, 60), "portal": (100, 50, 110)}


def write(path: Path, voxels: npt.NDArray[np.int16]) -> str:
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(SPACING_MM)
    sitk.WriteImage(image, str(path))
    return path.name


@pytest.fixture
def rows(tmp_path: Path) -> list[ScanRow]:
    """A tumour of which half gains 80 HU, in liver that gains 10, on three phases."""
    inside = np.zeros(SHAPE_ZYX, dtype=np.int16)
    inside[TUMOUR] = 1
    mask = write(tmp_path / "mask.nii.gz", inside)
    liver = write(tmp_path / "liver.nii.gz", np.ones(SHAPE_ZYX, dtype=np.int16))
    found = []
    for phase, (viable, dead, parenchyma) in LEVELS_HU.items():
        voxels = np.full(SHAPE_ZYX, parenchyma, dtype=np.int16)
        voxels[TUMOUR], voxels[VIABLE] = dead, viable
        image = write(tmp_path / f"{phase}.nii.gz", voxels)
        row = ScanRow(
            patient_id="P1",
            timepoint=Timepoint.PREOP,
            modality=Modality.CT,
            phase=phase,
            image=image,
            mask=mask,
            liver_mask=liver,
        )
        found.append(row)
    return found


def measure(rows: list[ScanRow], root: Path) -> dict[str, object]:
    prepare = load_settings(PrepareConfig, CONFIGS / "prepare.yaml")
    preparation = Preparation(root, prepare, ResultStore(root / "store"))
    (case,) = list_lesion_cases(rows, CONFIG.phase_order)
    assert isinstance(case, LesionCase)
    return measure_lesion(case, preparation, CONFIG)


def test_a_lesion_on_three_phases(rows: list[ScanRow], tmp_path: Path) -> None:
    measures = measure(rows, tmp_path)
    expected = {
        "volume_ml": 12.8,
        "ct_volume_ml": 12.8,
        "ct_enhancing_volume_ml": 6.4,
        "ct_qeasl_k2_percent": 50,
        "ct_necrosis_fraction": 0.5,
        "viable_fraction": 0.5,
        "ct_gain_mean": 40,
        "ct_aphe_ratio": 4,
        "ct_arterial_enhancement_fraction_percent": 160,
        "ct_washout_percent": 100 * 15 / 90,
        "ct_tumour_liver_ratio_portal": 75 / 110,
        "ct_mrecist_diameter_mm": np.hypot(8, 20),  # 4 columns and 10 rows of 2 mm
        "ct_lipiodol_percent": 0,
    }
    assert {name: measures[name] for name in expected} == pytest.approx(expected)
    assert measures[MISSING_COLUMN] == (
        "no tumour on a delayed phase: ct_tumour_liver_ratio_delayed; "
        "no tumour on a hbp phase: ct_tumour_liver_ratio_hbp; "
        "no tumour on a t2 phase: ct_tumour_liver_ratio_t2; "
        "fewer than two voxels hold lipiodol: ct_lipiodol_variation"
    )


def test_without_a_native_phase_the_row_says_why(rows: list[ScanRow], tmp_path: Path) -> None:
    measures = measure(rows[1:], tmp_path)
    for name in ("ct_mrecist_diameter_mm", "ct_necrosis_fraction", "ct_lipiodol_percent"):
        assert isnan(float(str(measures[name])))
    assert "no native phase: ct_mrecist_diameter_mm" in str(measures[MISSING_COLUMN])
    assert measures["ct_washout_percent"] == pytest.approx(100 * 15 / 90)
