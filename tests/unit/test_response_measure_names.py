"""Every measure that the package makes has a unit and a behaviour."""

import pytest

from pipeline.response.diffusion import ADC_MEASURES
from pipeline.response.dynamic import DYNAMIC_MEASURES
from pipeline.response.measure_names import (
    BEHAVIOURS,
    UNKNOWN,
    Behaviour,
    UnionOf,
    find_behaviour,
    find_unit,
    list_measures,
    split_name,
)
from pipeline.response.subtraction import STATISTICS
from pipeline.response.uptake import UPTAKE_MEASURES
from pipeline.response.viability import VIABLE_SIZES

NAMES = (
    *("volume_ml", "recist_diameter_mm", "aphe_ratio", "washout_percent"),
    *("enhancement_arterial", "arterial_enhancement_fraction_percent", "qeasl_k0_ml"),
    *("qeasl_k2_percent", "lipiodol_percent_75_150_hu", "lipiodol_complete"),
    *("lipiodol_variation", "lipiodol_largest_defect_ml"),
    *("tumour_liver_ratio_hbp", "tumour_liver_ratio_t2", "mean_native"),
    *(*VIABLE_SIZES, *STATISTICS, *ADC_MEASURES, *UPTAKE_MEASURES, *DYNAMIC_MEASURES),
)


@pytest.mark.parametrize("name", NAMES)
def test_no_measure_is_unknown(name: str) -> None:
    assert find_behaviour(name) is not UNKNOWN


@pytest.mark.parametrize(
    ("name", "union_of", "worse"),
    [
        ("enhancing_volume_ml", UnionOf.SUM, "higher"),
        ("qeasl_k2_percent", UnionOf.MEAN, "higher"),
        ("necrosis_fraction", UnionOf.MEAN, "lower"),
        ("mrecist_diameter_mm", UnionOf.MAXIMUM, "higher"),
        ("lipiodol_percent", UnionOf.MEAN, "lower"),
        ("mean_arterial", UnionOf.MEAN, "higher"),
        ("mean_portal", UnionOf.MEAN, None),
        ("adc_p10", UnionOf.VOXELS, "lower"),
        ("suv_max", UnionOf.MAXIMUM, "higher"),
        ("tlg_ml", UnionOf.SUM, "higher"),
        ("of_another_kind", UnionOf.VOXELS, None),
    ],
)
def test_behaviours(name: str, union_of: UnionOf, worse: str | None) -> None:
    behaviour = find_behaviour(name)
    assert (behaviour.union_of, behaviour.worse) == (union_of, worse)


@pytest.mark.parametrize(
    ("column", "unit"),
    [
        ("ct_volume_ml", "mL"),
        ("ct_mean_arterial", "HU"),
        ("mr_mean_arterial", "a.u."),
        ("pt_mean_suv", "SUV"),
        ("ct_enhancement_arterial", "HU"),
        ("mr_enhancement_arterial", "1"),  # relative to the native signal
        ("ct_gain_p95", "HU"),
        ("mr_wash_in_per_s", "a.u./s"),
        ("ct_qeasl_k2_percent", "%"),
        ("ct_necrosis_fraction", "1"),
        ("ct_of_another_kind_mm", "mm"),
        ("ct_of_another_kind", "1"),
        ("age", "1"),
    ],
)
def test_units(column: str, unit: str) -> None:
    assert find_unit(column) == unit


def test_places_curves_and_other_columns_are_no_measures() -> None:
    columns = ["patient_id", "ct_volume_ml", "ct_centre_x_mm", "ct_qeasl_curve_k1", "mr_adc_mean"]
    assert list_measures([*columns, "missing"]) == ["ct_volume_ml", "mr_adc_mean"]
    assert split_name("ct_") is None


def test_mr_signal_in_arbitrary_units_is_no_feature() -> None:
    """Ratios of it, gains relative to the native signal and times are."""
    signal = [
        *("mean_arterial", "mean_native", "gain_mean", "gain_p95", "gain_sd", "gain_entropy_bits"),
        *("dce_peak_gain", "dce_auc60", "dce_wash_in_per_s", "dce_wash_out_per_s"),
    ]
    assert list_measures(f"mr_{name}" for name in signal) == []
    assert list_measures(f"ct_{name}" for name in signal) == [f"ct_{name}" for name in signal]
    ratios = [
        *("mr_tumour_liver_ratio_arterial", "mr_enhancement_arterial", "mr_adc_mean"),
        *("mr_dce_peak_gain_relative", "mr_dce_time_to_peak_s", "mr_washout_percent"),
    ]
    assert list_measures(ratios) == ratios


def test_what_is_worse_is_checked() -> None:
    with pytest.raises(ValueError, match="worse must be higher, lower or None, got 'bigger'"):
        Behaviour(UnionOf.SUM, worse="bigger")


def test_each_pattern_is_reached() -> None:
    """A pattern behind a wider one would never count."""
    samples = (*NAMES, "mean_arterial", "enhancement_portal", "tumour_liver_ratio_arterial")
    used = {id(find_behaviour(name)) for name in samples}
    assert {id(behaviour) for behaviour in BEHAVIOURS.values()} == used
