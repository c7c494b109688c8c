"""Real scans: DICOM equals its NIfTI conversion, and the published cohort has no errors."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.config.cohort import load_cohort_config
from pipeline.domain.scan import Modality
from pipeline.ingest.checks import find_problems
from pipeline.ingest.cohort import read_cohort
from pipeline.ingest.volume import read_scan

ROOT = Path(__file__).parents[2]
COHORT = ROOT.parent / "shared" / "data" / "sts"

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not COHORT.is_dir(), reason="the sarcoma cohort is not on this machine"),
]


@pytest.mark.parametrize("patient", ["STS_002", "STS_032"])
@pytest.mark.parametrize(("name", "modality"), [("CT", Modality.CT), ("MR_T1", Modality.MR)])
def test_dicom_equals_the_cropped_nifti(patient: str, name: str, modality: Modality) -> None:
    series = read_scan(COHORT / "dicom" / patient / name / "image", modality)
    cropped = read_scan(COHORT / "nifti" / patient / f"{name}_image.nii.gz", modality)
    start_mm = np.subtract(cropped.geometry.origin_mm, series.geometry.origin_mm)
    start = start_mm / series.geometry.spacing_mm  # both lie along the axes of the patient
    np.testing.assert_allclose(start, np.rint(start), atol=1e-4)
    x, y, z = np.rint(start).astype(int)
    depth, height, width = cropped.voxels.shape
    part = series.voxels[z : z + depth, y : y + height, x : x + width]
    np.testing.assert_array_equal(part, cropped.voxels)
    assert cropped.voxels.dtype == np.int16


def test_published_cohort_has_warnings_only(tmp_path: Path) -> None:
    (tmp_path / "presets").mkdir()
    preset = (ROOT / "configs" / "presets" / "sts.yaml").read_text()
    (tmp_path / "presets" / "sts.yaml").write_text(preset)
    base = (ROOT / "configs" / "cohort.yaml").read_text()
    config_file = tmp_path / "cohort.yaml"
    config_file.write_text(base.replace("preset: null", "preset: sts"))
    cohort, problems = read_cohort(COHORT)
    problems += find_problems(cohort, load_cohort_config(config_file), jobs=1)
    assert (len(cohort.scans), len(cohort.patients)) == (66, 22)
    assert [problem for problem in problems if problem.is_error] == []
    edges = {p.patient_id for p in problems if p.code == "mask-touches-border"}
    assert edges == {"STS_026", "STS_034", "STS_038"}
