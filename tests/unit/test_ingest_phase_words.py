"""Other spellings of a phase are named once, with the standard word."""

from dataclasses import replace

import pytest

from pipeline.domain.cohort import ScanRow
from pipeline.domain.scan import Modality, Timepoint
from pipeline.ingest.phase_words import find_unusual_phases, standard_word
from pipeline.ingest.scan_rows import KNOWN_PHASES

ROW = ScanRow(
    patient_id="P1",
    timepoint=Timepoint.PREOP,
    modality=Modality.CT,
    phase="portal",
    image="image.nii.gz",
    mask="mask.nii.gz",
)


def rows(*phases: str) -> list[ScanRow]:
    return [replace(ROW, patient_id=f"P{n}", phase=phase) for n, phase in enumerate(phases)]


def test_the_vocabulary_passes_and_so_does_what_an_import_numbered() -> None:
    assert list(find_unusual_phases(rows(*KNOWN_PHASES, "unknown", "unknown2"))) == []


def test_images_of_a_dynamic_series_pass() -> None:
    found = find_unusual_phases(rows("dce_0s", "dce_35s", "dce_35", "dce_late_s"))
    assert [number for number, _ in found] == [2, 3]


def test_each_word_is_named_once() -> None:
    found = list(find_unusual_phases(rows("portal", "art", "pv", "art", "portal")))
    assert [(n, p.code, p.is_error, p.patient_id, p.got) for n, p in found] == [
        (1, "phase-unusual", False, "", "'art' in 2 of 5 rows, of 2 patients"),
        (2, "phase-unusual", False, "P2", "'pv' in 1 of 5 rows, of 1 patient"),
    ]
    assert [p.next_step.split(".")[0] for _, p in found] == [
        "Write arterial if that is meant",
        "Write portal if that is meant",
    ]


@pytest.mark.parametrize(
    ("word", "standard"),
    [
        ("venous", "portal"),
        ("pvp", "portal"),
        ("late_arterial", "arterial"),
        ("arterial_phase", "arterial"),
        ("nect", "native"),
        ("equilibrium", "delayed"),
        ("hepatobiliary_phase", "hbp"),
        ("t1w", "t1"),
        ("phase2", ""),
        ("subtraction", ""),
    ],
)
def test_standard_words(word: str, standard: str) -> None:
    assert standard_word(word) == standard


def test_words_of_the_users_own_are_no_error() -> None:
    ((_, problem),) = find_unusual_phases(rows("perfusion_k"))
    assert not problem.is_error
    assert problem.next_step.startswith("A word of your own is kept")
