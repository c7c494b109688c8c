"""Scans, regions and rows of a cohort."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.domain.cohort import Cohort, ScanRow
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan, Timepoint

GRID = Geometry((4, 3, 2), (0.5, 1.0, 3.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))


def test_volume_of_a_region() -> None:
    inside = np.zeros((2, 3, 4), bool)
    inside[0, 1, 1:3] = True
    region = Region(inside, GRID, "tumour")
    assert region.voxel_count == 2
    assert region.volume_mm3 == 3.0


def test_arrays_must_fit_their_grid() -> None:
    with pytest.raises(ValueError, match=r"voxels must have shape \(2, 3, 4\) \(z, y, x\)"):
        Scan(np.zeros((4, 3, 2)), GRID, Modality.CT)
    with pytest.raises(ValueError, match="inside must have shape"):
        Region(np.zeros((4, 3, 2), bool), GRID, "tumour")


def test_a_region_is_boolean() -> None:
    with pytest.raises(ValueError, match="boolean, got uint8"):
        Region(np.zeros((2, 3, 4), np.uint8), GRID, "tumour")


def test_a_row_names_its_case_and_paths_start_at_the_root() -> None:
    row = ScanRow(
        patient_id="P1",
        timepoint=Timepoint.PREOP,
        modality=Modality.CT,
        phase="portal",
        image="a/i.nii",
        mask="m.nii",
    )
    assert row.case_id == "P1/preop/CT/portal/1"
    cohort = Cohort(Path("root"), (row,), pd.DataFrame(), pd.DataFrame())
    assert cohort.path(row.image) == Path("root/a/i.nii")
