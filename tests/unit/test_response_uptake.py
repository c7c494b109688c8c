"""Uptake on PET against hand sums, the IBSI digital phantom and real scans."""

from dataclasses import replace
from math import pi

import numpy as np
import pytest

from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.response.enhancement import Reference
from pipeline.response.measured import Missing
from pipeline.response.uptake import (
    UPTAKE_MEASURES,
    MetabolicThreshold,
    compute_suv_peak,
    measure_uptake,
    percist_threshold,
)

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
GRID = Geometry((12, 10, 8), (4.0, 4.0, 5.0), (0.0, 0.0, 0.0), AXIAL)
VOXEL_ML = 0.08


def region(box: tuple[slice, slice, slice], name: str) -> Region:
    inside = np.zeros(GRID.shape_zyx, dtype=bool)
    inside[box] = True
    return Region(inside, GRID, name)


TUMOUR = region((slice(2, 6), slice(2, 7), slice(2, 7)), "tumour")
LIVER = region((slice(0, 8), slice(0, 10), slice(9, 12)), "liver")


def pet(hot: float = 10, warm: float = 5, cold: float = 2) -> Scan:
    """A tumour of 100 voxels: one hottest, 49 warm, 50 cold; liver and the rest at SUV 2.5."""
    voxels = np.full(GRID.shape_zyx, 2.5)
    inside = np.full(100, cold)
    inside[:50] = warm
    inside[37] = hot
    voxels[TUMOUR.inside] = inside
    return Scan(voxels, GRID, Modality.PT)


def test_hand_sums() -> None:
    measures = measure_uptake(pet(), TUMOUR, LIVER)
    assert {name: measures[name] for name in UPTAKE_MEASURES if name != "suv_peak"} == (
        pytest.approx(
            {
                "suv_max": 10,
                "suv_mean": (10 + 49 * 5 + 50 * 2) / 100,
                "mtv_ml": 50 * VOXEL_ML,  # 4.1 and more
                "tlg_ml": (10 + 49 * 5) * VOXEL_ML,
                "suv_max_liver_ratio": 4,
            }
        )
    )


@pytest.mark.parametrize(
    ("threshold", "voxels"),
    [
        (MetabolicThreshold(share_of_maximum=0.5), 50),  # 5 is at the limit
        (MetabolicThreshold(share_of_maximum=0.51), 1),
        (MetabolicThreshold(share_of_maximum=None, suv=2), 100),
        (MetabolicThreshold(share_of_maximum=None, suv=percist_threshold(Reference(3, 0.4))), 1),
        (MetabolicThreshold(share_of_maximum=0.1, suv=4), 50),
        (MetabolicThreshold(share_of_maximum=None, suv=11), 0),
    ],
)
def test_metabolic_volume_by_threshold(threshold: MetabolicThreshold, voxels: int) -> None:
    measures = measure_uptake(pet(), TUMOUR, LIVER, threshold)
    assert measures["mtv_ml"] == pytest.approx(voxels * VOXEL_ML)


def test_what_is_absent_has_a_reason() -> None:
    assert measure_uptake(None, TUMOUR, LIVER) == dict.fromkeys(UPTAKE_MEASURES, Missing("no PET"))
    computed = measure_uptake(replace(pet(), modality=Modality.CT), TUMOUR, LIVER)
    assert set(computed.values()) == {Missing("uptake is measured on PET, the image is CT")}
    without_liver = measure_uptake(pet(), TUMOUR, None)
    assert without_liver["suv_max_liver_ratio"] == Missing("no reference liver")
    assert without_liver["suv_max"] == 10


IBSI_VOXELS = """
1 4 4 1 1  1 4 6 1 1  4 1 6 4 1  4 4 6 4 1
1 4 4 1 1  1 1 6 1 1  1 1 3 1 1  4 4 6 1 1
1 4 4 1 1  1 1 1 1 1  1 1 9 1 1  1 1 6 1 1
1 4 4 1 1  1 1 1 1 1  1 1 1 1 1  1 1 6 1 1
"""
IBSI_INSIDE = """
1 1 1 1 1  1 1 1 1 1  1 1 1 1 1  1 1 1 1 1
1 1 1 1 1  1 1 1 1 1  0 1 1 1 1  1 1 1 1 1
1 1 1 0 0  1 1 1 1 1  1 1 0 1 1  1 1 1 1 1
1 1 1 0 0  1 1 1 1 1  1 1 1 1 1  1 1 1 1 1
"""


def test_peak_is_the_global_intensity_peak_of_ibsi() -> None:
    """IBSI 0F91 on the digital phantom: 3.1 (arXiv:1612.07003)."""
    geometry = Geometry((5, 4, 4), (2.0, 2.0, 2.0), (0.0, 0.0, 0.0), AXIAL)
    voxels, inside = (
        np.array(text.split(), dtype=float).reshape(4, 4, 5) for text in (IBSI_VOXELS, IBSI_INSIDE)
    )
    scan = Scan(voxels, geometry, Modality.PT)
    peak = compute_suv_peak(scan, Region(inside.astype(bool), geometry, "tumour"))
    assert peak == pytest.approx(3.1, abs=0.05)


def test_peak_of_one_hot_voxel_is_its_share_of_a_millilitre() -> None:
    """Noise of one voxel hardly moves the peak: 9 SUV in one of n voxels within 6.2 mm."""
    geometry = Geometry((15, 15, 15), (3.0, 3.0, 3.0), (0.0, 0.0, 0.0), AXIAL)
    voxels = np.ones(geometry.shape_zyx)
    voxels[7, 7, 7] = 10
    inside = voxels == 10
    # Squares of offsets up to (6.2 / 3)^2 = 4.28: 1 + 6 + 12 + 8 + 6 voxels.
    peak = compute_suv_peak(Scan(voxels, geometry, Modality.PT), Region(inside, geometry, "tumour"))
    assert peak == pytest.approx(1 + 9 / 33)


def test_peak_of_a_linear_ramp_is_the_ramp_at_the_best_centre() -> None:
    """A symmetric sphere averages a ramp to its middle; on small voxels too."""
    geometry = Geometry((60, 40, 40), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), AXIAL)
    voxels = np.broadcast_to(np.arange(60.0), geometry.shape_zyx).copy()
    inside = np.zeros(geometry.shape_zyx, dtype=bool)
    inside[15:25, 15:25, 20:40] = True
    scan = Scan(voxels, geometry, Modality.PT)
    assert compute_suv_peak(scan, Region(inside, geometry, "tumour")) == pytest.approx(39)


def test_glycolysis_of_a_sphere() -> None:
    """SUV 8 in a ball of 20 mm: TLG is 8 times its volume, within the bound of its voxels."""
    spacing_mm, radius_mm = 2.0, 20.0
    geometry = Geometry((30, 30, 30), (spacing_mm,) * 3, (0.0, 0.0, 0.0), AXIAL)
    steps = (np.arange(30) - 14.7) * spacing_mm
    square = steps[:, None, None] ** 2 + steps[None, :, None] ** 2 + steps[None, None, :] ** 2
    voxels = np.where(square <= radius_mm**2, 8.0, 1.0)
    tumour = Region(square <= 27**2, geometry, "tumour")
    measures = measure_uptake(Scan(voxels, geometry, Modality.PT), tumour, None)
    half_diagonal_mm = spacing_mm * 3**0.5 / 2
    least, most = (
        8 * 4 / 3 * pi * (radius_mm + side * half_diagonal_mm) ** 3 / 1000 for side in (-1, 1)
    )
    glycolysis = measures["tlg_ml"]
    assert isinstance(glycolysis, float)
    assert least <= glycolysis <= most
    assert glycolysis == pytest.approx(8 * 4 / 3 * pi * 8, rel=0.01)
    assert measures["suv_peak"] == pytest.approx(8)
