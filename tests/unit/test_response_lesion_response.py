"""All measures of a lesion together: a phantom of known anatomy on phases of different grids."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import pi, sqrt
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.config.loading import load_settings
from pipeline.config.measure import MeasureConfig
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.response.lesion_images import LesionImages, PhaseImage
from pipeline.response.lesion_response import measure_response, prefix_modality
from pipeline.response.measure_names import UNKNOWN, find_behaviour
from pipeline.response.measured import Measured, Missing, to_reasons

CONFIG = load_settings(MeasureConfig, Path(__file__).parents[2] / "configs" / "measure.yaml")
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
OUTER_MM, CORE_MM, EXTENT_MM = 24.0, 12.0, 80.0
FINE = (1.0, 1.0, 2.5)
COARSE = (1.25, 1.25, 2.5)


@dataclass(frozen=True)
class Anatomy:
    """Squared distances from the tumour's centre on one grid."""

    geometry: Geometry
    squares: npt.NDArray[np.float64]

    def ball(self, radius_mm: float, name: str) -> Region:
        return Region(self.squares <= radius_mm**2, self.geometry, name)

    def image(self, shell: float, core: float, liver: float, modality: Modality) -> Scan:
        voxels = np.full(self.geometry.shape_zyx, liver)
        voxels[self.squares <= OUTER_MM**2] = shell
        voxels[self.squares <= CORE_MM**2] = core
        noise = np.random.default_rng(4).normal(0, 0.5, voxels.shape)
        return Scan(voxels + noise, self.geometry, modality)


def anatomy(spacing_mm: tuple[float, float, float]) -> Anatomy:
    counts = [int(EXTENT_MM / spacing) for spacing in spacing_mm]
    origin = tuple(
        -(count - 1) / 2 * spacing for count, spacing in zip(counts, spacing_mm, strict=True)
    )
    geometry = Geometry(tuple(counts), spacing_mm, origin, AXIAL)  # type: ignore[arg-type] # three each
    x, y, z = (
        (start + np.arange(count) * spacing) ** 2
        for start, count, spacing in zip(origin, counts, spacing_mm, strict=True)
    )
    return Anatomy(geometry, z[:, None, None] + y[None, :, None] + x[None, None, :])


def phase(
    shell: float,
    core: float,
    liver: float,
    spacing_mm: tuple[float, float, float] = FINE,
    modality: Modality = Modality.CT,
) -> PhaseImage:
    body = anatomy(spacing_mm)
    reference = body.ball(EXTENT_MM, "liver").inside & ~body.ball(OUTER_MM + 6, "near").inside
    return PhaseImage(
        body.image(shell, core, liver, modality),
        body.ball(OUTER_MM, "tumour"),
        Region(reference, body.geometry, "liver"),
    )


def ct_phases() -> dict[str, PhaseImage]:
    return {
        "arterial": phase(120, 45, 65),
        "portal": phase(90, 45, 110),
        "native": phase(45, 45, 55, COARSE),
    }


def measured(phases: Mapping[str, PhaseImage], modality: Modality) -> dict[str, Measured]:
    return prefix_modality(measure_response(LesionImages(modality, phases), CONFIG), modality)


SHELL_SHARE = 1 - (CORE_MM / OUTER_MM) ** 3
BALL_ML = 4 / 3 * pi * OUTER_MM**3 / 1000
LONGEST_MM = 2 * sqrt(OUTER_MM**2 - CORE_MM**2)
GAIN = 75 * SHELL_SHARE

CT_EXPECTED = {
    "ct_recist_diameter_mm": 2 * OUTER_MM,
    "ct_volume_ml": BALL_ML,
    "ct_mrecist_diameter_mm": LONGEST_MM,
    "ct_easl_product_mm2": LONGEST_MM**2,
    "ct_enhancing_volume_ml": BALL_ML * SHELL_SHARE,
    "ct_enhancing_area_mm2": pi * (OUTER_MM**2 - CORE_MM**2),
    "ct_largest_cluster_ml": BALL_ML * SHELL_SHARE,
    "ct_largest_cluster_diameter_mm": 2 * OUTER_MM,
    "ct_necrosis_fraction": 1 - SHELL_SHARE,
    "ct_qeasl_k2_percent": 100 * SHELL_SHARE,
    "ct_qeasl_k0_ml": BALL_ML * SHELL_SHARE,
    "ct_gain_mean": GAIN,
    "ct_gain_p95": 75,
    "ct_aphe_ratio": GAIN / 10,
    "ct_enhancement_arterial": GAIN,
    "ct_arterial_enhancement_fraction_percent": 100 * 75 / 45,
    "ct_washout_percent": 100 * 30 * SHELL_SHARE / (45 + GAIN),
    "ct_mean_arterial": 45 + GAIN,
    "ct_mean_native": 45,
    "ct_gain_necrosis_fraction": 1 - SHELL_SHARE,
    "ct_tumour_liver_ratio_arterial": (45 + GAIN) / 65,
    "ct_tumour_liver_ratio_portal": (45 + 45 * SHELL_SHARE) / 110,
}


def test_a_necrotic_tumour_on_ct() -> None:
    measures = measured(ct_phases(), Modality.CT)
    # A shell's slices through the core all have the same area, pi (R^2 - r^2).
    assert {name: measures[name] for name in CT_EXPECTED} == pytest.approx(CT_EXPECTED, rel=0.05)
    assert measures["ct_lipiodol_percent"] == 0
    assert to_reasons(measures) == {
        "ct_tumour_liver_ratio_delayed": "no tumour on a delayed phase",
        "ct_washout_percent_delayed": "no tumour on a delayed phase",
        "ct_lipiodol_variation": "fewer than two voxels hold lipiodol",
    }


def test_dark_voxels_of_the_arterial_phase_are_necrosis_without_a_native_phase() -> None:
    """A core of 20 HU; 30.2 HU is the limit (Curr Oncol 2022;29:3259)."""
    measures = measured({"arterial": phase(120, 20, 65)}, Modality.CT)
    assert measures["ct_arterial_necrosis_fraction"] == pytest.approx(1 - SHELL_SHARE, rel=0.05)
    assert measures["ct_gain_necrosis_fraction"] == Missing("no native phase")
    absent = measured({"portal": phase(120, 20, 65)}, Modality.CT)
    assert absent["ct_arterial_necrosis_fraction"] == Missing("no arterial phase")


def test_bands_of_oil_are_as_configured() -> None:
    config = CONFIG.model_copy(update={"lipiodol_bands_hu": (40.0, 60.0)})
    images = LesionImages(Modality.CT, {"native": phase(45, 70, 55)})
    measures = measure_response(images, config)
    assert measures["lipiodol_percent_40_60_hu"] == pytest.approx(100 * SHELL_SHARE, rel=0.01)
    assert measures["lipiodol_percent_60_up_hu"] == pytest.approx(100 * (1 - SHELL_SHARE), abs=0.5)


def test_small_necrosis_does_not_stop_the_diameter_but_counts() -> None:
    """A dark rod of 24 voxels of 2.5 mm3, 60 mm3, through the middle of every longest line."""
    solid = {"arterial": phase(120, 120, 65), "native": phase(45, 45, 55)}
    whole = measured(solid, Modality.CT)
    scan = solid["arterial"].scan
    z, y, x = (size // 2 for size in scan.voxels.shape)
    dark = scan.voxels.copy()
    dark[z - 6 : z + 6, y - 1 : y + 1, x] = 45
    holed = replace(solid["arterial"], scan=Scan(dark, scan.geometry, Modality.CT))
    with_hole = measured({**solid, "arterial": holed}, Modality.CT)
    assert with_hole["ct_mrecist_diameter_mm"] == whole["ct_mrecist_diameter_mm"]
    assert whole["ct_necrosis_fraction"] == 0
    tumour = solid["arterial"].tumour
    assert with_hole["ct_necrosis_fraction"] == pytest.approx(24 / tumour.voxel_count)


def test_without_a_native_phase_nothing_is_zero() -> None:
    phases = ct_phases()
    del phases["native"]
    measures = measured(phases, Modality.CT)
    whole = measured(ct_phases(), Modality.CT)
    assert set(whole) - set(measures) == {"ct_mean_native", "ct_tumour_liver_ratio_native"}
    reasons = to_reasons(measures)
    assert reasons["ct_mrecist_diameter_mm"] == "no native phase"
    assert reasons["ct_qeasl_k0_ml"] == "no native phase"
    assert reasons["ct_gain_mean"] == "no native phase"
    assert reasons["ct_lipiodol_percent"] == "no native phase"
    assert reasons["ct_aphe_ratio"] == "no tumour on a native phase"
    assert measures.pop("ct_arterial_necrosis_fraction") == 0  # it needs the arterial phase alone
    assert 0 not in measures.values()
    assert measures["ct_washout_percent"] == whole["ct_washout_percent"]


def test_without_a_liver_the_gain_is_known_and_the_viable_part_is_not() -> None:
    phases = {name: replace(image, reference=None) for name, image in ct_phases().items()}
    measures = measured(phases, Modality.CT)
    reasons = to_reasons(measures)
    assert reasons["ct_necrosis_fraction"] == "no reference liver"
    assert reasons["ct_tumour_liver_ratio_arterial"] == "no reference liver"
    assert measures["ct_gain_mean"] == pytest.approx(GAIN, rel=0.05)


def test_a_native_phase_that_misses_part_of_the_tumour() -> None:
    phases = ct_phases()
    body = phases["native"].scan.geometry
    low = replace(body, size=(body.size[0], body.size[1], 12))
    native = phases["native"]
    phases["native"] = PhaseImage(
        Scan(native.scan.voxels[:12], low, Modality.CT),
        Region(native.tumour.inside[:12], low, "tumour"),
        None,
    )
    reason = to_reasons(measured(phases, Modality.CT))["ct_enhancing_volume_ml"]
    assert reason.startswith("the image does not cover")


def test_a_native_phase_that_misses_part_of_the_liver() -> None:
    """The lowest 10 mm of liver, of which no part is tumour, are missing: nothing changes."""
    phases = ct_phases()
    native, cut = phases["native"], 4
    geometry = native.scan.geometry
    x_mm, y_mm, z_mm = geometry.origin_mm
    high = replace(
        geometry,
        size=(geometry.size[0], geometry.size[1], geometry.size[2] - cut),
        origin_mm=(x_mm, y_mm, z_mm + cut * geometry.spacing_mm[2]),
    )
    phases["native"] = PhaseImage(
        Scan(native.scan.voxels[cut:], high, Modality.CT),
        Region(native.tumour.inside[cut:], high, "tumour"),
        None,
    )
    measures = measured(phases, Modality.CT)
    assert measures["ct_necrosis_fraction"] == pytest.approx(1 - SHELL_SHARE, rel=0.05)


def test_lipiodol_is_measured_and_withholds_attenuation() -> None:
    phases = ct_phases()
    native = phases["native"]
    oily = native.scan.voxels.copy()
    oily[native.tumour.inside & (anatomy(COARSE).squares <= CORE_MM**2)] = 500
    phases["native"] = replace(native, scan=Scan(oily, native.scan.geometry, Modality.CT))
    measures = measured(phases, Modality.CT)
    assert measures["ct_lipiodol_percent"] == pytest.approx(100 * (1 - SHELL_SHARE), abs=1)
    withheld = ("ct_arterial_necrosis_fraction", "ct_mean_arterial", "ct_mean_portal")
    assert all(isinstance(measures[name], Missing) for name in withheld)
    washout = measures["ct_washout_percent"]
    assert isinstance(washout, Missing)
    assert washout.reason.startswith("lipiodol: 1")


def test_mr_has_diffusion_and_no_lipiodol() -> None:
    phases = {
        "hbp": phase(300, 300, 600, modality=Modality.MR),
        "t2": phase(240, 240, 120, modality=Modality.MR),
        "adc": phase(1000, 2000, 1250, COARSE, Modality.MR),
    }
    measures = measured(phases, Modality.MR)
    assert measures["mr_tumour_liver_ratio_hbp"] == pytest.approx(0.5, rel=0.001)
    assert measures["mr_tumour_liver_ratio_t2"] == pytest.approx(2, rel=0.001)
    assert measures["mr_adc_mean"] == pytest.approx(2 - SHELL_SHARE, rel=0.01)
    assert measures["mr_adc_viable_fraction"] == pytest.approx(SHELL_SHARE, abs=0.01)
    assert "mr_mean_adc" not in measures  # it is mr_adc_mean
    assert measures["mr_tumour_muscle_ratio_t2"] == Missing("no muscle mask")
    assert not any("lipiodol" in name or "suv" in name for name in measures)


def test_t2_is_compared_with_muscle_where_that_is_drawn() -> None:
    t2 = replace(phase(240, 240, 120, modality=Modality.MR), muscle_mean=60.0)
    measures = measured({"t2": t2}, Modality.MR)
    assert measures["mr_tumour_muscle_ratio_t2"] == pytest.approx(4, rel=0.001)
    reason = measured({"t1": t2}, Modality.MR)["mr_tumour_muscle_ratio_t2"]
    assert reason == Missing("no tumour on a t2 phase")


def test_an_empty_tumour_has_no_size() -> None:
    arterial = phase(120, 45, 65)
    empty = Region(np.zeros_like(arterial.tumour.inside), arterial.tumour.geometry, "tumour")
    measures = measured({"arterial": replace(arterial, tumour=empty)}, Modality.CT)
    assert measures["ct_volume_ml"] == Missing("the tumour is empty")
    assert 0 not in measures.values()


def test_pet_has_uptake_alone() -> None:
    measures = measured({"suv": phase(6, 1, 2, COARSE, Modality.PT)}, Modality.PT)
    assert measures["pt_suv_peak"] == pytest.approx(6, abs=0.2)
    assert measures["pt_mtv_ml"] == pytest.approx(BALL_ML * SHELL_SHARE, rel=0.05)
    assert not any("aphe" in name or "adc" in name for name in measures)


def test_every_measure_has_a_unit_and_a_behaviour() -> None:
    series = {f"dce_{time}s": phase(100 + time, 45, 65) for time in (0, 30, 90)}
    measures = measured({**ct_phases(), **series}, Modality.CT)
    measures |= measured({"t2": phase(240, 240, 120, modality=Modality.MR)}, Modality.MR)
    measures |= measured({"suv": phase(6, 1, 2, COARSE, Modality.PT)}, Modality.PT)
    unknown = [name for name in measures if find_behaviour(name[3:]) is UNKNOWN]
    assert unknown == []
