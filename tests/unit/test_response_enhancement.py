"""Viable tumour is what enhances more than reference liver."""

from dataclasses import replace
from math import isnan
from pathlib import Path

import numpy as np
import pytest

from pipeline.config.loading import load_settings
from pipeline.config.measure import MeasureConfig
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.response.enhancement import find_viable_tumour, reference_liver
from pipeline.response.lesion import measure_lipiodol, measure_phase, measure_viable

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


def measured(native: Scan, arterial: Scan) -> dict[str, float]:
    return measure_viable(native, arterial, TUMOUR, LIVER, CONFIG)


def test_the_enhancing_third_is_found_with_its_size() -> None:
    measures = measured(*phases())
    assert measures["viable_fraction"] == pytest.approx(0.3, abs=0.01)
    # 4 slices of 10 x 3 voxels of 2 x 2 x 5 mm
    assert measures["viable_volume_ml"] == pytest.approx(4 * 30 * 20 / 1000, rel=0.03)
    assert measures["viable_area_mm2"] == pytest.approx(30 * 4, rel=0.05)
    assert measures["viable_diameter_mm"] == pytest.approx(20, abs=2)


def test_dense_lipiodol_is_not_taken_for_living_tumour() -> None:
    native, arterial = phases(lipiodol=True)
    assert measured(native, arterial)["viable_fraction"] == pytest.approx(0.3, abs=0.01)
    assert measure_lipiodol(native, TUMOUR, CONFIG) == {"lipiodol_fraction": pytest.approx(0.5)}


def test_a_dead_tumour_has_no_viable_part() -> None:
    measures = measured(*phases(viable_gain_hu=0))
    assert measures["viable_fraction"] == 0
    assert measures["viable_diameter_mm"] == 0


def test_the_threshold_is_mean_plus_k_standard_deviations_of_liver() -> None:
    native, arterial = phases()
    subtraction = arterial.voxels.astype(float) - native.voxels
    reference = reference_liver(LIVER, TUMOUR, CONFIG.liver_margin_mm)
    assert reference is not None
    config = CONFIG.model_copy(update={"enhancing_minimum_hu": 0, "minimum_viable_mm3": 0})
    liver = subtraction[reference.inside]
    expected = TUMOUR.inside & (subtraction > liver.mean() + 2 * liver.std(ddof=1))
    viable = find_viable_tumour(native, arterial, TUMOUR, reference, config)
    assert np.array_equal(viable.inside, expected)


def test_reference_liver_keeps_its_distance() -> None:
    reference = reference_liver(LIVER, TUMOUR, 10)
    assert reference is not None
    # The tumour's columns are 10..19 of 2 mm: 4 and 25 are more than 10 mm away, 5 and 24 are not.
    assert reference.inside[5, 15, [4, 25]].all()
    assert not reference.inside[5, 15, [5, 24]].any()


def test_without_reference_liver_nothing_is_claimed() -> None:
    assert reference_liver(TUMOUR, TUMOUR, 10) is None
    native, arterial = phases()
    measures = measure_viable(native, arterial, TUMOUR, TUMOUR, CONFIG)
    assert all(isnan(value) for value in measures.values())


def test_phase_measures_carry_modality_and_phase() -> None:
    _, arterial = phases()
    measures = measure_phase(arterial, {"tumour": TUMOUR, "liver": LIVER}, "arterial", CONFIG)
    mean = arterial.voxels[BOX].mean()
    assert measures["ct_mean_arterial"] == pytest.approx(mean)
    assert measures["ct_tumour_liver_ratio_arterial"] == pytest.approx(mean / 60, rel=0.01)
    magnetic = replace(arterial, modality=Modality.MR)
    assert "mr_mean_portal" in measure_phase(magnetic, {"tumour": TUMOUR}, "portal", CONFIG)
    assert measure_lipiodol(magnetic, TUMOUR, CONFIG) == {}
