"""Size and uptake of real tumours against PyRadiomics' own features of them."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline.domain.scan import Modality, Region, Scan
from pipeline.ingest.mask import read_region
from pipeline.ingest.volume import read_scan
from pipeline.response.measured import Missing
from pipeline.response.size import compute_longest_axial_diameter_mm, compute_volume_ml
from pipeline.response.uptake import measure_uptake
from pipeline.response.viable_cluster import compute_maximum_3d_diameter_mm
from pipeline.response.viable_diameter import measure_viable_diameters

KINDS = {"CT": Modality.CT, "MR_T1": Modality.MR, "PET": Modality.PT}

pytestmark = pytest.mark.real_data


def read(real_data: Path, patient_id: str, kind: str) -> tuple[Scan, Region]:
    folder = real_data / "sts/nifti" / patient_id
    scan = read_scan(folder / f"{kind}_image.nii.gz", KINDS[kind])
    return scan, read_region(folder / f"{kind}_mask.nii.gz", 1, "tumour")


def references(real_data: Path, kind: str) -> pd.DataFrame:
    table = pd.read_csv(real_data / "sts/reference_features.csv")
    return table[table["modality"] == kind].set_index("patient_id")


@pytest.mark.parametrize("kind", KINDS)
def test_sizes(real_data: Path, kind: str) -> None:
    for patient_id, expected in references(real_data, kind).head(8).iterrows():
        _, tumour = read(real_data, str(patient_id), kind)
        volume_mm3 = compute_volume_ml(tumour) * 1000
        assert volume_mm3 == pytest.approx(expected["original_shape_VoxelVolume"], rel=1e-6)
        longest_mm = compute_longest_axial_diameter_mm(tumour)
        slice_mm = expected["original_shape_Maximum2DDiameterSlice"]
        assert longest_mm == pytest.approx(slice_mm, rel=1e-6)
        in_space_mm = expected["original_shape_Maximum3DDiameter"]
        assert compute_maximum_3d_diameter_mm(tumour) == pytest.approx(in_space_mm, rel=1e-6)
        viable = measure_viable_diameters(tumour)
        assert not isinstance(viable, Missing)
        assert 0.5 * longest_mm < viable.mrecist_mm <= longest_mm * (1 + 1e-9)


def test_uptake(real_data: Path) -> None:
    for patient_id, expected in references(real_data, "PET").iterrows():
        measures = measure_uptake(*read(real_data, str(patient_id), "PET"), None)
        maximum = expected["original_firstorder_Maximum"]
        mean = expected["original_firstorder_Mean"]
        assert measures["suv_max"] == pytest.approx(maximum, rel=1e-6)
        assert measures["suv_mean"] == pytest.approx(mean, rel=1e-6)
        peak, volume_ml = measures["suv_peak"], measures["mtv_ml"]
        assert isinstance(peak, float)
        assert isinstance(volume_ml, float)
        assert mean < peak < maximum
        assert 0 < volume_ml < expected["original_shape_VoxelVolume"] / 1000
