"""Features of real scans equal what plain PyRadiomics 3.0.1 gave for them."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.config.extraction import ExtractionParameters
from pipeline.domain.scan import Modality
from pipeline.features.engine import load_engine
from pipeline.ingest.mask import read_region
from pipeline.ingest.volume import read_scan

STS = Path(__file__).parents[2].parent / "shared/data/sts"
RELATIVE_TOLERANCE = 1e-6
SETTINGS = {
    "CT": (Modality.CT, {"binWidth": 25}),
    "MR_T1": (Modality.MR, {"binCount": 32}),
    "PET": (Modality.PT, {"binCount": 32}),
}
"""How the reference was made: image type Original, all default classes, no resampling."""

FAST = {("STS_002", "CT"), ("STS_002", "MR_T1"), ("STS_001", "PET"), ("STS_032", "PET")}


def _references() -> Iterator[object]:
    file = STS / "reference_features.csv"
    if not file.is_file():
        return
    with file.open(newline="") as stream:
        for row in csv.DictReader(stream):
            name = f"{row['patient_id']}-{row['modality']}"
            slow = (row["patient_id"], row["modality"]) not in FAST
            marks = [pytest.mark.slow] if slow else []
            yield pytest.param(dict(row), "fast", id=f"{name}-fast")
            yield pytest.param(dict(row), "pyradiomics", id=f"{name}-pyradiomics", marks=marks)


@pytest.mark.real_data
@pytest.mark.skipif(not STS.is_dir(), reason="real scans not found in ../shared/data/sts")
@pytest.mark.parametrize(("expected", "engine"), list(_references()))
def test_real_scans_give_pyradiomics_numbers(expected: dict[str, str], engine: str) -> None:
    patient_id, kind = expected.pop("patient_id"), expected.pop("modality")
    modality, settings = SETTINGS[kind]
    folder = STS / "nifti" / patient_id
    scan = read_scan(folder / f"{kind}_image.nii.gz", modality)
    region = read_region(folder / f"{kind}_mask.nii.gz", 1, "tumour")
    parameters = ExtractionParameters(settings=settings)
    values = load_engine(engine).extract(scan, region, parameters)
    assert values.keys() == expected.keys()
    for name, text in expected.items():
        assert values[name] == pytest.approx(float(text), rel=RELATIVE_TOLERANCE), name
