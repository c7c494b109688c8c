"""The prepare stage on files: every pair of scans has a row that says what became of it."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
from registration_phantom import GRID, make_phantom

from pipeline.config.prepare import PrepareConfig
from pipeline.config.registration import RegistrationConfig, RegistrationMethod
from pipeline.domain.cohort import Cohort, ScanRow
from pipeline.domain.scan import Modality, Timepoint
from pipeline.imaging.itk import region_to_itk, to_itk
from pipeline.stages.prepare import list_pairs, log_registrations, register_cohort
from pipeline.store.results import ResultStore
from pipeline.tabular import write_parquet

CONFIG = PrepareConfig(phase_order=("arterial", "portal", "native", "delayed"))


def _row(phase: str, image: str, timepoint: Timepoint = Timepoint.BASELINE) -> ScanRow:
    return ScanRow(
        patient_id="P1",
        timepoint=timepoint,
        modality=Modality.CT,
        phase=phase,
        image=image,
        mask="mask.nii.gz",
        liver_mask="mask.nii.gz",
    )


ROWS = (
    _row("native", "even.nii.gz"),
    _row("portal", "moved.nii.gz"),
    _row("arterial", "fixed.nii.gz"),
    _row("delayed", "absent.nii.gz"),
    _row("arterial", "moved.nii.gz", Timepoint.PREOP),
    _row("portal", "moved.nii.gz", Timepoint.PREOP),
)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    folder = tmp_path_factory.mktemp("cohort")
    pair = make_phantom(lambda at: np.asarray(at + np.array([5.0, 0.0, 8.0]))).pair
    even = replace(pair.fixed, voxels=np.full(GRID.shape_zyx, 40, dtype=np.int16))
    for name, scan in (("fixed", pair.fixed), ("moved", pair.moving), ("even", even)):
        whole = replace(scan, voxels=np.rint(scan.voxels).astype(np.int16))
        sitk.WriteImage(to_itk(whole), str(folder / f"{name}.nii.gz"))
    assert pair.fixed_liver is not None
    sitk.WriteImage(region_to_itk(pair.fixed_liver), str(folder / "mask.nii.gz"))
    return Cohort(folder, ROWS, pd.DataFrame(), pd.DataFrame())


@pytest.fixture(scope="module")
def table(cohort: Cohort) -> pd.DataFrame:
    return register_cohort(cohort, CONFIG, ResultStore(cohort.root / "store"), jobs=1)


def test_every_phase_and_every_later_visit_has_a_row(table: pd.DataFrame) -> None:
    names = ["timepoint", "phase", "between", "fixed_timepoint", "fixed_phase", "reached"]
    assert table[names].to_numpy().tolist() == [
        ["baseline", "portal", "phases", "baseline", "arterial", "rigid"],
        ["baseline", "native", "phases", "baseline", "arterial", "none"],
        ["baseline", "delayed", "phases", "baseline", "arterial", "none"],
        ["preop", "portal", "phases", "preop", "arterial", "none"],
        ["preop", "arterial", "timepoints", "baseline", "arterial", "rigid"],
    ]
    assert table["already_aligned"].tolist() == [False, False, False, True, False]
    assert (table["asked"] == "rigid").all()


def test_figures_and_reasons_are_in_the_row(table: pd.DataFrame, cohort: Cohort) -> None:
    portal, even, absent, aligned, later = table.to_dict("records")
    for found in (portal, later):
        assert found["failure"] == ""
        assert found["mutual_information_rigid"] > found["mutual_information_before"]
    assert portal["shift_mm"] == pytest.approx(np.hypot(5, 8), abs=1.0)
    assert aligned["failure"] == ""
    assert even["failure"] == "not registered: the moving scan has one value everywhere"
    assert absent["failure"].startswith("not registered: ")
    assert "absent.nii.gz" in absent["failure"]
    assert str(cohort.root) not in absent["failure"]
    assert np.isnan(absent["mutual_information_rigid"])


def test_the_log_counts_what_became_of_the_pairs(
    table: pd.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        log_registrations(table)
    first, *others = (record.getMessage() for record in caplog.records)
    assert first == "registrations: 5 pairs of scans: 2 none, 2 rigid, 1 already aligned."
    assert len(others) == 2
    assert "1 of 5 pairs not registered: the moving scan has one value everywhere" in " ".join(
        others
    )


def test_reasons_that_differ_in_figures_are_counted_together(
    caplog: pytest.LogCaptureFixture,
) -> None:
    reasons = [f"not registered: a shift of {mm} mm, more than 60 mm" for mm in (61, 75)]
    given = {"failure": reasons, "reached": "none", "already_aligned": False}
    with caplog.at_level(logging.WARNING):
        log_registrations(pd.DataFrame(given))
    last = caplog.records[-1].getMessage()
    assert "2 of 2 pairs not registered: a shift of ... mm" in last


def test_the_table_has_the_same_bytes_for_any_number_of_processes(
    table: pd.DataFrame, cohort: Cohort, tmp_path: Path
) -> None:
    other = register_cohort(cohort, CONFIG, ResultStore(tmp_path / "store"), jobs=2)
    write_parquet(table, tmp_path / "one.parquet")
    write_parquet(other, tmp_path / "two.parquet")
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()


def test_what_was_not_asked_for_is_in_the_table_too(cohort: Cohort, tmp_path: Path) -> None:
    none = RegistrationConfig(method=RegistrationMethod.NONE)
    config = PrepareConfig(phase_order=CONFIG.phase_order, registration=none)
    table = register_cohort(cohort, config, ResultStore(tmp_path), jobs=1)
    assert table["asked"].tolist() == table["reached"].tolist() == ["none"] * 5
    assert (table["failure"] == "").all()


def test_lesions_of_a_visit_with_a_liver_mask_are_registered_once() -> None:
    second = [replace(row, lesion_id="2") for row in ROWS]
    assert len(list_pairs([*ROWS, *second], CONFIG.phase_order)) == 5
