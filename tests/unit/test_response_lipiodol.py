"""Lipiodol by share, band, evenness and defect, on a tumour filled by hand."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.response.lipiodol import (
    LipiodolSettings,
    compute_lipiodol_curve,
    draw_lipiodol,
    find_lipiodol,
    measure_lipiodol_deposition,
)
from pipeline.response.measured import Missing

GRID = Geometry((12, 12, 12), (1.0, 1.0, 2.0), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1, 0, 0, 0, 1))


def tumour() -> Region:
    inside = np.zeros(GRID.shape_zyx, dtype=bool)
    inside[1:11, 1:11, 1:11] = True  # 1000 voxels of 2 mm3
    return Region(inside, GRID, "tumour")


def native(*slabs: tuple[slice, float]) -> Scan:
    """50 HU with dense slabs across y; bone outside the tumour must not count."""
    voxels = np.full(GRID.shape_zyx, 900.0)
    voxels[1:11, 1:11, 1:11] = 50
    for rows, hu in slabs:
        voxels[1:11, rows, 1:11] = hu
    return Scan(voxels.astype(np.int16), GRID, Modality.CT)


def test_shares_bands_and_defects() -> None:
    image = native((slice(1, 2), 100), (slice(2, 4), 200), (slice(4, 7), 300), (slice(9, 10), 400))
    measures = measure_lipiodol_deposition(image, tumour())
    oily = np.repeat([200, 300, 400], [200, 300, 100])
    assert measures == pytest.approx(
        {
            "lipiodol_percent": 60,
            "lipiodol_percent_75_150_hu": 10,
            "lipiodol_percent_150_300_hu": 20,
            "lipiodol_percent_300_up_hu": 40,
            "lipiodol_percent_365_hu": 10,
            "lipiodol_variation": oily.std(ddof=1) / oily.mean(),
            # Rows 7 and 8 lie together, rows 1 and 10 alone: 200 voxels of 2 mm3.
            "lipiodol_largest_defect_ml": 0.4,
            "lipiodol_complete": 0,
        }
    )


@pytest.mark.parametrize(("rows", "complete"), [(8, 0), (9, 1), (10, 1)])
def test_complete_is_nine_tenths_or_more(rows: int, complete: float) -> None:
    measures = measure_lipiodol_deposition(native((slice(1, 1 + rows), 400)), tumour())
    assert measures["lipiodol_percent"] == pytest.approx(10 * rows)
    assert measures["lipiodol_complete"] == complete
    assert measures["lipiodol_variation"] == 0
    assert measures["lipiodol_largest_defect_ml"] == pytest.approx(0.2 * (10 - rows))


def test_a_tumour_without_oil_has_none_but_no_evenness() -> None:
    measures = measure_lipiodol_deposition(native(), tumour())
    assert measures["lipiodol_percent"] == 0
    assert measures["lipiodol_variation"] == Missing("fewer than two voxels hold lipiodol")


def test_the_limit_is_a_setting() -> None:
    image = native((slice(1, 4), 120))
    settings = LipiodolSettings(threshold_hu=100, bands_hu=((100, 130),))
    measures = measure_lipiodol_deposition(image, tumour(), settings)
    assert measures["lipiodol_percent"] == pytest.approx(30)
    assert measures["lipiodol_percent_100_130_hu"] == pytest.approx(30)


def test_the_curve_falls_at_the_densities_that_are_there() -> None:
    image = native((slice(1, 4), 200), (slice(4, 5), 500))
    curve = compute_lipiodol_curve(image, tumour(), (49, 50, 199, 200, 499, 500))
    assert curve == pytest.approx([100, 100, 40, 40, 10, 10])


def test_a_voxel_of_exactly_the_limit_holds_oil_by_every_measure() -> None:
    image = native((slice(1, 4), 150))
    measures = measure_lipiodol_deposition(image, tumour())
    assert measures["lipiodol_percent"] == pytest.approx(30)
    assert measures["lipiodol_percent_150_300_hu"] == pytest.approx(30)
    assert compute_lipiodol_curve(image, tumour(), (150,)) == pytest.approx([30])
    drawn = draw_lipiodol(image, tumour(), 150)
    assert isinstance(drawn, Region)
    assert drawn.voxel_count == 300
    assert find_lipiodol(image, tumour(), 150, 29) is not None


@pytest.mark.parametrize(
    ("scan", "reason"),
    [
        (None, "no native phase"),
        (replace(native(), modality=Modality.MR), "lipiodol is measured on CT, the image is MR"),
    ],
)
def test_what_is_not_unenhanced_ct_gives_reasons(scan: Scan | None, reason: str) -> None:
    measures = measure_lipiodol_deposition(scan, tumour())
    assert set(measures) == set(measure_lipiodol_deposition(native(), tumour()))
    assert set(measures.values()) == {Missing(reason)}
    assert compute_lipiodol_curve(scan, tumour()) == Missing(reason)
    assert find_lipiodol(scan, tumour(), 150, 1) is None


def test_the_guard_of_attenuation() -> None:
    oily = native((slice(1, 3), 400))
    found = find_lipiodol(oily, tumour(), from_hu=150, at_most_percent=10)
    assert found == Missing("lipiodol: 20 % of the tumour is above 150 HU unenhanced")
    assert find_lipiodol(oily, tumour(), from_hu=150, at_most_percent=20) is None
