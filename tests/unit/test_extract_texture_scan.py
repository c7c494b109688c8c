"""Radiomics of MR are those of the scan without its bias field, in stages extract and stability."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import SimpleITK as sitk

from pipeline.cases import Preparation
from pipeline.config.extraction import ExtractionParameters
from pipeline.config.prepare import PrepareConfig
from pipeline.config.stability import StabilityConfig
from pipeline.domain.cohort import Cohort, ScanRow
from pipeline.domain.scan import Modality, Timepoint
from pipeline.stages import extract
from pipeline.stages.stability import StabilityInputs, read_twice
from pipeline.store.results import ResultStore

ROW = ScanRow(
    patient_id="P1",
    timepoint=Timepoint.PREOP,
    modality=Modality.MR,
    phase="arterial",
    image="mr.nii.gz",
    mask="mask.nii.gz",
)


def _write(path: Path, voxels: npt.NDArray[np.generic]) -> None:
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing([4.0, 4.0, 4.0])
    sitk.WriteImage(image, str(path))


@pytest.fixture
def preparation(tmp_path: Path) -> Preparation:
    noise = np.random.default_rng(0).normal(100, 4, (24, 32, 32))
    _write(tmp_path / "mr.nii.gz", (noise * np.linspace(0.6, 1.6, 32)).astype(np.float32))
    mask = np.zeros(noise.shape, dtype=np.uint8)
    mask[9:15, 10:22, 22:30] = 1
    _write(tmp_path / "mask.nii.gz", mask)
    return Preparation(tmp_path, PrepareConfig(), ResultStore(tmp_path / "store"))


def test_radiomics_of_mr_are_taken_without_the_bias_field(preparation: Preparation) -> None:
    prepared = preparation.load(ROW)
    inside = prepared.regions["tumour"].inside
    corrected = float(prepared.texture_scan.voxels[inside].mean())
    assert abs(prepared.scan.voxels[inside].mean() - corrected) > 2
    parameters = {Modality.MR: ExtractionParameters(feature_classes={"firstorder": ("Mean",)})}
    cohort = Cohort(preparation.images, (ROW,), pd.DataFrame(), pd.DataFrame())
    settings = extract.ExtractSettings(preparation.config, parameters)
    table = extract.run(cohort, settings, preparation.store, jobs=1)
    found = [float(table.rows["original_firstorder_Mean"].iloc[0])]
    read = read_twice((ROW, ROW), StabilityInputs(preparation, parameters, StabilityConfig()))
    found += [(outcome.result or {})["original_firstorder_Mean"] for outcome in read]
    assert found == pytest.approx([corrected] * 3, rel=1e-6)
