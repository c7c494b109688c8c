import hashlib
import json
import logging
import multiprocessing
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.domain.errors import CaseError, ConfigError
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.store import keys
from pipeline.store.keys import content_key, derived_key, identify_software
from pipeline.store.results import STORE_VARIABLE, Kind, ResultStore, default_store_root

GRID = Geometry((2, 3, 4), (1.0, 1.0, 2.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
SCAN = Scan(np.arange(24, dtype=np.int16).reshape(4, 3, 2), GRID, Modality.CT)
REGION = Region(SCAN.voxels > 10, GRID, "tumour")
SETTINGS = {"binWidth": 25, "classes": {"glcm": []}}
KEY = content_key(SCAN, {"tumour": REGION}, SETTINGS, "engine 1")
FEATURES, PREPARED = Kind("features", ".parquet"), Kind("prepared", ".bin")


def _payload(root: Path) -> Path:
    (file,) = (root / "features" / KEY[:2]).glob(f"{KEY}-*.parquet")
    return file


def test_a_result_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    store = ResultStore(tmp_path)
    store.save(FEATURES, KEY, b"payload", {"made_by": "engine 1"})
    assert store.load(FEATURES, KEY) == b"payload"
    assert store.load(PREPARED, KEY) is None


@pytest.mark.parametrize("kept", [0, 1, 6])
def test_a_half_written_entry_counts_as_absent(
    tmp_path: Path, kept: int, caplog: pytest.LogCaptureFixture
) -> None:
    store = ResultStore(tmp_path)
    store.save(FEATURES, KEY, b"payload", {"made_by": "engine 1"})
    file = _payload(tmp_path)
    file.write_bytes(file.read_bytes()[:kept])
    with caplog.at_level(logging.WARNING):
        assert store.load(FEATURES, KEY) is None
    assert "damaged" in caplog.text


def test_a_changed_byte_counts_as_absent_and_is_mended_by_saving(tmp_path: Path) -> None:
    store = ResultStore(tmp_path)
    store.save(FEATURES, KEY, b"payload", {"made_by": "engine 1"})
    file = _payload(tmp_path)
    file.write_bytes(file.read_bytes()[:-1] + b"X")
    assert store.load(FEATURES, KEY) is None
    store.save(FEATURES, KEY, b"payload", {"made_by": "engine 1"})
    assert store.load(FEATURES, KEY) == b"payload"


def test_an_entry_is_its_payload_and_a_manifest_and_nothing_else_is_left(tmp_path: Path) -> None:
    ResultStore(tmp_path).save(FEATURES, KEY, b"payload", {"made_by": "engine 1"})
    files = sorted(path.name for path in tmp_path.rglob("*") if path.is_file())
    checksum = hashlib.sha256(b"payload").hexdigest()
    assert files == [f"{KEY}-{checksum[:8]}.parquet", f"{KEY}.json"]
    assert _payload(tmp_path).read_bytes() == b"payload"
    manifest = json.loads((tmp_path / "features" / KEY[:2] / f"{KEY}.json").read_text())
    assert manifest == {"sha256": checksum, "bytes": 7, "made_by": "engine 1"}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff"])
def test_a_damaged_manifest_counts_as_absent(tmp_path: Path, content: bytes) -> None:
    store = ResultStore(tmp_path)
    store.save(FEATURES, KEY, b"payload", {})
    (tmp_path / "features" / KEY[:2] / f"{KEY}.json").write_bytes(content)
    assert store.load(FEATURES, KEY) is None


def test_a_payload_that_is_gone_counts_as_absent(tmp_path: Path) -> None:
    store = ResultStore(tmp_path)
    store.save(FEATURES, KEY, b"payload", {})
    _payload(tmp_path).unlink()
    assert store.load(FEATURES, KEY) is None


@pytest.mark.parametrize(
    "other",
    [
        derived_key("ab", SETTINGS, "engine 2"),
        derived_key("ac", SETTINGS, "engine 1"),
        derived_key("ab", {**SETTINGS, "binWidth": 26}, "engine 1"),
    ],
)
def test_everything_that_decides_a_derived_result_decides_its_key(other: str) -> None:
    assert other != derived_key("ab", SETTINGS, "engine 1")


def _save_often(root: Path, fill: int) -> None:
    for _ in range(50):
        ResultStore(root).save(FEATURES, KEY, bytes([fill]) * 100_000, {})


def test_two_processes_may_write_one_entry_while_a_third_reads(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_save_often, args=(tmp_path, fill)) for fill in (1, 2)]
    for writer in writers:
        writer.start()
    seen = set()
    while any(writer.is_alive() for writer in writers):
        content = ResultStore(tmp_path).load(FEATURES, KEY)
        if content is not None:
            seen.add(content)
    assert seen <= {b"\x01" * 100_000, b"\x02" * 100_000}
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert ResultStore(tmp_path).load(FEATURES, KEY) is not None


def test_the_key_does_not_depend_on_memory_layout_or_the_order_of_settings() -> None:
    turned = Scan(np.asfortranarray(SCAN.voxels), GRID, Modality.CT)
    settings = json.loads(json.dumps(dict(reversed(SETTINGS.items()))))
    assert content_key(turned, {"tumour": REGION}, settings, "engine 1") == KEY


@pytest.mark.parametrize(
    "other",
    [
        content_key(
            replace(SCAN, voxels=SCAN.voxels + 1), {"tumour": REGION}, SETTINGS, "engine 1"
        ),
        content_key(
            replace(SCAN, voxels=SCAN.voxels.astype("<u2")),
            {"tumour": REGION},
            SETTINGS,
            "engine 1",
        ),
        content_key(
            replace(SCAN, geometry=replace(GRID, spacing_mm=(1.0, 1.0, 2.0000001))),
            {"tumour": REGION},
            SETTINGS,
            "engine 1",
        ),
        content_key(replace(SCAN, modality=Modality.MR), {"tumour": REGION}, SETTINGS, "engine 1"),
        content_key(SCAN, {"liver": REGION}, SETTINGS, "engine 1"),
        content_key(SCAN, {"tumour": replace(REGION, inside=~REGION.inside)}, SETTINGS, "engine 1"),
        content_key(SCAN, {"tumour": REGION}, {**SETTINGS, "binWidth": 26}, "engine 1"),
        content_key(SCAN, {"tumour": REGION}, SETTINGS, "engine 2"),
    ],
)
def test_everything_that_decides_a_result_decides_the_key(other: str) -> None:
    assert other != KEY


def test_the_environment_names_the_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(STORE_VARIABLE, str(tmp_path))
    assert default_store_root() == tmp_path
    monkeypatch.setenv(STORE_VARIABLE, "relative/store")
    with pytest.raises(ConfigError, match="expected an absolute path, got 'relative/store'"):
        default_store_root()
    monkeypatch.delenv(STORE_VARIABLE)
    monkeypatch.chdir(tmp_path)
    assert default_store_root() == tmp_path / "data" / "store"


def test_a_store_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file, no folder")
    with pytest.raises(CaseError, match=r"store cannot be written \(.+\)\. Free space there"):
        ResultStore(tmp_path / "store").save(FEATURES, KEY, b"payload", {})


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
def test_a_write_that_fails_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    import resource

    store = ResultStore(tmp_path)
    store.save(FEATURES, KEY, b"payload", {})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(CaseError, match=r"cannot be written \(File too large\)"):
            store.save(FEATURES, KEY, bytes(2000), {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 2
    assert store.load(FEATURES, KEY) == b"payload"


def test_changed_code_and_other_libraries_are_other_software(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "_ROOT", tmp_path)
    (tmp_path / "engine" / "kernels").mkdir(parents=True)
    source, compiled = tmp_path / "engine" / "sum.py", tmp_path / "engine" / "kernels" / "k.so"
    names = set()
    for code, binary in (("a", b"1"), ("b", b"1"), ("b", b"2")):
        source.write_text(code)
        compiled.write_bytes(binary)
        names.add(identify_software(["engine"], ["numpy"]))
    names |= {identify_software(["engine"], libraries) for libraries in ([], ["numpy", "absent"])}
    assert len(names) == 5
    (tmp_path / "engine" / "notes.md").write_text("no code")
    assert identify_software(["engine"], ["numpy"]) in names
