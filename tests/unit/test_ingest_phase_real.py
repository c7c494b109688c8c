"""Phases of real scans and of the series lists of public liver collections."""

from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
import pytest

from pipeline.config.checks import Checks
from pipeline.domain.scan import Modality, Region
from pipeline.ingest.dicom.facts import FACT_KEYWORDS, read_facts
from pipeline.ingest.dicom.header import read_header
from pipeline.ingest.image_file import read_image_file
from pipeline.ingest.phase import guess_from_enhancement, guess_from_header
from pipeline.ingest.phase.enhancement import contradicts
from pipeline.ingest.phase.measure import measure
from pipeline.ingest.volume import read_scan

pytestmark = pytest.mark.real_data

# Label numbers of TotalSegmentator 2 (totalsegmentator/map_to_binary.py).
LABELS = {"liver": 5, "aorta": 52, "portal_vein": 64}


def phases(table: Path, modality: str) -> pd.Series:
    series = pd.read_csv(table, dtype=str, keep_default_na=False)
    series = series[series["Modality"] == modality]
    found = []
    for description in series["SeriesDescription"]:
        header = pydicom.Dataset()
        header.Modality, header.SeriesDescription = modality, description
        found.append(guess_from_header(read_facts(header)).phase)
    return pd.Series(found, index=series["SeriesDescription"])


def test_series_of_hcc_tace_seg(real_data: Path) -> None:
    found = phases(real_data / "liver" / "idc" / "hcc_tace_seg_series.csv.gz", "CT")
    # Every description with the word PRE is native; ARTERIAL and VENOUS occur once each, and all
    # others name protocols and coverage.
    is_pre = found.index.str.contains(r"\bPRE\b")
    assert (found[is_pre] == "native").all()
    assert found[~is_pre & (found != "")].to_dict() == {"ARTERIAL": "arterial", "VENOUS": "portal"}
    assert (len(found), int(is_pre.sum())) == (572, 184)


def test_series_of_tcga_lihc(real_data: Path) -> None:
    table = real_data / "liver" / "idc" / "tcga_lihc_series.csv.gz"
    ct = phases(table, "CT")  # counts after reading the 319 descriptions one by one
    assert ct[ct != ""].value_counts().to_dict() == {
        "portal": 125,
        "arterial": 96,
        "delayed": 38,
        "native": 36,
    }
    mr = phases(table, "MR")
    assert (mr[mr.index.str.contains("ADC")] == "adc").all()
    assert (mr[mr.index.str.contains(r"\bT2\b(?! STAR)")] == "t2").all()


def test_colorectal_metastases_name_no_phase(real_data: Path) -> None:
    table = real_data / "liver" / "idc" / "colorectal_liver_metastases_series.csv.gz"
    assert (phases(table, "CT") == "").all()


def test_an_unenhanced_scan(real_data: Path) -> None:
    folder = real_data / "liver" / "totalsegmentator"
    scan = read_scan(folder / "example_ct_sm.nii.gz", Modality.CT)
    labels, geometry = read_image_file(folder / "example_seg.nii.gz")
    regions = {name: Region(labels == at, geometry, name) for name, at in LABELS.items()}
    found = guess_from_enhancement(scan, regions)
    assert (found.phase, found.confidence) == ("native", "high")
    liver = guess_from_enhancement(scan, {"liver": regions["liver"]})
    assert (liver.phase, liver.confidence) == ("", "none")


def test_a_portal_scan_whose_header_and_voxels_agree(real_data: Path) -> None:
    folder = real_data / "liver" / "totalsegmentator"
    series = folder / "ct_dicom_jpeg2000"
    facts = read_facts(read_header(min(series.iterdir()), FACT_KEYWORDS))
    header = guess_from_header(facts)
    assert (header.phase, header.confidence) == ("portal", "medium")
    assert header.reason == "acquired 96 s after injection"
    scan = read_scan(series, Modality.CT)
    labels, _ = read_image_file(folder / "example_seg_dicom.nii.gz")
    upright = labels[:, ::-1]  # the mask is stored with its rows from back to front
    regions = {
        name: Region(np.ascontiguousarray(upright == at), scan.geometry, name)
        for name, at in LABELS.items()
    }
    found = guess_from_enhancement(scan, regions)
    assert (found.phase, found.confidence) == ("portal", "medium")
    measured = measure(scan, regions)
    limits = Checks().phase_hu
    assert [contradicts(phase, measured, limits) for phase in ("native", "portal")] == [
        "high",
        "none",
    ]
