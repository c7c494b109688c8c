"""The phase is read from words of the header, and only where they name one."""

from dataclasses import replace

import pydicom
import pytest

from pipeline.domain.cohort import ScanRow
from pipeline.domain.scan import Modality, Timepoint
from pipeline.ingest.dicom.facts import read_facts
from pipeline.ingest.phase import PhaseGuess, guess_from_header
from pipeline.ingest.phase.header import guess_from_text
from pipeline.ingest.phase_checks import header_confirms


def guess(description: str = "", modality: str = "CT", **attributes: object) -> PhaseGuess:
    header = pydicom.Dataset()
    header.Modality = modality
    header.SeriesDescription = description
    for keyword, value in attributes.items():
        setattr(header, keyword, value)
    return guess_from_header(read_facts(header))


@pytest.mark.parametrize(
    ("description", "phase", "confidence"),
    [
        ("Recon 2: PRE LIVER", "native", "medium"),
        ("PRE CONTRAST", "native", "high"),
        ("Non Contrast  5.0  B40f", "native", "high"),
        ("NON-CON", "native", "high"),
        ("UNENHANCED", "native", "high"),
        ("Abdomen nativ", "native", "high"),
        ("Leber ohne KM", "native", "high"),
        ("FOIE SANS INJECTION", "native", "high"),
        ("liver w/o  5.0  B40f", "native", "medium"),
        ("TRI LIVER C-", "native", "high"),
        ("pingsao 5mm", "native", "high"),
        ("上腹部平扫", "native", "high"),
        ("ARTERIAL LIVER CORONAL", "arterial", "high"),
        ("Late Art. phase  3.0  B40f", "arterial", "high"),
        ("Cor Late Arterial  3.0  MPR", "arterial", "high"),
        ("Chest/Abd Art Lung", "arterial", "medium"),
        ("LIVER 3 PHASE HAP", "arterial", "medium"),
        ("Oberbauch arteriell", "arterial", "high"),
        ("phase artérielle", "arterial", "high"),
        ("dongmaiqi", "arterial", "high"),
        ("P.Venous pha  3.0  B40f", "portal", "high"),
        ("T1 VIBE FS TRA_porto_venous_C", "portal", "high"),
        ("portalvenös 3.0", "portal", "high"),
        ("menmaiqi", "portal", "high"),
        ("门静脉期", "portal", "high"),
        ("65s Portal  3.0  B40f", "portal", "high"),
        ("VenousPhase  3.0  B30f", "portal", "medium"),
        ("Abd/Pel P/V  Coronal", "portal", "medium"),
        ("70 SEC DELAY", "portal", "medium"),
        ("DELAYED", "delayed", "high"),
        ("180 sec Delay  3.0  B40f", "delayed", "medium"),
        ("5MIN DELAY", "delayed", "medium"),
        ("Spätphase", "delayed", "high"),
        ("MPR, RETARD 7MIN, Axial", "delayed", "medium"),
        ("20 MIN DELAY", "delayed", "medium"),
        ("Abd DEL 3.0", "delayed", "medium"),
        ("late portal venous", "portal", "high"),
        ("addome sin contraste", "native", "high"),
    ],
)
def test_one_phase_is_named(description: str, phase: str, confidence: str) -> None:
    found = guess(description)
    assert (found.phase, found.confidence) == (phase, confidence)


@pytest.mark.parametrize(
    ("description", "reason"),
    [
        ("PREP ABDOMEN", "no word"),
        ("PARTIAL LIVER", "no word"),
        ("smART recon", "no word"),
        ("C-A-P", "no word"),
        ("C- A- P", "no word"),
        ("AP Routine  5.0  B40f", "no word"),
        ("LIVER 3 PHASE (AP)", "several phases"),
        ("LIVER 2PHASE CAP", "several phases"),
        ("ART + PORTAL", "more than one"),
        ("CAP_ARTERIAL_PORTVENOUS", "more than one"),
        ("30, 70, 120 SEC DELAY", "more than one"),
        ("ABDOMEN W/WO", "with and without"),
        ("PRE & POST", "with and without"),
        ("CAP C+  THINS", "not in which phase"),
        ("with non-ionic contrast", "not in which phase"),
        ("PRE-OP LIVER", "no word"),
        ("LIVER PRE TACE", "no word"),
        ("PreMonitoring  9.6  B30s", "bolus timing"),
        ("Topogram  0.6  T20s", "bolus timing"),
        ("Smart Prep Series", "bolus timing"),
        ("MIP arterial", "computed from others"),
        ("studio del fegato", "no word"),
        ("ABD WITHOUT AND WITH CONTRAST", "with and without"),
        ("50 SEC DELAY", "no word"),
        ("ARTERIAL 70s", "more than one"),
        ("", "no word"),
    ],
)
def test_no_phase_is_made_up(description: str, reason: str) -> None:
    found = guess(description)
    assert (found.phase, found.confidence) == ("", "none")
    assert reason in found.reason


@pytest.mark.parametrize(
    ("description", "phase"),
    [
        ("ep2d_diff_b50_400_800_ADC", "adc"),
        ("ep2d_diff_b50_400_800", "dwi"),
        ("ALLAx DWI B=400", "dwi"),
        ("POST-T2 FRFSE AXIAL FAT/SAT", "t2"),
        ("cor ssfse", "t2"),
        ("t1_vibe_fs_tra_bh", "t1"),
        ("AX T1 VIBE FS PRE", "native"),
        ("T1 VIBE FS TRA_late_arterial_C", "arterial"),
        ("T1 VIBE FS TRA_hepatocyte_C", "hbp"),
        ("20 min delay lava post", "hbp"),
        ("t1_vibe_fs_tra POST", ""),
        ("t1_vibe_fs_tra_dyn", ""),
        ("T1 FAME AX+C", ""),
        ("FLASH_AX_OUT_OF_PHASE", ""),
        ("MRE 16s Breath-hold", ""),
        ("TOF PORTAL VEIN", ""),
        ("sSUB PHASE 1", ""),
    ],
)
def test_sequences_of_mr(description: str, phase: str) -> None:
    assert guess(description, "MR").phase == phase


def test_pet_and_image_types() -> None:
    assert guess("WB", "PT").phase == "suv"
    assert guess("x", "MR", ImageType=["DERIVED", "PRIMARY", "ADC"]).phase == "adc"
    scout = guess("ARTERIAL", ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    assert scout.confidence == "none"


def test_the_protocol_counts_less_than_the_description() -> None:
    protocol = guess("AXIAL", ProtocolName="Liver portal venous")
    assert (protocol.phase, protocol.confidence) == ("portal", "medium")
    both = guess("ARTERIAL", ProtocolName="Liver portal venous")
    assert (both.phase, both.confidence) == ("arterial", "high")
    assert guess("LIVER 3 PHASE", ProtocolName="Liver portal venous").phase == ""


@pytest.mark.parametrize(
    ("acquired", "phase"),
    [
        ("100035", "arterial"),
        ("100110.5", "portal"),
        ("100300", "delayed"),
        ("100050", ""),  # between late arterial and portal
        ("095900", ""),  # before the injection: a wrong clock
        ("130000", ""),
        ("1001", ""),  # no seconds
    ],
)
def test_time_since_injection(acquired: str, phase: str) -> None:
    found = guess(
        "AXIAL",
        StudyDate="20200101",
        AcquisitionTime=acquired,
        ContrastBolusStartTime="100000.000",
    )
    assert found.phase == phase
    assert found.confidence == ("medium" if phase else "none")


def test_time_since_injection_tells_which_of_several_phases() -> None:
    clock = {
        "StudyDate": "20200101",
        "AcquisitionTime": "100110",
        "ContrastBolusStartTime": "100000",
    }
    found = guess("LIVER 3 PHASE (AP)", ProtocolName="Liver arterial", **clock)
    assert (found.phase, found.reason) == ("portal", "acquired 70 s after injection")
    assert guess("PRE LIVER", **clock).phase == "native"
    assert guess("ART + PORTAL", **clock).phase == ""


def test_a_hostile_description_takes_no_time() -> None:
    assert guess_from_text(" " * 1_000_000 + "-" * 1_000_000, is_mr=True).phase == ""


@pytest.mark.parametrize("moment", ["", "soon", "20200101", "20200101256161"])
def test_a_malformed_moment_says_nothing(moment: str) -> None:
    header = pydicom.Dataset()
    header.Modality = "CT"
    header.ContrastBolusStartTime = "100000"
    facts = replace(read_facts(header), acquired_at=moment)
    assert guess_from_header(facts).confidence == "none"


def test_the_reason_quotes_no_more_than_the_word() -> None:
    found = guess("Liver arterial MUELLER^ANNA 19600102")
    assert found.phase == "arterial"
    assert found.reason == "'arterial' in the header's text"


def test_a_guess_is_consistent() -> None:
    with pytest.raises(ValueError, match="exclude each other"):
        PhaseGuess("", "high", "x")
    with pytest.raises(ValueError, match="exclude each other"):
        PhaseGuess("portal", "none", "x")


@pytest.mark.parametrize(
    ("phase", "description", "confirmed"),
    [
        ("portal", "PORTAL VENOUS", True),
        ("arterial", "PORTAL VENOUS", False),
        ("t1", "PORTAL VENOUS", True),  # a T1-weighted MR of a contrast phase
        ("portal", "Abdomen", False),
    ],
)
def test_a_header_confirms_a_phase(phase: str, description: str, *, confirmed: bool) -> None:
    header = pydicom.Dataset()
    header.Modality, header.SeriesDescription = "CT", description
    row = ScanRow(
        patient_id="P1",
        timepoint=Timepoint.PREOP,
        modality=Modality.CT,
        phase=phase,
        image="image",
        mask="mask",
    )
    assert header_confirms(row, read_facts(header)) is confirmed
