"""Which scans are sampled, and how measurements become rows."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.domain.cohort import ScanRow
from pipeline.domain.scan import Modality, Timepoint
from pipeline.features.stability.icc import icc_1_1, icc_2_1, icc_3_1
from pipeline.features.stability.sample import choose_rows, split_pairs
from pipeline.features.stability.tables import (
    LEFT_OUT,
    Measured,
    add_readers,
    perturbation_table,
    reader_table,
)


def scans(patients: int) -> list[ScanRow]:
    """Return rows of CT in two phases, of two time points and two lesions; every third has MR."""
    return [
        ScanRow(
            patient_id=f"P{number:03d}",
            timepoint=timepoint,
            modality=Modality.MR if number % 3 == 0 else Modality.CT,
            phase=phase,
            image="i.nii",
            mask="m.nii",
            lesion_id=lesion,
        )
        for number in range(patients)
        for timepoint in Timepoint
        for phase in ("arterial", "portal")
        for lesion in ("1", "2")
    ]


def test_so_many_patients_of_each_modality_and_phase_with_one_row_each() -> None:
    chosen = choose_rows(scans(60), 5, seed=1)
    assert Counter((row.modality, row.phase) for row in chosen) == dict.fromkeys(
        [(modality, phase) for modality in ("CT", "MR") for phase in ("arterial", "portal")], 5
    )
    assert max(Counter((row.patient_id, row.phase) for row in chosen).values()) == 1
    arterial = [row for row in chosen if row.phase == "arterial"]
    portal = [row for row in chosen if row.phase == "portal"]
    assert [replace(row, phase="portal") for row in arterial] == portal
    assert {row.timepoint for row in chosen} == set(Timepoint)


def test_a_sample_depends_on_the_seed_and_hardly_on_other_patients() -> None:
    few, more = choose_rows(scans(60), 5, seed=1), choose_rows(scans(63), 5, seed=1)
    assert choose_rows(scans(60)[::-1], 5, seed=1) == few[::-1]
    assert choose_rows(scans(60), 5, seed=2) != few
    lost = {row.patient_id for row in few} - {row.patient_id for row in more}
    assert len(lost) <= 3  # of three more patients


def test_all_are_taken_where_there_are_fewer() -> None:
    assert {row.patient_id for row in choose_rows(scans(4), 5, seed=1)} == {
        f"P{number:03d}" for number in range(4)
    }


def measured(values: "np.typing.NDArray[np.float64]", phase: str = "portal") -> Measured:
    features = [f"f{number}" for number in range(values.shape[2])]
    cases = [[dict(zip(features, one, strict=True)) for one in case] for case in values]
    return Measured("CT", phase, "tumour", features, cases)


def test_a_row_a_feature_with_its_coefficient_and_what_failed() -> None:
    values = np.random.default_rng(1).normal(size=(4, 3, 2)) + np.arange(4)[:, None, None]
    group = measured(values)
    cases = [list(case) for case in group.cases]
    cases[0][1] = None  # a perturbation that failed
    values[0, 1] = np.nan
    values[2, 2, 1] = np.nan
    cases[2][2] = {"f0": values[2, 2, 0], "f1": np.nan}
    flat = measured(np.ones((2, 3, 1)), "arterial")
    table = perturbation_table([replace(group, cases=cases), flat])
    assert list(table.columns) == [
        "modality", "phase", "region", "feature", "icc", "low", "high", "n_cases",
        "n_perturbations", "failed", "reason",
    ]  # fmt: skip
    found = icc_1_1(values)
    assert table["icc"].tolist()[:2] == found.icc.tolist()
    assert table["low"].tolist()[:2] == found.low.tolist()
    assert table["failed"].tolist() == [1, 2, 0]
    assert table["reason"].tolist() == ["", "", "the same value in all cases"]
    assert table["phase"].tolist() == ["portal", "portal", "arterial"]
    assert table[["n_cases", "n_perturbations"]].to_numpy().tolist() == [[4, 3], [4, 3], [2, 3]]


def test_readers_stand_beside_perturbations() -> None:
    values = np.random.default_rng(1).normal(size=(5, 2, 2)) + np.arange(5)[:, None, None]
    perturbed = perturbation_table([measured(values), measured(values, "arterial")])
    left_out = [("CT", "portal"), ("CT", "portal"), ("MR", "portal")]
    table = add_readers(perturbed, reader_table([measured(values)]), left_out)
    portal = table[table["phase"] == "portal"]
    assert portal["icc_2_1"].tolist() == icc_2_1(values).icc.tolist()
    assert portal["icc_3_1_high"].tolist() == icc_3_1(values).high.tolist()
    arterial = table[table["phase"] == "arterial"]
    assert arterial["icc_2_1"].isna().all()
    assert set(arterial["reader_reason"]) == {"no second mask for this modality and phase"}
    assert table["n_read"].tolist() == [5, 5, 0, 0]
    assert table[LEFT_OUT].tolist() == [2, 2, 0, 0]
    pd.testing.assert_frame_equal(table[list(perturbed.columns)], perturbed)


def test_of_two_readers_a_patient_counts_once_for_each_modality_and_phase() -> None:
    rows = [row for row in scans(6) if row.modality is Modality.CT]  # 4 patients, 2 phases
    pairs = [(row, replace(row, mask="second.nii")) for row in rows]
    used, left_out = split_pairs(pairs, seed=1)
    counts = Counter((first.patient_id, first.phase) for first, _ in used)
    assert counts == dict.fromkeys([(row.patient_id, row.phase) for row in rows], 1)
    assert all(second == replace(first, mask="second.nii") for first, second in used)
    assert Counter([*left_out, *(first for first, _ in used)]) == Counter(rows)
    assert split_pairs(used, seed=1) == (used, [])


def test_no_scans_make_an_empty_table_with_its_columns() -> None:
    table = add_readers(perturbation_table([]), reader_table([]))
    assert len(table) == 0
    assert {"icc", "reason", "icc_2_1", "reader_reason"} <= set(table.columns)


def test_no_second_mask_at_all_leaves_reasons() -> None:
    values = np.random.default_rng(1).normal(size=(5, 2, 1))
    table = add_readers(perturbation_table([measured(values)]), reader_table([]))
    assert table["reader_reason"].tolist() == ["no second mask for this modality and phase"]
    assert table["icc_2_1"].isna().all()
    assert table["icc"].tolist() == pytest.approx(icc_1_1(values).icc.tolist())
