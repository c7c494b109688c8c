"""First order, GLDM, NGTDM and GLSZM of the digital phantom equal the standard's values.

Reference values: Zwanenburg et al. 2020, doi:10.1148/radiol.2020191145, printed with 3 digits.
"""

import csv
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from texture_reference import region

from pipeline.features.fast.discretisation import discretise
from pipeline.features.fast.firstorder import compute_firstorder
from pipeline.features.fast.gldm import compute_gldm
from pipeline.features.fast.glszm import compute_glszm
from pipeline.features.fast.neighbourhood import count_neighbourhoods
from pipeline.features.fast.ngtdm import compute_ngtdm
from pipeline.features.fast.texture_settings import TextureSettings

pytestmark = pytest.mark.real_data

Features = dict[tuple[str, str], float]


@pytest.mark.parametrize(("force_2d", "suffix"), [(False, "_3D"), (True, "_2_5D")])
def test_texture_equals_the_standard(real_data: Path, force_2d: bool, suffix: str) -> None:
    found = _compute(real_data / "ibsi", force_2d)
    tags = {key: tag + suffix for key, tag in _tags(real_data / "ibsi").items() if key in found}
    texture = {key: tag for key, tag in tags.items() if key[0] != "firstorder"}

    assert len(texture) == 35
    _assert_standard(real_data / "ibsi", found, texture)


def test_first_order_equals_the_standard(real_data: Path) -> None:
    found = _compute(real_data / "ibsi", force_2d=False)
    found["firstorder", "Kurtosis"] -= 3  # the standard's is the excess
    tags = {key: tag for key, tag in _tags(real_data / "ibsi").items() if key[0] == "firstorder"}

    _assert_standard(real_data / "ibsi", found, {key: tag for key, tag in tags.items() if tag})


def _compute(folder: Path, force_2d: bool) -> Features:
    image, mask = (
        sitk.GetArrayFromImage(sitk.ReadImage(next((phantom / kind).glob("*.nii*"))))
        for phantom in [folder / "ibsi1_digital_phantom" / "nifti"]
        for kind in ("image", "mask")
    )
    settings = TextureSettings(bin_width=1.0, force_2d=force_2d)
    cut = region(image.astype(np.float64), mask > 0, (2.0, 2.0, 2.0))
    levels = discretise(cut, settings)
    around = count_neighbourhoods(levels, settings)
    classes = {
        "firstorder": compute_firstorder(cut, levels, settings),
        "gldm": compute_gldm(around),
        "ngtdm": compute_ngtdm(around),
        "glszm": compute_glszm(levels, settings),
    }
    return {(name, key): value for name, found in classes.items() for key, value in found.items()}


def _tags(folder: Path) -> dict[tuple[str, str], str]:
    rows = _rows(folder / "mapping" / "pyradiomics_ibsi_mapping.csv")
    return {
        (row["pyradiomics_class"], row["pyradiomics_feature"]): row["ibsi_base_tag"] for row in rows
    }


def _assert_standard(folder: Path, found: Features, tags: dict[tuple[str, str], str]) -> None:
    rows = _rows(folder / "ibsi1_reference" / "ibsi1_reference_values.csv")
    standard = {row["tag"]: row for row in rows if row["config"] == "digital_phantom"}
    for key, tag in tags.items():
        value, tolerance = (float(standard[tag][name]) for name in ("reference_value", "tolerance"))
        rounded = float(f"{found[key]:.3g}")
        assert rounded == value or abs(found[key] - value) <= tolerance, (key, found[key], value)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
