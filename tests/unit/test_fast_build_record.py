import hashlib
import json
from pathlib import Path

import pytest

from pipeline.domain.errors import InstallationError
from pipeline.features.fast import build_record
from pipeline.features.fast.build_record import RECORD, find_built


def _compile(folder: Path, text: str) -> None:
    (folder / "one.pyx").write_text(text)
    checksum = hashlib.sha256(text.encode()).hexdigest()
    (folder / RECORD).write_text(json.dumps({"one.pyx": checksum}))


def test_kernels_of_the_source_beside_them_are_taken(tmp_path: Path) -> None:
    _compile(tmp_path, "def f(): pass\n")
    find_built(tmp_path)


def test_a_source_that_changed_after_the_set_up_is_refused(tmp_path: Path) -> None:
    _compile(tmp_path, "def f(): pass\n")
    (tmp_path / "one.pyx").write_text("def f(): return 1\n")
    with pytest.raises(InstallationError, match=r"one\.pyx changed since the set-up\. Run `make"):
        find_built(tmp_path)


def test_a_new_source_that_was_not_compiled_is_refused(tmp_path: Path) -> None:
    _compile(tmp_path, "def f(): pass\n")
    (tmp_path / "two.pyx").write_text("")
    with pytest.raises(InstallationError, match=r"two\.pyx"):
        find_built(tmp_path)


def test_a_copy_without_kernels_takes_those_compiled_from_the_same_source(tmp_path: Path) -> None:
    kernels = Path(build_record.__file__).parent / "kernels"
    for source in kernels.glob("*.pyx"):
        (tmp_path / source.name).write_bytes(source.read_bytes())
    assert find_built(tmp_path) == kernels
    (tmp_path / "mesh.pyx").write_text("changed")
    with pytest.raises(InstallationError, match=r"mesh\.pyx changed"):
        find_built(tmp_path)


def test_kernels_that_were_never_compiled_are_said_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_record, "_DISTRIBUTION", "not-installed-anywhere")
    with pytest.raises(InstallationError, match="compiled kernels are missing"):
        find_built(tmp_path)


def test_a_record_that_was_not_written_to_its_end_counts_as_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_record, "_DISTRIBUTION", "not-installed-anywhere")
    (tmp_path / RECORD).write_text('{"one.pyx": "ab')
    with pytest.raises(InstallationError, match="compiled kernels are missing"):
        find_built(tmp_path)


def test_without_sources_as_in_a_wheel_the_record_is_enough(tmp_path: Path) -> None:
    (tmp_path / RECORD).write_text('{"one.pyx": "ab"}')
    assert find_built(tmp_path) == tmp_path
