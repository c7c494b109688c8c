"""Ratios between phases and tissues: two compartments with known enhancement, and hand sums."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.domain.errors import GeometryError
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.response.enhancement import Reference
from pipeline.response.measured import (
    Measured,
    Missing,
    describe_missing,
    divide,
    to_numbers,
    to_reasons,
)
from pipeline.response.phase_ratios import PhaseMeans, measure_phase_ratios
from pipeline.response.qeasl import (
    measure_arterial_necrosis_fraction,
    measure_gain_necrosis_fraction,
    measure_qeasl,
    subtract_native,
)
from pipeline.response.subtraction import STATISTICS, measure_subtraction
from pipeline.response.values import measure_mean

GRID = Geometry((20, 20, 8), (1.5, 1.5, 3.0), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1, 0, 0, 0, 1))
TUMOUR_BOX = (slice(2, 6), slice(5, 15), slice(4, 12))


def region(box: tuple[slice, slice, slice], name: str) -> Region:
    inside = np.zeros(GRID.shape_zyx, dtype=bool)
    inside[box] = True
    return Region(inside, GRID, name)


TUMOUR = region(TUMOUR_BOX, "tumour")
LIVER = region((slice(0, 8), slice(0, 20), slice(14, 20)), "liver")
LEVELS = {
    # Tumour and liver in HU: the tumour gains 60 early, and washes out below liver.
    "native": (40, 50),
    "arterial": (100, 65),
    "portal": (80, 110),
    "delayed": (70, 95),
}


def scan_of(tumour: float, liver: float, noise_sd: float = 0, seed: int = 0) -> Scan:
    voxels = np.full(GRID.shape_zyx, float(liver))
    voxels[TUMOUR_BOX] = tumour
    voxels += np.random.default_rng(seed).normal(0, noise_sd, voxels.shape)
    return Scan(voxels, GRID, Modality.CT)


def means(noise_sd: float = 0) -> tuple[PhaseMeans, PhaseMeans]:
    scans = {
        phase: scan_of(*levels, noise_sd, seed)
        for seed, (phase, levels) in enumerate(LEVELS.items())
    }
    tumour, liver = (
        PhaseMeans(part.name, {phase: measure_mean(scan, part) for phase, scan in scans.items()})
        for part in (TUMOUR, LIVER)
    )
    return tumour, liver


EXPECTED = {
    "aphe_ratio": 60 / 15,
    "enhancement_arterial": 60,
    "enhancement_portal": 40,
    "arterial_enhancement_fraction_percent": 150,
    "washout_percent": 20,
    "washout_percent_delayed": 30,
    "mean_native": 40,
    "mean_arterial": 100,
    "tumour_liver_ratio_native": 40 / 50,
    "tumour_liver_ratio_arterial": 100 / 65,
    "tumour_liver_ratio_portal": 80 / 110,
    "tumour_liver_ratio_delayed": 70 / 95,
}


def test_two_compartments() -> None:
    measures = measure_phase_ratios(*means(), Modality.CT)
    assert {name: measures[name] for name in EXPECTED} == pytest.approx(EXPECTED, rel=1e-12)
    assert to_reasons(measures) == {}


def test_mr_also_asks_for_hepatobiliary_and_t2_images() -> None:
    measures = measure_phase_ratios(*means(), Modality.MR)
    assert to_reasons(measures) == {
        "tumour_liver_ratio_hbp": "no tumour on an hbp phase",
        "tumour_liver_ratio_t2": "no tumour on a t2 phase",
    }
    assert np.isnan(to_numbers(measures)["tumour_liver_ratio_hbp"])


def test_an_absent_arterial_phase_is_named_in_correct_english() -> None:
    assert PhaseMeans("tumour", {}).on("arterial") == Missing("no tumour on an arterial phase")


def test_two_compartments_under_noise() -> None:
    """A mean of 320 voxels with noise of 10 HU has a standard error of 0.6 HU; three of them."""
    measures = measure_phase_ratios(*means(noise_sd=10), Modality.CT)
    error_hu = 3 * 10 * (2 / TUMOUR.voxel_count) ** 0.5
    assert measures["enhancement_arterial"] == pytest.approx(60, abs=error_hu)
    assert measures["washout_percent"] == pytest.approx(20, abs=100 * error_hu / 100)
    liver_error_hu = 3 * 10 * (2 / LIVER.voxel_count) ** 0.5
    assert measures["aphe_ratio"] == pytest.approx(
        4, rel=error_hu / 60 + liver_error_hu / (15 - liver_error_hu)
    )


def test_enhancement_on_mr_is_relative() -> None:
    measures = measure_phase_ratios(*means(), Modality.MR)
    assert measures["enhancement_arterial"] == pytest.approx(60 / 40)


def test_without_a_native_phase_gains_are_missing_and_levels_are_not() -> None:
    tumour, liver = means()
    for part in (tumour, liver):
        part.means.pop("native")  # type: ignore[attr-defined] # a dict, typed read-only
    measures = measure_phase_ratios(tumour, liver, Modality.CT)
    reasons = to_reasons(measures)
    for name in ("aphe_ratio", "enhancement_arterial", "arterial_enhancement_fraction_percent"):
        assert reasons[name] == "no tumour on a native phase"
    assert measures["washout_percent"] == pytest.approx(20)


@pytest.mark.parametrize("arterial_liver_hu", [54.9, 50, 45])
def test_a_liver_that_hardly_gains_is_no_denominator(arterial_liver_hu: float) -> None:
    tumour, liver = means()
    early = PhaseMeans("liver", dict(liver.means) | {"arterial": arterial_liver_hu})
    ratio = measure_phase_ratios(tumour, early, Modality.CT)["aphe_ratio"]
    assert isinstance(ratio, Missing)
    assert ratio.reason.endswith("not above 5")  # HU
    relative = replace(early, means=dict(early.means) | {"arterial": arterial_liver_hu - 9})
    ratio = measure_phase_ratios(tumour, relative, Modality.MR)["aphe_ratio"]
    assert isinstance(ratio, Missing)
    assert ratio.reason.endswith("not above 1")  # 2 % of 50


def test_lipiodol_withholds_levels_but_not_gains() -> None:
    dense = Missing("lipiodol: 40 % of the tumour is above 150 HU unenhanced")
    measures = measure_phase_ratios(*means(), Modality.CT, dense)
    assert measures["washout_percent"] == dense
    assert measures["tumour_liver_ratio_arterial"] == dense
    assert measures["mean_portal"] == dense
    assert measures["mean_native"] == 40
    assert measures["aphe_ratio"] == pytest.approx(4)


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [
        (6.0, 3.0, 2.0),
        (6.0, 0.0, Missing("liver is 0, not above 0")),
        (6.0, -2.0, Missing("liver is -2, not above 0")),
        (6.0, float("nan"), Missing("liver is nan, not above 0")),
        (Missing("a"), Missing("b"), Missing("a")),
        (6.0, Missing("b"), Missing("b")),
    ],
)
def test_division(numerator: Measured, denominator: Measured, expected: Measured) -> None:
    assert divide(numerator, denominator, "liver") == expected


def test_missing_measures_are_told_by_reason() -> None:
    measures: dict[str, Measured] = {
        "a": Missing("no native phase"),
        "b": 1.0,
        "c": Missing("no liver"),
        "d": Missing("no native phase"),
    }
    assert describe_missing(measures) == "no native phase: a, d; no liver: c"
    assert describe_missing({"b": 1.0}) == ""


def test_subtraction_statistics_by_hand() -> None:
    native, arterial = scan_of(40, 50), scan_of(40, 50)
    gains = np.repeat([0.0, 10.0, 30.0, 60.0], TUMOUR.voxel_count // 4)
    arterial.voxels[TUMOUR.inside] += gains
    measures = measure_subtraction(subtract_native(arterial, native), TUMOUR, bin_width=25)
    n = TUMOUR.voxel_count
    assert measures["gain_mean"] == pytest.approx(25)
    # Deviations -25, -15, 5, 35: squares 625, 225, 25, 1225.
    assert measures["gain_sd"] == pytest.approx((2100 / 4 * n / (n - 1)) ** 0.5)
    assert measures["gain_p95"] == pytest.approx(60)
    # Bins of 25 HU hold a half, a quarter and a quarter.
    assert measures["gain_entropy_bits"] == pytest.approx(1.5)


def test_equal_gains_have_no_entropy() -> None:
    measures = measure_subtraction(scan_of(60, 0), TUMOUR, bin_width=25)
    assert measures["gain_entropy_bits"] == 0
    assert measures["gain_sd"] == 0


def test_a_tumour_out_of_the_native_image_is_missing_not_small() -> None:
    native = scan_of(40, 50)
    native.voxels[2] = np.nan
    subtraction = subtract_native(scan_of(100, 65), native)
    reason = f"the image does not cover {10 * 8} of {TUMOUR.voxel_count} tumour voxels"
    statistics = measure_subtraction(subtraction, TUMOUR, bin_width=25)
    assert statistics == dict.fromkeys(STATISTICS, Missing(reason))
    assert measure_qeasl(subtraction, TUMOUR, Reference(10, 5), 2) == Missing(reason)
    assert measure_mean(native, TUMOUR) == Missing(reason)


def test_an_empty_region_has_no_mean() -> None:
    empty = Region(np.zeros(GRID.shape_zyx, dtype=bool), GRID, "liver")
    assert measure_mean(scan_of(1, 1), empty) == Missing("the liver region is empty")


def test_grids_must_agree() -> None:
    shifted = replace(GRID, origin_mm=(1.0, 0.0, 0.0))
    other = Scan(np.zeros(GRID.shape_zyx), shifted, Modality.CT)
    with pytest.raises(GeometryError, match="not on one grid: origin_mm"):
        subtract_native(scan_of(1, 1), other)
    with pytest.raises(GeometryError, match="tumour: not on the grid of its image"):
        measure_mean(other, TUMOUR)


def test_necrosis_by_attenuation_where_no_native_phase_exists() -> None:
    arterial = scan_of(80, 65)
    arterial.voxels[2, 5:15, 4:12] = 30.2  # one slice of four; the limit belongs to necrosis
    assert measure_arterial_necrosis_fraction(arterial, TUMOUR) == pytest.approx(0.25)
    assert measure_gain_necrosis_fraction(arterial, TUMOUR, below_hu=50) == pytest.approx(0.25)
    assert measure_gain_necrosis_fraction(arterial, TUMOUR, below_hu=30.2) == 0
    magnetic = replace(arterial, modality=Modality.MR)
    assert isinstance(measure_arterial_necrosis_fraction(magnetic, TUMOUR), Missing)
    assert isinstance(measure_gain_necrosis_fraction(magnetic, TUMOUR, 15), Missing)
