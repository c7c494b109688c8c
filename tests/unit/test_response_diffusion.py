"""ADC measures by hand, and the traps of ADC maps."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.response.diffusion import ADC_MEASURES, measure_diffusion
from pipeline.response.measured import Missing

GRID = Geometry((11, 10, 2), (2.0, 2.0, 6.0), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1, 0, 0, 0, 1))


def half(index: int, name: str) -> Region:
    inside = np.zeros(GRID.shape_zyx, dtype=bool)
    inside[index, :, :10] = True
    return Region(inside, GRID, name)


TUMOUR, LIVER = half(0, "tumour"), half(1, "liver")


def adc(tumour: np.ndarray, liver: float = 1250) -> Scan:
    """Values in 10^-6 mm2/s, as most vendors store them."""
    voxels = np.full(GRID.shape_zyx, liver)
    voxels[0, :, :10] = tumour.reshape(10, 10)
    return Scan(voxels, GRID, Modality.MR)


RAMP = np.arange(800.0, 1800.0, 10.0)


def test_hand_sums() -> None:
    measures = measure_diffusion(adc(RAMP), TUMOUR, LIVER, unit_mm2_per_s=1e-6)
    assert measures == pytest.approx(
        {
            "adc_mean": 1.295,
            "adc_p10": 0.899,  # between the tenth and eleventh of 100 values
            "adc_viable_fraction": 0.55,  # 0.80 to 1.34
            "adc_liver_ratio": 1.036,
        }
    )


def test_the_unit_is_told_not_guessed() -> None:
    wrong = measure_diffusion(adc(RAMP), TUMOUR, LIVER, unit_mm2_per_s=1e-3)
    assert {type(value) for value in wrong.values()} == {Missing}
    assert "check the unit" in str(wrong["adc_mean"])
    other = measure_diffusion(adc(RAMP / 1000, 1.25), TUMOUR, LIVER, unit_mm2_per_s=1e-3)
    assert other["adc_mean"] == pytest.approx(1.295)


def test_voxels_without_a_fit_are_not_low_adc() -> None:
    failed = RAMP.copy()
    failed[:3] = 0
    measures = measure_diffusion(adc(failed), TUMOUR, LIVER, unit_mm2_per_s=1e-6)
    assert measures == dict.fromkeys(ADC_MEASURES, Missing("3 of 100 tumour voxels have no ADC"))


def test_up_to_2_percent_of_voxels_without_a_fit_are_left_out() -> None:
    failed = RAMP.copy()
    failed[:2] = 0
    measures = measure_diffusion(adc(failed), TUMOUR, LIVER, unit_mm2_per_s=1e-6)
    assert measures["adc_mean"] == pytest.approx(1.305)  # 0.82 to 1.79
    assert measures["adc_viable_fraction"] == pytest.approx(53 / 98)


def test_what_is_absent_has_a_reason() -> None:
    absent = measure_diffusion(None, TUMOUR, LIVER, 1e-6)
    assert absent == dict.fromkeys(ADC_MEASURES, Missing("no ADC map"))
    without_liver = measure_diffusion(adc(RAMP), TUMOUR, None, 1e-6)
    assert without_liver["adc_liver_ratio"] == Missing("no reference liver")
    computed = measure_diffusion(replace(adc(RAMP), modality=Modality.CT), TUMOUR, LIVER, 1e-6)
    assert set(computed.values()) == {Missing("ADC is measured on MR, the image is CT")}
