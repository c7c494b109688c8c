"""What the checks of stored files share: the errors of damaged ones, numbers of headers.

ITK fills the missing part of a truncated NIfTI file with zeros, ignores the checksum of a
compressed one, replaces its NaN and infinite voxels by zero, returns garbage for a damaged
compressed MetaImage file, opens data files anywhere on the machine, and decompresses without end
where a header asks it to (all seen with SimpleITK 2.5.7). So each format has a check of its own
that runs before the voxels are read.
"""

from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path

from pipeline.ingest.codes import Code
from pipeline.ingest.read_error import ReadError

TRAILING_BYTES = 1 << 20
"""Bytes after the announced voxels that are let pass; some writers pad. A file with more is not
what its header says, and a compressed one could be made to decompress for hours."""

_CHUNK_BYTES = 1 << 20


def damaged(path: Path, expected: str, got: str) -> ReadError:
    """Return the error for a file that is not what its header says."""
    return ReadError(
        path,
        "is damaged or incomplete",
        expected=expected,
        got=got,
        next_step="Copy the file again from its source, or export it again.",
    )


def non_finite(path: Path, count: int) -> ReadError:
    """Return the error for voxels that are NaN or infinite."""
    return ReadError(
        path,
        "holds voxels that are not numbers",
        expected="finite values",
        got=f"{count} NaN or infinite voxels",
        next_step="Decide what they mean: set the background of PET and ADC maps to 0.",
        code=Code.NON_FINITE,
    )


def check_length(path: Path, got: int, expected: int) -> None:
    """Compare the bytes of a file's voxels with what its header announces.

    Parameters
    ----------
    path : Path
        The file, for the message.
    got : int
        Bytes found; a reader may stop counting beyond ``expected + TRAILING_BYTES``.
    expected : int
        Bytes announced.

    Raises
    ------
    ReadError
        If bytes are missing, or many more follow.
    """
    if got < expected:
        raise damaged(path, f"{expected} bytes of voxels", f"{got}")
    if got > expected + TRAILING_BYTES:
        raise damaged(path, f"{expected} bytes of voxels", f"at least {got}")


def chunks(stream: BufferedIOBase, most: int) -> Iterator[bytes]:
    """Yield the rest of a stream in pieces, at most ``most`` bytes of it."""
    left = most
    while left > 0 and (chunk := stream.read(min(_CHUNK_BYTES, left))):
        left -= len(chunk)
        yield chunk


def header_number(path: Path, text: str) -> int:
    """Read a whole number that is not negative from a header, ``352`` or ``352.0``.

    Raises
    ------
    ReadError
        If it is none.
    """
    try:
        number = float(text)
        if number >= 0 and number.is_integer():
            return int(number)
    except (ValueError, OverflowError):
        pass
    raise damaged(path, "whole numbers in the header", repr(text[:40]))


def data_file_beside(path: Path, written: str) -> Path:
    """Return the file that holds the voxels of a header, which must lie in the header's folder.

    Links are followed, so that no header can make a file elsewhere part of an image.

    Parameters
    ----------
    path : Path
        The header.
    written : str
        Name of the data file as the header gives it.

    Raises
    ------
    ReadError
        If there is no such file, or it lies elsewhere.
    """
    folder = path.parent.resolve()
    try:
        data = (folder / written).resolve()
        if not data.is_relative_to(folder):
            raise _outside(path, written)
        if data.is_file():
            return data
    except (OSError, RuntimeError, ValueError):  # too long; links in a circle; a NUL byte
        pass
    raise damaged(path, f"its data file {written[:100]} beside it", "no such file")


def check_one_file(path: Path, place: str, *, field: str, single: str) -> None:
    """Refuse a header that names a list or a pattern of data files.

    Parameters
    ----------
    path : Path
        The header.
    place : str
        The data file as the header gives it.
    field : str
        How the format writes the field, for the message.
    single : str
        Ending of the format's files that hold header and voxels, for the advice.

    Raises
    ------
    ReadError
        If it does.
    """
    if not (place.upper().startswith("LIST") or "%" in place):
        return
    raise ReadError(
        path,
        "spreads its voxels over several files",
        expected="voxels in one file",
        got=f"{field} {place[:100]}",
        next_step=f"Save the image as one {single} or .nii.gz file.",
        code=Code.IMAGE_KIND,
    )


def _outside(path: Path, written: str) -> ReadError:
    return ReadError(
        path,
        "names a data file outside its own folder",
        expected="a data file beside the header",
        got=written[:100],
        next_step="Put the data file beside its header, or save the image as one file.",
        code=Code.PATH_OUTSIDE,
    )
