"""The page of a check: offline, without scripts, every scan shown or the reason why not."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from pipeline.domain.cohort import Cohort, ScanRow
from pipeline.domain.problem import Problem, Severity
from pipeline.domain.scan import Modality, Timepoint
from pipeline.report.cohort_page import CohortPage, render_cohort_page
from pipeline.report.cohort_pictures import ScanPicture, draw_cohort
from pipeline.report.plain_text import LONGEST_TEXT, plain_text

ROW = ScanRow(
    patient_id="P1",
    timepoint=Timepoint.PREOP,
    modality=Modality.CT,
    phase="portal",
    image="p1.nii.gz",
    mask="p1_mask.nii.gz",
    liver_mask="p1_liver.nii.gz",
)


def write(path: Path, voxels: np.ndarray, shift_mm: float = 0) -> None:
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing((1, 1, 2))
    image.SetOrigin((shift_mm, 0, 0))
    sitk.WriteImage(image, str(path))


@pytest.fixture
def cohort(tmp_path: Path) -> Cohort:
    shape = (20, 64, 64)
    mask, liver = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    mask[8:12, 20:30, 20:30] = 1
    liver[4:16, 10:50, 10:50] = 1
    write(tmp_path / "p1.nii.gz", np.random.default_rng(0).normal(60, 40, shape).astype(np.int16))
    write(tmp_path / "p1_mask.nii.gz", mask)
    write(tmp_path / "p1_liver.nii.gz", liver)
    patients = pd.DataFrame({"patient_id": ["P1", "P2"]})
    return Cohort(tmp_path, (ROW,), patients, pd.DataFrame())


def draw(cohort: Cohort, *rows: ScanRow, jobs: int = 1) -> list[ScanPicture]:
    scans = rows or cohort.scans
    return draw_cohort(replace(cohort, scans=scans), jobs, allow_outside=False)


def render(cohort: Cohort, *problems: Problem, rows: tuple[ScanRow, ...] = ()) -> str:
    return render_cohort_page(
        CohortPage(
            patients=list(cohort.patients["patient_id"]),
            pictures=draw(cohort, *rows),
            problems=problems,
            meanings={"mask-empty": "No voxel above zero."},
            synthetic=False,
        )
    )


def problem(patient: str, file: str, severity: Severity = Severity.ERROR) -> Problem:
    return Problem(
        code="mask-empty",
        what="is <empty>",
        expected="voxels",
        got="none",
        next_step="Draw it.",
        patient_id=patient,
        file=file,
        severity=severity,
    )


class Parser(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def values(self, name: str) -> list[str]:
        return [str(attrs[name]) for _, attrs in self.tags if name in attrs]


def test_volume_size_and_spacing_are_stated(cohort: Cohort) -> None:
    (picture,) = draw(cohort)
    # 400 and 19200 voxels of 2 mm3
    assert picture.facts == ("tumour 0.8 mL", "liver 38 mL", "64 x 64 x 20 voxels", "1 x 1 x 2 mm")
    assert picture.notes == ()
    assert [panel.name for panel in picture.panels] == ["axial", "coronal", "sagittal", "detail"]
    assert [outline.region for outline in picture.panels[0].outlines] == ["tumour", "liver"]


def test_page_is_self_contained(cohort: Cohort) -> None:
    page = Parser(render(cohort, problem("P1", "p1_mask.nii.gz")))
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "link", "iframe"}
    for address in [*page.values("href"), *page.values("src")]:
        assert address.startswith(("#", "data:image/jpeg;base64,"))
    targets = {link[1:] for link in page.values("href") if link.startswith("#")}
    assert targets <= set(page.values("id"))
    pictures = [attrs for tag, attrs in page.tags if tag == "svg"]
    assert len(pictures) == 4
    assert pictures[0]["aria-label"] == (
        "preop CT portal, lesion 1: axial slice with outline of tumour and liver"
    )


def test_page_is_the_same_bytes_whatever_the_number_of_processes(cohort: Cohort) -> None:
    rows = (ROW, replace(ROW, patient_id="P2", image="absent.nii.gz"))
    assert render(cohort, rows=rows) == render(cohort, rows=rows)
    assert draw(cohort, *rows, jobs=2) == draw(cohort, *rows)


def test_a_scan_takes_less_than_a_hundred_kilobytes(cohort: Cohort) -> None:
    with_noise = len(render(cohort)) - len(render(cohort, rows=(replace(ROW, image="no.nii"),)))
    assert with_noise < 110_000  # noise is the worst case; a CT takes 40 kB


def test_nothing_is_taken_for_markup(cohort: Cohort) -> None:
    page = render(cohort, problem("P1", "<script>alert(1)</script>"))
    assert "<script" not in page
    assert "is &lt;empty&gt;" in page


def test_patients_and_codes_are_marked(cohort: Cohort) -> None:
    page = render(
        cohort,
        problem("P1", "p1_mask.nii.gz", Severity.WARNING),
        problem("P3", "scans.csv"),
        problem("", "patients.csv"),
    )
    for patient in ("P1", "P2", "P3"):
        assert f'aria-label="Patient {patient}"' in page
    assert '<figure class="scan warning">' in page
    assert page.count("No voxel above zero.") == 2  # one row an error, one a warning
    assert "Problems of the tables" in page
    assert "No usable row in scans.csv." in page


def test_a_scan_that_cannot_be_read_is_a_box_with_the_reason(cohort: Cohort) -> None:
    (cohort.root / "p1.nii.gz").write_bytes(b"damaged")
    (picture,) = draw(cohort)
    assert picture.panels == ()
    assert picture.notes == (
        "p1.nii.gz cannot be read: expected an intact .nii.gz image,"
        " got a damaged, incomplete or mislabelled file.",
    )
    assert str(cohort.root) not in render(cohort)


def test_files_outside_the_cohort_are_not_opened(cohort: Cohort) -> None:
    outside = cohort.root.parent / "outside.nii.gz"
    (cohort.root / "p1.nii.gz").rename(outside)
    (picture,) = draw(cohort, replace(ROW, image="../outside.nii.gz"))
    assert picture.panels == ()
    assert "leaves the cohort folder" in picture.notes[0]


def test_image_without_its_mask_is_shown_without_outline(cohort: Cohort) -> None:
    write(cohort.root / "p1_mask.nii.gz", np.ones((20, 64, 64), np.uint8), shift_mm=5)
    (cohort.root / "p1_liver.nii.gz").unlink()
    (picture,) = draw(cohort)
    assert [panel.outlines for panel in picture.panels] == [(), (), ()]
    assert "liver" in picture.notes[0]
    assert re.search(r"tumour: p1_mask.* not on the grid .* corners up to 5 mm", picture.notes[1])


def test_masks_of_vessels_and_muscle_are_named_and_their_faults_stand_at_the_scan(
    cohort: Cohort,
) -> None:
    row = replace(ROW, vessel_mask="p1_vessels.nii.gz", muscle_mask="p1_muscle.nii.gz")
    page = render(cohort, rows=(row,))
    assert "p1_mask.nii.gz, p1_liver.nii.gz, p1_vessels.nii.gz, p1_muscle.nii.gz" in page
    for column in ("vessel_mask", "muscle_mask"):
        (picture,) = draw(cohort, row)
        assert any(getattr(row, column) in note for note in picture.notes)


def test_plain_text() -> None:
    assert plain_text("P1/ä b.nii") == "P1/ä b.nii"
    assert plain_text("a\x1b[31m\nb\udc80") == "a\\x1b[31m\\nb\\udc80"
    assert len(plain_text("x" * 100_000)) < LONGEST_TEXT + 40
    assert "[99400 signs left out]" in plain_text("x" * 100_000)
