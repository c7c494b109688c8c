"""The phase is told from medians of liver, aorta and portal vein, as surely as they allow."""

from collections.abc import Mapping

import numpy as np
import pytest

from pipeline.config.checks import DEFAULT_PHASE_HU, Checks
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.ingest.phase import guess_from_enhancement
from pipeline.ingest.phase.enhancement import contradicts
from pipeline.ingest.phase.measure import measure

SHAPE = (8, 10, 12)
GEOMETRY = Geometry((12, 10, 8), (1.0, 1.0, 2.0), (0, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
ROWS = {"liver": slice(0, 2), "aorta": slice(2, 4), "portal_vein": slice(4, 6)}


def picture(
    hu: Mapping[str, float], modality: Modality = Modality.CT
) -> tuple[Scan, dict[str, Region]]:
    """Paint each region with its attenuation; a tenth of the voxels is 1000 HU brighter."""
    voxels = np.full(SHAPE, -1000, np.int16)
    regions = {}
    for name, value in hu.items():
        inside = np.zeros(SHAPE, bool)
        inside[:, ROWS[name]] = True
        voxels[inside] = value
        voxels[0, ROWS[name]] += 1000
        regions[name] = Region(inside, GEOMETRY, name)
    return Scan(voxels, GEOMETRY, modality), regions


# Typical values from Goshima et al. 2006 on top of 58 HU (liver) and 45 HU (blood), unenhanced.
NATIVE = {"liver": 58, "aorta": 45, "portal_vein": 43}
ARTERIAL = {"liver": 78, "aorta": 363, "portal_vein": 134}
PORTAL = {"liver": 119, "aorta": 166, "portal_vein": 175}


@pytest.mark.parametrize(
    ("hu", "phase", "confidence"),
    [
        (NATIVE, "native", "high"),
        (ARTERIAL, "arterial", "high"),
        (PORTAL, "portal", "medium"),
        ({"liver": 119, "aorta": 166}, "portal", "medium"),
        ({"liver": 78, "aorta": 363}, "arterial", "high"),
        ({"liver": 95, "aorta": 110}, "portal", "low"),  # delayed fits as well
        ({"liver": 119}, "portal", "low"),
        ({"liver": 58}, "", "none"),  # native or arterial
        ({"liver": 700, "aorta": 900}, "", "none"),
    ],
)
def test_phase_by_what_is_measured(hu: dict[str, float], phase: str, confidence: str) -> None:
    found = guess_from_enhancement(*picture(hu))
    assert (found.phase, found.confidence) == (phase, confidence)


def test_the_reason_names_region_value_and_voxels() -> None:
    assert guess_from_enhancement(*picture(PORTAL)).reason == (
        "aorta 166 HU (192 voxels), portal vein 175 HU (192 voxels), liver 119 HU (192 voxels)"
    )
    assert "native and arterial" in guess_from_enhancement(*picture({"liver": 58})).reason


@pytest.mark.parametrize(
    ("declared", "hu", "confidence"),
    [
        ("native", NATIVE, "none"),
        ("arterial", ARTERIAL, "none"),
        ("portal", PORTAL, "none"),
        ("native", {"liver": 60, "aorta": 250}, "high"),
        ("native", {"liver": 110}, "medium"),  # iron overload reaches 125 HU unenhanced
        ("native", {"liver": 135}, "high"),
        ("arterial", NATIVE, "high"),
        ("arterial", PORTAL, "high"),  # the portal vein is brighter than the aorta
        ("portal", ARTERIAL, "high"),
        ("portal", NATIVE, "high"),
        ("portal", {"liver": 50}, "medium"),  # unenhanced, or fatty
        ("delayed", {"liver": 95, "aorta": 110}, "none"),
        ("portal", {"liver": 95, "aorta": 110}, "none"),
        ("portal", {"liver": 700, "aorta": 900}, "medium"),  # no phase looks like that
        ("venous1", NATIVE, "none"),
    ],
)
def test_declared_phase_against_what_is_measured(
    declared: str, hu: dict[str, float], confidence: str
) -> None:
    assert contradicts(declared, measure(*picture(hu)), DEFAULT_PHASE_HU) == confidence


def test_only_ct_with_landmarks_says_anything() -> None:
    assert guess_from_enhancement(*picture(PORTAL, Modality.MR)).confidence == "none"
    scan, regions = picture({"liver": 119})
    tumour = {"tumour": regions["liver"]}
    assert "nothing to measure" in guess_from_enhancement(scan, tumour).reason


def test_the_liver_is_measured_without_the_tumour() -> None:
    scan, regions = picture({"liver": 60})
    inside = np.zeros(SHAPE, bool)
    inside[:3, ROWS["liver"]] = True
    scan.voxels[inside] = 400  # iodised oil in three of eight slices
    with_tumour = measure(scan, {**regions, "tumour": Region(inside, GEOMETRY, "tumour")})
    assert (with_tumour["liver"].hu, with_tumour["liver"].voxels) == (60, 120)


def test_few_voxels_are_not_measured() -> None:
    inside = np.zeros(SHAPE, bool)
    inside[0, :9, :11] = True  # 99 voxels
    scan, _ = picture({"liver": 60})
    assert measure(scan, {"aorta": Region(inside, GEOMETRY, "aorta")}) == {}
    inside[0, 9, 0] = True
    assert measure(scan, {"aorta": Region(inside, GEOMETRY, "aorta")})["aorta"].voxels == 100


def test_limits_must_ascend() -> None:
    with pytest.raises(ValueError, match=r"native\.liver: the four limits must ascend"):
        Checks.model_validate({"phase_hu": {"native": {"liver": [None, 90, 80, 126]}}})
