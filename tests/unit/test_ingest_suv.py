"""SUV factors against hand-computed cases of the QIBA rules."""

from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset

from pipeline.ingest.dicom.suv import suv_factor
from pipeline.ingest.read_error import ReadError

SERIES = Path("pet")
HALF_LIFE_S = 7200.0  # round, so that two hours of uptake leave exactly half


def drug(**changes: object) -> Dataset:
    item = Dataset()
    item.RadionuclideTotalDose = 350e6
    item.RadionuclideHalfLife = HALF_LIFE_S
    item.RadiopharmaceuticalStartTime = "080000"
    return changed(item, changes)


def pet(injected: Dataset | None = None, **changes: object) -> Dataset:
    header = Dataset()
    header.Units = "BQML"
    header.CorrectedImage = ["DECY", "ATTN", "SCAT"]
    header.DecayCorrection = "START"
    header.PatientWeight = 70
    header.SeriesDate = header.AcquisitionDate = "20200102"
    header.SeriesTime, header.AcquisitionTime = "100000", "100500"
    header.RadiopharmaceuticalInformationSequence = [injected or drug()]
    return changed(header, changes)


def changed(item: Dataset, changes: dict[str, object]) -> Dataset:
    for keyword, value in changes.items():
        if value is None:
            delattr(item, keyword)
        else:
            setattr(item, keyword, value)
    return item


def test_the_dose_decays_from_injection_to_the_start_of_the_series() -> None:
    # 70 000 g over half of 350 MBq, because two hours are one half-life.
    assert suv_factor(SERIES, [pet()]) == pytest.approx(70_000 / 175e6, rel=1e-12)


def test_corrected_to_injection_nothing_decays() -> None:
    assert suv_factor(SERIES, [pet(DecayCorrection="ADMIN")]) == pytest.approx(2e-4, rel=1e-12)


def test_a_series_time_of_later_processing_gives_way_to_the_first_acquisition() -> None:
    slices = [pet(SeriesTime="180000", AcquisitionTime=time) for time in ("101500", "100000")]
    assert suv_factor(SERIES, slices) == pytest.approx(70_000 / 175e6, rel=1e-12)


def test_ge_keeps_the_start_of_a_reprocessed_series() -> None:
    header = pet(SeriesTime="180000", AcquisitionTime="103000")
    header.private_block(0x0009, "GEMS_PETD_01", create=True).add_new(0x0D, "DT", "20200102100000")
    assert suv_factor(SERIES, [header]) == pytest.approx(70_000 / 175e6, rel=1e-12)


def test_an_injection_before_midnight_needs_its_date() -> None:
    night: dict[str, Any] = {"SeriesTime": "003000", "AcquisitionTime": "003000"}
    dated = drug(
        RadiopharmaceuticalStartDateTime="20200101223000", RadiopharmaceuticalStartTime="223000"
    )
    assert suv_factor(SERIES, [pet(dated, **night)]) == pytest.approx(70_000 / 175e6, rel=1e-12)
    with pytest.raises(ReadError, match=r"before the scan.* got -27000 s"):
        suv_factor(SERIES, [pet(**night)])


def test_an_offset_from_utc_is_taken_into_account() -> None:
    # 07:00 in UTC is 08:00 by a clock one hour ahead.
    moment = drug(RadiopharmaceuticalStartDateTime="20200102070000+0000")
    header = pet(moment, TimezoneOffsetFromUTC="+0100")
    assert suv_factor(SERIES, [header]) == pytest.approx(70_000 / 175e6, rel=1e-12)
    with pytest.raises(ReadError, match=r"TimezoneOffsetFromUTC.* got none"):
        suv_factor(SERIES, [pet(moment)])


def test_a_date_without_time_is_joined_with_the_time() -> None:
    header = pet(drug(RadiopharmaceuticalStartDateTime="20200102"))
    assert suv_factor(SERIES, [header]) == pytest.approx(70_000 / 175e6, rel=1e-12)


def test_suv_is_left_alone() -> None:
    assert suv_factor(SERIES, [pet(Units="GML")]) == 1.0
    assert suv_factor(SERIES, [pet(Units="GML", SUVType="BW")]) == 1.0


def test_philips_counts_have_their_factor_in_a_private_element() -> None:
    header = pet(Units="CNTS")
    block = header.private_block(0x7053, "Philips PET Private Group", create=True)
    block.add_new(0x00, "DS", "0.00025")
    assert suv_factor(SERIES, [header]) == 0.00025


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (pet(Units="CNTS"), "expected Units GML, or BQML.* got CNTS"),
        (pet(Units=None), "got none"),
        (pet(Units="GML", SUVType="LBM"), "SUVType BW .* got SUVType LBM"),
        (pet(PatientWeight=None), "PatientWeight from 1 to 400 kg, got none"),
        (pet(PatientWeight=""), "PatientWeight from 1 to 400 kg, got none"),
        (pet(PatientWeight=70_000), "PatientWeight .* got 70000"),
        (pet(PatientWeight=float("nan")), "PatientWeight .* got nan"),
        (pet(CorrectedImage=["DECY"]), "no attenuation correction"),
        (pet(DecayCorrection="NONE"), "DecayCorrection START or ADMIN, got NONE"),
        (pet(drug(RadionuclideTotalDose=350.0)), "RadionuclideTotalDose .* Bq, got 350"),
        (pet(drug(RadionuclideHalfLife=None)), "RadionuclideHalfLife .* got none"),
        (pet(drug(RadiopharmaceuticalStartTime=None)), "RadiopharmaceuticalStartTime"),
        (pet(drug(RadiopharmaceuticalStartTime="120000")), "got -7200 s"),
        (pet(RadiopharmaceuticalInformationSequence=[]), "one item in Radio.* got 0"),
        (pet(drug(RadiopharmaceuticalStartDateTime="20190102080000")), "half-lives"),
        (
            pet(drug(RadiopharmaceuticalStartDateTime="20200102090000")),
            "one time of injection.* got 08:00:00 and 09:00:00",
        ),
        (pet(SeriesTime=None, AcquisitionTime=None), "SeriesTime or AcquisitionTime"),
    ],
)
def test_what_the_header_lacks_is_named(header: pydicom.Dataset, reason: str) -> None:
    with pytest.raises(ReadError, match=reason):
        suv_factor(SERIES, [header])
