"""Which result the files of a row led to, for as long as the files look untouched.

The store knows results by the voxels they were made from, so finding one means reading the image.
For a cohort of unchanged files that is nearly all the work of a second run. This memory maps how
the files look to the file system - size, times and number of each - to the key found last time, as
Git's index does for its working tree. A replaced file has another time of change, which no program
can set back; a file changed so recently that a second change could bear the same time is not
remembered.
"""

import hashlib
import json
import logging
import re
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipeline.domain.cohort import ScanRow
from pipeline.domain.errors import CaseError
from pipeline.domain.reading import Reading
from pipeline.store.keys import identify_software
from pipeline.store.results import Kind, ResultStore

SOURCES = Kind("sources", ".txt")
"""What files led to: the key of a result."""

FileState = tuple[str, int, int, int, int]
"""Path, number, size in bytes, and times of writing and of change in nanoseconds since 1970."""

_SETTLED_AFTER_NS = 2_000_000_000
"""Coarsest step of file times in use: two seconds, on FAT."""

_HOLD_VOXELS = {
    ".nii": re.compile(rb""),
    ".nii.gz": re.compile(rb""),
    ".nrrd": re.compile(rb"NRRD((?!\ndata ?file:).)*?\r?\n\r?\n", re.I | re.S),
    ".mha": re.compile(rb".*?\bElementDataFile *= *LOCAL\b", re.I | re.S),
}
"""How a file begins that holds all of an image; others belong to the files beside them."""

_HEAD_BYTES = 1 << 16

_READER_PACKAGES = ("pipeline/ingest", "pipeline/imaging", "pipeline/domain")
_LOG = logging.getLogger(__name__)

_READER_LIBRARIES = ("numpy", "pydicom", "SimpleITK", "pyjpegls", "pylibjpeg", "pylibjpeg-openjpeg")


@dataclass(frozen=True, slots=True)
class SourceMemory:
    """The memory of one cohort's files.

    Parameters
    ----------
    store : ResultStore
        Where it lies.
    images : Path
        The folder that the rows' paths are relative to.
    reading : Reading
        What the reader may do; it decides what comes out.
    """

    store: ResultStore
    images: Path
    reading: Reading

    def look(self, row: ScanRow, purpose: str) -> str | None:
        """Name what the files of a row look like now; take it before they are read.

        Parameters
        ----------
        row : ScanRow
            A row of ``scans.csv``.
        purpose : str
            What is made of the files, with all settings that decide it.

        Returns
        -------
        str or None
            None where a file is missing, or was changed so recently that another change might not
            show: nothing is to be remembered of such files.
        """
        masks = [row.mask, row.liver_mask, row.vessel_mask, row.muscle_mask]
        named = [row.image, *masks, *(other.mask for other in row.others)]
        try:
            looks = [list_file_states(self.images / name) for name in named if name]
        except OSError:
            return None
        files = [state for look in looks for state in look]
        newest_ns = max((changed_ns for *_, changed_ns in files), default=0)
        if not files or time.time_ns() - newest_ns < _SETTLED_AFTER_NS:
            return None
        labels = [row.mask_label, *(other.label for other in row.others)]
        meant = [row.modality, row.phase, row.united, labels, named]
        facts = [purpose, _reader(), repr(self.reading), meant, files]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()

    def recall(self, look: str | None) -> str | None:
        """Return the key that files of this look led to, or None where that is not known."""
        known = None if look is None else self.store.load(SOURCES, look)
        return None if known is None else known.decode()

    def remember(self, look: str | None, key: str) -> None:
        """Keep the key that files of this look led to, where the store can be written.

        Parameters
        ----------
        look : str or None
            Taken before the files were read, and the same afterwards.
        key : str
            What they led to.
        """
        if look is None:
            return
        try:
            self.store.save(SOURCES, look, key.encode(), {})
        except CaseError as error:  # the result does not hang on this
            _LOG.warning("Files will be read again by the next run: %s", error)


def list_file_states(path: Path) -> list[FileState]:
    """List what the file system says of all files of an image.

    Raises
    ------
    OSError
        If a file is not there.
    """
    return [_state(file) for file in _files(path)]


def _state(file: Path) -> FileState:
    state = file.stat()
    return (str(file), state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)


def _files(path: Path) -> list[Path]:
    path.stat()  # a missing file has no neighbours
    if path.is_file() and _holds_all(path):
        return [path]
    folder = path if path.is_dir() else path.parent
    return sorted(file for file in folder.rglob("*") if file.is_file())


def _holds_all(path: Path) -> bool:
    for ending, beginning in _HOLD_VOXELS.items():
        if path.name.lower().endswith(ending):
            if not beginning.pattern:
                return True
            with path.open("rb") as stream:
                return beginning.match(stream.read(_HEAD_BYTES)) is not None
    return False


@cache
def _reader() -> str:
    """Name the code that reads: another reader may see other voxels in the same files."""
    return identify_software(_READER_PACKAGES, _READER_LIBRARIES)
