import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.domain.cohort import ScanRow
from pipeline.domain.reading import DEFAULT_READING
from pipeline.domain.scan import Modality, Timepoint
from pipeline.ingest import source_memory
from pipeline.ingest.source_memory import SourceMemory
from pipeline.store.results import ResultStore

ROW = ScanRow(
    patient_id="P1",
    timepoint=Timepoint.PREOP,
    modality=Modality.CT,
    phase="portal",
    image="ct",
    mask="mask.nii.gz",
)


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SourceMemory:
    """A DICOM folder and a mask that settled at once, and their memory."""
    monkeypatch.setattr(source_memory, "_SETTLED_AFTER_NS", 0)
    (tmp_path / "ct").mkdir()
    for number in range(3):
        (tmp_path / "ct" / f"{number}.dcm").write_bytes(bytes(10))
    (tmp_path / "mask.nii.gz").write_bytes(bytes(5))
    return SourceMemory(ResultStore(tmp_path / "store"), tmp_path, DEFAULT_READING)


def _knows(memory: SourceMemory, row: ScanRow = ROW, purpose: str = "features") -> bool:
    return memory.recall(memory.look(row, purpose)) == "key"


def test_untouched_files_lead_to_the_key_found_before(memory: SourceMemory) -> None:
    assert not _knows(memory)
    memory.remember(memory.look(ROW, "features"), "key")
    assert _knows(memory)
    assert not _knows(memory, purpose="features of another bin width")
    assert not _knows(memory, replace(ROW, mask_label="2"))
    assert not _knows(replace(memory, reading=replace(DEFAULT_READING, resample_masks=True)))


def test_a_mask_replaced_under_its_name_and_with_its_times_is_noticed(memory: SourceMemory) -> None:
    memory.remember(memory.look(ROW, "features"), "key")
    mask = memory.images / "mask.nii.gz"
    before = mask.stat()
    mask.write_bytes(b"other"[:5])
    os.utime(mask, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert mask.stat().st_size == before.st_size
    assert not _knows(memory)


def test_one_slice_more_less_or_replaced_is_noticed(memory: SourceMemory) -> None:
    memory.remember(memory.look(ROW, "features"), "key")
    folder = memory.images / "ct"
    shutil.copy(folder / "0.dcm", folder / "3.dcm")
    assert not _knows(memory)
    (folder / "3.dcm").unlink()
    assert _knows(memory)
    (folder / "2.dcm").write_bytes(bytes(10))
    assert not _knows(memory)


def test_naming_one_slice_looks_at_its_whole_folder(memory: SourceMemory) -> None:
    row = replace(ROW, image="ct/0.dcm")
    memory.remember(memory.look(row, "features"), "key")
    (memory.images / "ct" / "1.dcm").write_bytes(bytes(11))
    assert not _knows(memory, row)


def test_files_changed_only_just_now_are_not_remembered(
    memory: SourceMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_memory, "_SETTLED_AFTER_NS", 60_000_000_000)
    assert time.time() - (memory.images / "mask.nii.gz").stat().st_ctime < 60
    assert memory.look(ROW, "features") is None
    memory.remember(None, "key")
    assert memory.recall(None) is None


def test_a_missing_file_has_no_look(memory: SourceMemory) -> None:
    assert memory.look(replace(ROW, mask="absent.nii.gz"), "features") is None


@pytest.mark.parametrize(
    ("name", "header", "alone"),
    [
        ("ct.nrrd", b"NRRD0004\ntype: short\nencoding: raw\n\n\0\1data file: no header\n\n", True),
        ("ct.nrrd", b"NRRD0004\ntype: short\ndata file: voxels.raw\n\n", False),
        ("ct.nrrd", b"NRRD0004\r\ntype: short\r\nDatafile: voxels.raw\r\n\r\n", False),
        ("ct.nhdr", b"NRRD0004\ntype: short\ndata file: voxels.raw\n\n", False),
        ("ct.mha", b"NDims = 3\nElementDataFile = LOCAL\n", True),
        ("ct.mha", b"NDims = 3\nElementDataFile = voxels.raw\n", False),
    ],
)
def test_voxels_beside_their_header_are_looked_at(
    memory: SourceMemory, name: str, header: bytes, alone: bool
) -> None:
    folder = memory.images / "split"
    folder.mkdir()
    (folder / name).write_bytes(header)
    (folder / "voxels.raw").write_bytes(bytes(10))
    row = replace(ROW, image=f"split/{name}")
    memory.remember(memory.look(row, "features"), "key")
    assert _knows(memory, row)
    (folder / "voxels.raw").write_bytes(b"0123456789")
    assert _knows(memory, row) == alone


def test_a_store_that_cannot_be_written_is_said_and_no_failure(
    memory: SourceMemory, caplog: pytest.LogCaptureFixture
) -> None:
    memory.store.root.write_text("a file, no folder")
    memory.remember(memory.look(ROW, "features"), "key")
    assert "Files will be read again by the next run" in caplog.text
