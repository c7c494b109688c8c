"""Viable tumour is what enhances more than reference liver."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.config.loading import load_settings
from pipeline.config.measure import MeasureConfig
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.response.enhancement import Reference, find_enhancing_tumour, reference_liver
from pipeline.response.lesion_images import LesionImages, PhaseImage
from pipeline.response.measured import Measured, Missing
from pipeline.response.viability import VIABLE_SIZES, find_viable, measure_viability

CONFIG = load_settings(MeasureConfig, Path(__file__).parents[2] / "configs" / "measure.yaml")
GRID = Geometry((40, 40, 12), (2.0, 2.0, 5.0), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1, 0, 0, 0, 1))
BOX = (slice(4, 8), slice(10, 20), slice(10, 20))
VIABLE_BOX = (slice(4, 8), slice(10, 20), slice(10, 13))


def box_region(box: tuple[slice, slice, slice], name: str) -> Region:
    inside = np.zeros(GRID.shape_zyx, dtype=bool)
    inside[box] = True
    return Region(inside, GRID, name)


TUMOUR = box_region(BOX, "tumour")
LIVER = box_region((slice(0, 12), slice(0, 40), slice(0, 40)), "liver")


def phases(viable_gain_hu: float = 60, lipiodol: bool = False) -> tuple[Scan, Scan]:
    """A liver that gains 10 HU, a tumour of which 30 % gains more and the rest nothing."""
    rng = np.random.default_rng(3)
    native = rng.normal(50, 3, GRID.shape_zyx)
    gain = np.full(GRID.shape_zyx, 10.0)
    gain[BOX] = 0
    gain[VIABLE_BOX] = viable_gain_hu
    if lipiodol:
        native[4:8, 15:20, 10:20] += 400  # dense on both phases
    arterial = native + gain + rng.normal(0, 3, GRID.shape_zyx)
    return tuple(Scan(image.astype(np.int16), GRID, Modality.CT) for image in (native, arterial))  # type: ignore[return-value] # a pair


def lesion(native: Scan, arterial: Scan, liver: Region = LIVER) -> LesionImages:
    reference = reference_liver(liver, TUMOUR, CONFIG.liver_margin_mm)
    scans = {"arterial": arterial, "native": native}
    images = {name: PhaseImage(scan, TUMOUR, reference) for name, scan in scans.items()}
    return LesionImages(Modality.CT, images)


def measured(native: Scan, arterial: Scan) -> dict[str, Measured]:
    return measure_viability(lesion(native, arterial), CONFIG)


def test_the_enhancing_third_is_found_with_its_size() -> None:
    measures = measured(*phases())
    assert measures["necrosis_fraction"] == pytest.approx(0.7, abs=0.01)
    # 4 slices of 10 x 3 voxels of 2 x 2 x 5 mm
    assert measures["enhancing_volume_ml"] == pytest.approx(4 * 30 * 20 / 1000, rel=0.03)
    assert measures["enhancing_area_mm2"] == pytest.approx(30 * 4, rel=0.05)
    assert measures["mrecist_diameter_mm"] == pytest.approx(20, abs=2)


@pytest.mark.parametrize(("interpolated", "rows"), [(False, 5), (True, 4)])
def test_oil_is_not_taken_for_living_tumour(interpolated: bool, rows: int) -> None:
    """Oil fills rows 5 to 9 of 10; row 4 is its edge, which counts where nothing was interpolated.

    Living tumour fills 3 of 10 columns.
    """
    images = replace(lesion(*phases(lipiodol=True)), interpolated=interpolated)
    measures = measure_viability(images, CONFIG)
    dead = 1 - 0.3 * rows / 10
    assert measures["necrosis_fraction"] == pytest.approx(dead, abs=0.01)
    assert measures["qeasl_k2_percent"] == pytest.approx(30 * rows / 10, abs=3)  # noise: 2.3 %
    assert measures["gain_necrosis_fraction"] == pytest.approx(dead, abs=0.01)


@pytest.mark.parametrize(("side", "viable_mm3"), [(5, 100), (4, 0)])
def test_islands_from_100_mm3_on_are_viable(side: int, viable_mm3: float) -> None:
    """A column of one slice: 5 voxels of 20 mm3 are kept, 4 are noise."""
    voxels = np.zeros(GRID.shape_zyx)
    voxels[5, 12 : 12 + side, 15] = 100
    gain = Scan(voxels, GRID, Modality.CT)
    viable = find_enhancing_tumour(gain, TUMOUR, Reference(5.0, 2.0), CONFIG)
    assert viable.volume_mm3 == pytest.approx(viable_mm3)


def test_a_dead_tumour_has_no_viable_part() -> None:
    measures = measured(*phases(viable_gain_hu=0))
    assert measures["necrosis_fraction"] == 1
    assert measures["mrecist_diameter_mm"] == 0


def test_necrosis_by_gain_is_the_share_that_gains_less_than_15_hu() -> None:
    """The dead seven tenths gain 0 with noise of 4.2 HU (two images of 3 HU): 0.02 % pass 15."""
    assert measured(*phases())["gain_necrosis_fraction"] == pytest.approx(0.7, abs=0.01)


def test_the_threshold_is_mean_plus_k_standard_deviations_of_liver() -> None:
    native, arterial = phases()
    subtraction = arterial.voxels.astype(float) - native.voxels
    reference = reference_liver(LIVER, TUMOUR, CONFIG.liver_margin_mm)
    assert reference is not None
    config = CONFIG.model_copy(update={"enhancing_minimum_hu": 0, "minimum_viable_mm3": 0})
    liver = subtraction[reference.inside]
    expected = TUMOUR.inside & (subtraction > liver.mean() + 2 * liver.std(ddof=1))
    viable = find_viable(lesion(native, arterial), config)
    assert isinstance(viable, Region)
    assert np.array_equal(viable.inside, expected)


def test_reference_liver_keeps_its_distance() -> None:
    reference = reference_liver(LIVER, TUMOUR, 10)
    assert reference is not None
    # The tumour's columns are 10..19 of 2 mm: 4 and 25 are more than 10 mm away, 5 and 24 are not.
    assert reference.inside[5, 15, [4, 25]].all()
    assert not reference.inside[5, 15, [5, 24]].any()


def test_reference_liver_is_what_the_distance_in_the_whole_image_says() -> None:
    """Near a corner, where the box around the tumour is cut off by the image."""
    corner = box_region((slice(0, 3), slice(0, 5), slice(34, 40)), "tumour")
    reference = reference_liver(LIVER, corner, 12)
    assert reference is not None
    zyx = np.indices(GRID.shape_zyx).reshape(3, -1).T * (5.0, 2.0, 2.0)
    inside = zyx[corner.inside.ravel()]
    nearest = np.array([np.linalg.norm(inside - one, axis=1).min() for one in zyx])
    assert np.array_equal(reference.inside.ravel(), nearest > 12)


def test_without_reference_liver_nothing_is_claimed() -> None:
    assert reference_liver(TUMOUR, TUMOUR, 10) is None
    measures = measure_viability(lesion(*phases(), liver=TUMOUR), CONFIG)
    assert {measures[name] for name in VIABLE_SIZES} == {Missing("no reference liver")}
