"""Curves of a lesion, and its dynamic series, from images with known levels."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from pipeline.config.loading import load_settings
from pipeline.config.measure import MeasureConfig
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.response.curves import Curve, read_curves
from pipeline.response.dynamic import DYNAMIC_MEASURES
from pipeline.response.lesion_images import LesionImages, PhaseImage
from pipeline.response.lesion_response import measure_response
from pipeline.response.measured import Missing
from pipeline.response.time_series import measure_time_series

CONFIG = load_settings(MeasureConfig, Path(__file__).parents[2] / "configs" / "measure.yaml")
GRID = Geometry((20, 20, 8), (1.5, 1.5, 3.0), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1, 0, 0, 0, 1))
TUMOUR_BOX = (slice(2, 6), slice(5, 15), slice(4, 12))
HALF_BOX = (slice(2, 4), slice(5, 15), slice(4, 12))
LIVER_BOX = (slice(0, 8), slice(0, 20), slice(14, 20))


def region(box: tuple[slice, slice, slice], name: str) -> Region:
    inside = np.zeros(GRID.shape_zyx, dtype=bool)
    inside[box] = True
    return Region(inside, GRID, name)


def image(half: float, rest: float, liver: tuple[float, float], modality: Modality) -> PhaseImage:
    """Two halves of a tumour; liver has two values in equal numbers."""
    voxels = np.full(GRID.shape_zyx, float(liver[0]))
    voxels[1::2] = liver[1]
    voxels[TUMOUR_BOX], voxels[HALF_BOX] = rest, half
    tumour, reference = region(TUMOUR_BOX, "tumour"), region(LIVER_BOX, "liver")
    return PhaseImage(Scan(voxels, GRID, modality), tumour, reference)


def curves_of(modality: Modality, phases: Mapping[str, PhaseImage]) -> dict[str, Curve]:
    return {curve.name: curve for curve in read_curves(LesionImages(modality, phases))}


def test_the_enhancing_share_falls_where_each_half_is_reached() -> None:
    """Liver gains 5 or 15: mean 10, sd 5.003. Halves gain 20 (k = 2.0) and 35 (k = 5.0)."""
    phases = {
        "arterial": image(120, 70, (65, 55), Modality.CT),
        "native": image(85, 50, (50, 50), Modality.CT),
    }
    curve = curves_of(Modality.CT, phases)["qeasl"]
    read = dict(zip(curve.at.tolist(), curve.value.tolist(), strict=True))
    assert [read[k] for k in (-2, 1.75, 2, 4.75, 5, 6)] == [100, 100, 50, 50, 0, 0]


def test_the_oily_share_falls_where_each_half_is_reached() -> None:
    phases = {"native": image(400, 160, (50, 50), Modality.CT)}
    curve = curves_of(Modality.CT, phases)["lipiodol"]
    read = dict(zip(curve.at.tolist(), curve.value.tolist(), strict=True))
    assert [read[hu] for hu in (50, 150, 175, 400, 425, 800)] == [100, 100, 50, 50, 0, 0]


SERIES = {"dce_0s": 100, "dce_100s": 200, "dce_20s": 300, "dce_60s": 250}
"""Out of order by name: 0, 20, 60, 100 s."""


def series(phases: Mapping[str, float] = SERIES) -> dict[str, PhaseImage]:
    return {name: image(hu, hu, (50, 50), Modality.MR) for name, hu in phases.items()}


def test_a_dynamic_series_by_hand() -> None:
    measures = measure_response(LesionImages(Modality.MR, series()), CONFIG)
    expected = {
        "dce_peak_gain": 200,
        "dce_peak_gain_relative": 2,
        "dce_time_to_peak_s": 20,
        "dce_wash_in_per_s": 10,
        "dce_steepest_wash_in_per_s": 10,
        "dce_auc60": 20 * 200 / 2 + 40 * (200 + 150) / 2,
        "dce_wash_out_per_s": 100 / 80,
    }
    assert {name: measures[name] for name in expected} == pytest.approx(expected)
    assert set(expected) == {name for name in measures if name.startswith("dce_")}
    assert not any("mean_dce" in name or "ratio_dce" in name for name in measures)
    curve = curves_of(Modality.MR, series())["dce"]
    assert curve.at.tolist() == [0, 20, 60, 100]
    assert curve.value.tolist() == [100, 300, 250, 200]


def test_two_images_are_no_series() -> None:
    images = LesionImages(Modality.MR, series({"dce_0s": 100, "dce_35s": 300}))
    reason = Missing("the dynamic series has 2 images, fewer than 3")
    found = measure_time_series(images, 0)
    assert found == {f"dce_{name}": reason for name in DYNAMIC_MEASURES}
    assert read_curves(images) == []


def test_without_a_series_its_measures_are_not_named() -> None:
    assert measure_time_series(LesionImages(Modality.MR, series({"t1": 1.0})), 0) == {}


def test_an_image_that_misses_part_of_the_tumour_spoils_the_series() -> None:
    phases = series()
    phases["dce_60s"].scan.voxels[2] = np.nan
    found = measure_time_series(LesionImages(Modality.MR, phases), 0)
    reason = Missing("dce_60s: the image does not cover 80 of 320 tumour voxels")
    assert found["dce_auc60"] == reason
