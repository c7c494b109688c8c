"""Writes a small tree laid out as WAW-TACE is published, for tests."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import SimpleITK as sitk

Voxels = npt.NDArray[Any]
SHAPE = (6, 12, 14)
SPACING_MM = (4.0, 4.0, 5.0)


def write_image(path: Path, voxels: Voxels, origin_mm: tuple[float, ...] = (0, 0, 0)) -> None:
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(SPACING_MM)
    image.SetOrigin(origin_mm)
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(path))


def lesion(*corner: int) -> Voxels:
    mask = np.zeros(SHAPE, np.uint8)
    z, y, x = corner
    mask[z : z + 2, y : y + 3, x : x + 3] = 1
    return mask


def scan(phase: int) -> Voxels:
    seed = np.random.default_rng(phase)
    return seed.integers(0, 200, SHAPE, dtype=np.int16)


def write_waw_tace(root: Path) -> None:
    """Patient 7: four phases, two lesions in the arterial; 12: one phase; 99 is in no table."""
    for phase in range(4):
        write_image(root / "ct_scans_1" / "7" / f"7_{phase}_scan.nii.gz", scan(phase))
    masks = root / "tumor_masks_wawtace_v1_08_05_2024"
    write_image(masks / "7" / "7_1_0_tumor_seg.nrrd", lesion(1, 2, 2))
    write_image(masks / "7" / "7_1_1_tumor_seg.nrrd", lesion(3, 6, 8))
    write_image(root / "ct_scans_2" / "12" / "12_2_scan.nii.gz", scan(9))
    write_image(masks / "12" / "12_2_0_tumor_seg.nrrd", lesion(2, 4, 4))
    write_image(root / "organ_masks" / "7_1_scan.nii.gz", lesion(1, 1, 1))
    pd.DataFrame(
        {
            "PATPRI": [7, 12],
            "age": [66, 71],
            "gender_woman": [1, 0],
            "lab_afp": [50.5, 12],
            "lab_albumin": [3.8, 4.1],
            "initial_LR_TR": [0, 2],
            "lesions_number": [2, 1],
            "lesion1_diameter": [31, 28],
            "lab_inr": [1.1, 1.0],
            "lab_creatinine": [0.9, 0.8],
        }
    ).to_excel(root / "clinical_data_wawtace_v2_15_07_2024.xlsx", index=False)
