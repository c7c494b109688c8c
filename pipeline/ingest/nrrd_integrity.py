"""Whether the header of a NRRD file asks for nothing that must not be done.

ITK's reader checks length and checksum of the voxels itself. Header:
https://teem.sourceforge.net/nrrd/format.html
"""

import re
from pathlib import Path

from pipeline.ingest.integrity import TRAILING_BYTES, check_one_file, damaged, data_file_beside
from pipeline.ingest.limits import check_expansion

_HEADER_BYTES = 1 << 20
"""Headers of segmentations with hundreds of segments take a tenth of this."""

# Looked for in the whole head, beyond the blank line that ends a header: better a false alarm
# than a data file that only the other reader sees. In voxels the words do not occur by chance.
_DATA_FILE = re.compile(rb"^[ \t]*data ?file[ \t]*:[ \t]*([^\r\n]*)", re.M | re.I)
# A comment, a key and a value of the writer's own, or a field.
_LINE = re.compile(rb"#[^\0]{0,500}|[^\0:=]{1,200}:=[^\0]*|[A-Za-z ]{1,40}:[^\0]{0,500}")
_ENCODING = re.compile(rb"^[ \t]*encoding[ \t]*:[ \t]*(\w*)", re.M | re.I)
_BYTE_SKIP = re.compile(rb"^[ \t]*byte ?skip[ \t]*:[ \t]*([^\r\n]*)", re.M | re.I)


def check_nrrd_header(path: Path) -> None:
    """Refuse a header whose voxels lie outside its folder, in several files, or without end.

    Run before ITK sees the file: it would open whatever is named, and where a header asks it to
    skip bytes of a compressed stream it decompresses all of it, however long, and a long line
    that is none of a header ends the process (seen with SimpleITK 2.5.7).

    Raises
    ------
    ReadError
        If it does.
    """
    head = _read_head(path)
    _check_lines(path, head)
    _data_file(path, head)
    if any(match.group(1).lower() != b"raw" for match in _ENCODING.finditer(head)):
        for match in _BYTE_SKIP.finditer(head):
            _check_skip(path, match.group(1).decode("latin-1").strip())


def check_nrrd_size(path: Path, announced_bytes: int) -> None:
    """Refuse a header that announces more voxels than its data file can hold, compressed or not.

    Parameters
    ----------
    path : Path
        The header.
    announced_bytes : int
        Bytes of all voxels in memory.

    Raises
    ------
    ReadError
        If it does.
    """
    check_expansion(path, _data_file(path, _read_head(path)).stat().st_size, announced_bytes)


def _read_head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(_HEADER_BYTES)


def _data_file(path: Path, head: bytes) -> Path:
    data = path
    for match in _DATA_FILE.finditer(head):
        place = match.group(1).decode("latin-1").strip()
        check_one_file(path, place, field="data file:", single=".nrrd")
        data = data_file_beside(path, place)
    return data


def _check_lines(path: Path, head: bytes) -> None:
    """Refuse lines that are none of a header: ITK's complaint about a long one ends the process."""
    for line in head.splitlines()[1:]:
        if not line:
            return
        if not _LINE.fullmatch(line):
            expected = "header lines of a name, a colon and at most 500 signs"
            raise damaged(path, expected, repr(line[:40]))


def _check_skip(path: Path, text: str) -> None:
    if not text.isdecimal() or int(text[:20]) > TRAILING_BYTES:
        raise damaged(
            path, f"a byte skip from 0 to {TRAILING_BYTES} in compressed voxels", repr(text[:40])
        )
