"""Real scans are prepared as PyRadiomics prepares them: not one voxel differs."""

from pathlib import Path

import pytest
from preparation_reference import assert_equal_to_pyradiomics

from pipeline.domain.scan import Modality
from pipeline.ingest.mask import read_region
from pipeline.ingest.volume import read_scan

KINDS = {"CT": Modality.CT, "MR_T1": Modality.MR, "PET": Modality.PT}


def _compare(folder: Path, kind: str, spacing_mm: list[float]) -> None:
    scan = read_scan(folder / f"{kind}_image.nii.gz", KINDS[kind])
    region = read_region(folder / f"{kind}_mask.nii.gz", 1, "tumour")
    assert_equal_to_pyradiomics(scan, region, {"resampledPixelSpacing": spacing_mm})


@pytest.mark.real_data
@pytest.mark.parametrize("kind", KINDS)
def test_a_patient_on_voxels_of_1_mm(real_data: Path, kind: str) -> None:
    _compare(real_data / "sts/nifti/STS_002", kind, [1.0, 1.0, 1.0])


@pytest.mark.real_data
@pytest.mark.slow
@pytest.mark.parametrize("spacing_mm", [[1.0, 1.0, 1.0], [2.0, 2.0, 0.0]])
@pytest.mark.parametrize("kind", KINDS)
def test_all_patients(real_data: Path, kind: str, spacing_mm: list[float]) -> None:
    folders = [
        folder
        for folder in sorted((real_data / "sts/nifti").iterdir())
        if (folder / f"{kind}_image.nii.gz").is_file()
    ]
    assert len(folders) > 10
    for folder in folders:
        _compare(folder, kind, spacing_mm)
