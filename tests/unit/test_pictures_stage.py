"""The pictures stage on files: what was measured is what is drawn."""

import base64
import io
import re
from collections.abc import Mapping
from math import hypot
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import SimpleITK as sitk
from PIL import Image

from pipeline.cases import Preparation
from pipeline.config.loading import load_settings
from pipeline.config.measure import MeasureConfig
from pipeline.config.prepare import PrepareConfig
from pipeline.config.registration import RegistrationConfig, RegistrationMethod
from pipeline.domain.cohort import Cohort, ScanRow
from pipeline.domain.scan import Modality, Timepoint
from pipeline.report.response_strip import StripPicture
from pipeline.stages import pictures as stage
from pipeline.store.results import ResultStore
from pipeline.visit_pictures import draw_visit
from pipeline.visits import group_visits, load_visit

CONFIGS = Path(__file__).parents[2] / "configs"
CONFIG = load_settings(MeasureConfig, CONFIGS / "measure.yaml")
PREPARE = PrepareConfig(registration=RegistrationConfig(method=RegistrationMethod.NONE))
ORDER = ("arterial", "portal", "native")
SHAPE_ZYX, SPACING_MM = (16, 40, 60), (2.0, 2.0, 4.0)
TUMOUR = (slice(4, 12), slice(12, 22), slice(12, 22))  # 20 x 20 mm on 8 slices
VIABLE = (slice(4, 12), slice(12, 22), slice(12, 17))  # half of it, 10 x 20 mm
OILY = (slice(4, 12), slice(12, 22), slice(20, 22))  # a fifth of it
LEVELS_HU = {"native": (50, 50, 50), "arterial": (130, 50, 60), "portal": (100, 50, 110)}
PATIENT = "P<1>"


def write(path: Path, voxels: npt.NDArray[np.int16]) -> str:
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(SPACING_MM)
    sitk.WriteImage(image, str(path))
    return path.name


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """A tumour of which half gains 80 HU and a fifth holds oil, in liver that gains 10 HU."""
    inside = np.zeros(SHAPE_ZYX, dtype=np.int16)
    inside[TUMOUR] = 1
    written = {
        "mask": write(tmp_path / "mask.nii.gz", inside),
        "liver": write(tmp_path / "liver.nii.gz", np.ones(SHAPE_ZYX, dtype=np.int16)),
    }
    for phase, (viable, dead, parenchyma) in LEVELS_HU.items():
        voxels = np.full(SHAPE_ZYX, parenchyma, dtype=np.int16)
        voxels[TUMOUR], voxels[VIABLE], voxels[OILY] = dead, viable, 400
        written[phase] = write(tmp_path / f"{phase}.nii.gz", voxels)
    return written


def scan(phase: str, files: Mapping[str, str], *, liver: bool = True) -> ScanRow:
    return ScanRow(
        patient_id=PATIENT,
        timepoint=Timepoint.PREOP,
        modality=Modality.CT,
        phase=phase,
        image=files[phase],
        mask=files["mask"],
        liver_mask=files["liver"] if liver else "",
    )


def preparation(root: Path) -> Preparation:
    return Preparation(root, PREPARE, ResultStore(root / "store"))


def draw(rows: list[ScanRow], root: Path) -> dict[str, StripPicture]:
    (visit,) = group_visits(rows, ORDER)
    drawn = draw_visit(load_visit(visit, preparation(root)), CONFIG)
    return {picture.title: picture for picture in drawn}


@pytest.fixture
def drawn(files: dict[str, str], tmp_path: Path) -> dict[str, StripPicture]:
    return draw([scan(phase, files) for phase in ORDER], tmp_path)


def colour_at(picture: StripPicture, position_mm: tuple[float, float]) -> npt.NDArray[np.float64]:
    """Return the colour of a picture at a position x, y; its cut-out begins 15 mm off the box."""
    base = picture.base
    assert base is not None
    content = base64.b64decode(base.address.partition(",")[2])
    pixels = np.asarray(Image.open(io.BytesIO(content)), dtype=float)
    geometry = base.frame.geometry
    columns, rows, _ = geometry.size
    x_mm, y_mm = (at - first for at, first in zip(position_mm, geometry.origin_mm, strict=False))
    row = (y_mm / SPACING_MM[1] + 0.5) * pixels.shape[0] / rows
    column = (x_mm / SPACING_MM[0] + 0.5) * pixels.shape[1] / columns
    return np.asarray(pixels[int(row), int(column)])


def test_every_picture_is_drawn_and_has_its_scale_and_slice(
    drawn: dict[str, StripPicture],
) -> None:
    assert list(drawn) == [
        *("Arterial phase", "Portal phase", "Native phase", "Subtraction: arterial - native"),
        *("Viable (enhancing) part", "Lipiodol", "Peritumoural rings", "Reference liver"),
        *("RECIST 1.1 diameter", "mRECIST and EASL diameters"),
    ]
    assert not [title for title, picture in drawn.items() if picture.missing]
    for picture in drawn.values():
        assert re.search(r"axial slice at z -?[\d.]+ mm", picture.caption)
        assert re.search("window -60 to 240 HU|blue -100, white 0, orange .100 HU", picture.caption)
    assert "z 16.0 mm" in drawn["Arterial phase"].caption  # the first slice of the tumour, 4 x 4 mm


def test_share_and_lengths_are_those_of_the_phantom(drawn: dict[str, StripPicture]) -> None:
    assert drawn["Viable (enhancing) part"].caption.startswith("50 % of the tumour's volume")
    # Between midpoints of outer voxel edges: 10 voxels across and 9 down; of half, 4 and 10.
    (recist,) = drawn["RECIST 1.1 diameter"].lines
    assert recist.label == f"{hypot(20, 18):.1f} mm"
    mrecist, easl = drawn["mRECIST and EASL diameters"].lines
    assert mrecist.label == f"{hypot(8, 20):.1f} mm"
    across = np.subtract(easl.end, easl.start)
    along = np.subtract(mrecist.end, mrecist.start)
    assert across @ along / np.hypot(*across) / np.hypot(*along) == pytest.approx(0, abs=1e-6)


def test_gain_of_80_hu_is_four_fifths_orange(drawn: dict[str, StripPicture]) -> None:
    picture = drawn["Subtraction: arterial - native"]
    viable_mm, dead_mm = (14 * 2.0, 16 * 2.0), (18 * 2.0, 16 * 2.0)
    assert colour_at(picture, viable_mm) == pytest.approx((221.4, 126.2, 51), abs=8)
    assert colour_at(picture, dead_mm) == pytest.approx((255, 255, 255), abs=8)


def test_rings_oil_and_reference_are_named(drawn: dict[str, StripPicture]) -> None:
    assert ("lipiodol", "above 150 HU on native CT") in drawn["Lipiodol"].legend
    kinds = [kind for kind, _ in drawn["Peritumoural rings"].legend]
    assert kinds == ["ring_10mm", "ring_5mm", "tumour"]
    assert "reference" in [kind for kind, _ in drawn["Reference liver"].legend]
    assert "sphere" in drawn["Reference liver"].caption


def test_without_native_phase_and_liver_each_absent_picture_says_why(
    files: dict[str, str], tmp_path: Path
) -> None:
    drawn = draw([scan("arterial", files, liver=False)], tmp_path)
    assert {title: picture.missing for title, picture in drawn.items() if picture.missing} == {
        "Subtraction: arterial - native": "no native phase",
        "Viable (enhancing) part": "no native phase",
        "Lipiodol": "no native phase",
        "Peritumoural rings": "no liver mask",
        "Reference liver": "no liver mask",
        "mRECIST and EASL diameters": "no native phase",
    }


def run_stage(
    rows: list[ScanRow], root: Path, out: Path, volume_ml: float = 12.8
) -> tuple[str, list[str]]:
    """Return the page of the patient and the lines of the card."""
    cohort = Cohort(root, tuple(rows), pd.DataFrame({"patient_id": [PATIENT]}), pd.DataFrame())
    keys = {"patient_id": [PATIENT], "timepoint": ["preop"], "modality": ["CT"]}
    measures = pd.DataFrame(
        {
            **keys,
            "lesion_id": ["1"],
            "ct_volume_ml": [volume_ml],
            "ct_adc_mean": [np.nan],
            "ct_necrosis_fraction": [np.nan],
            "missing": ["no <native> phase: ct_necrosis_fraction"],
        }
    )
    drawing = stage.Drawing(preparation(root), CONFIG, out, synthetic=True)
    (card,) = stage.run(stage.list_patients(cohort, measures, ORDER), drawing, jobs=1)
    assert card.address == "patients/P%253C1%253E.html"  # the address of the file P%3C1%3E.html
    return (out / "patients" / "P%3C1%3E.html").read_text(), list(card.lines)


def test_page_is_offline_small_stable_and_labelled(files: dict[str, str], tmp_path: Path) -> None:
    rows = [scan(phase, files) for phase in ORDER]
    page, lines = run_stage(rows, tmp_path, tmp_path / "a")
    assert lines == ["preop CT, lesion 1: 12.8 mL"]
    assert len(page) < 200_000
    assert page == run_stage(rows, tmp_path, tmp_path / "b")[0]
    assert not re.search(r"https?://|<script|<link", page)
    assert "Research use only" in page
    assert "Synthetic, not evidence" in page
    assert "not registered: switched off" in page
    assert len(re.findall('role="img" aria-label="preop CT, lesion 1: ', page)) == 10


def test_texts_of_tables_are_escaped_and_reasons_shown(
    files: dict[str, str], tmp_path: Path
) -> None:
    page, _ = run_stage([scan("arterial", files)], tmp_path, tmp_path / "out")
    assert "P&lt;1&gt;" in page
    assert "P<1>" not in page
    assert "Missing, no &lt;native&gt; phase:</b> Necrotic (non-enhancing) share." in page
    assert "12.8 mL" in page


def test_a_row_whose_measures_are_all_missing_shows_the_reasons(
    files: dict[str, str], tmp_path: Path
) -> None:
    page, _ = run_stage([scan("arterial", files)], tmp_path, tmp_path / "out", volume_ml=np.nan)
    assert "Missing, no &lt;native&gt; phase:</b> Necrotic (non-enhancing) share." in page
    assert "No row in the table of measures" not in page
    assert "What was measured</caption>" not in page


def test_image_that_cannot_be_read_has_its_reason_on_the_page(
    files: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / files["portal"]).write_bytes(b"no image")
    page, lines = run_stage([scan(phase, files) for phase in ORDER], tmp_path, tmp_path / "out")
    assert lines == ["preop CT, lesion 1: not drawn"]
    assert "Not drawn: portal.nii.gz" in page
    assert str(tmp_path) not in page


def test_a_wrong_table_of_measures_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {"patient_id": "P1", "timepoint": "preop", "modality": "CT", "phase": "arterial",
           "image": "i.nii", "mask": "m.nii"}  # fmt: skip
    pd.DataFrame([row]).to_csv(tmp_path / "scans.csv", index=False)
    pd.DataFrame({"patient_id": ["P1"]}).to_csv(tmp_path / "patients.csv", index=False)
    (tmp_path / "cohort.json").write_text('{"synthetic": true}')
    command = [
        *("--config", f"{CONFIGS / 'measure.yaml'}"),
        *("--prepare-config", f"{CONFIGS / 'prepare.yaml'}"),
        *("--cohort-config", f"{CONFIGS / 'cohort.yaml'}", "--cohort", f"{tmp_path}"),
        *("--measures", f"{tmp_path / 'nope.parquet'}", "--out", f"{tmp_path / 'out'}"),
    ]
    assert stage.main(command) == 1
    assert "nope.parquet: cannot be read as Parquet (there is no" in capsys.readouterr().err
