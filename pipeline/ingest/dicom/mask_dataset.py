"""Open DICOM files that hold masks: the one place where pydicom's errors become messages.

pydicom meets damaged files with exceptions of many types, some while reading the file and some
only when an attribute is first used, so everything that touches a dataset runs in
:func:`damage_reported`.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pydicom
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from pipeline.ingest.codes import Code
from pipeline.ingest.dicom.header import PARSE_ERRORS, open_dataset, parse, quiet_pydicom
from pipeline.ingest.read_error import ReadError

_SYNTAX_OF_ENCODING: dict[tuple[bool, bool] | tuple[None, None], UID] = {
    # Keys: implicit types, little endian.
    (True, True): ImplicitVRLittleEndian,
    (False, True): ExplicitVRLittleEndian,
    (False, False): ExplicitVRBigEndian,
}

_DAMAGE = (
    *PARSE_ERRORS,
    RuntimeError,  # decoders of compressed frames
    UserWarning,  # a file that ends early, see damage_reported
)


@contextmanager
def damage_reported(path: Path) -> Iterator[None]:
    """Turn whatever pydicom raises on a damaged file into a ReadError, and silence its warnings.

    Its warnings are about texts that are longer than allowed and the like, which do not change a
    mask, and they quote values that can identify a patient; the errors' messages do so too and are
    therefore not passed on.
    """
    try:
        with quiet_pydicom():
            # pydicom only warns of a file that ends early, and returns what there is.
            warnings.filterwarnings("error", message="(?i).*end of file")
            yield
    except _DAMAGE as error:
        raise unreadable_mask(
            path, "an intact DICOM mask", f"damaged or missing attributes ({type(error).__name__})"
        ) from None


def read_dataset(path: Path, keywords: Sequence[str] | None = None) -> pydicom.Dataset:
    """Read a DICOM file; call it, and use what it returns, in :func:`damage_reported`.

    Parameters
    ----------
    path : Path
        The file.
    keywords : sequence of str, optional
        The attributes to read, without pixels; all where absent.

    Raises
    ------
    ReadError
        If a deflated file would unpack to more than is allowed.
    """
    with open_dataset(path) as stream:
        if keywords is not None:
            return parse(stream, keywords)
        dataset = pydicom.dcmread(stream, force=True)
    if "TransferSyntaxUID" not in dataset.file_meta:
        # Inflated, or without meta information; pixels are encoded as the header was found to be.
        dataset.file_meta.TransferSyntaxUID = _SYNTAX_OF_ENCODING[dataset.original_encoding]
    return dataset


def unreadable_mask(path: Path, expected: str, got: str) -> ReadError:
    """Return the error of a damaged mask, for the caller to raise."""
    return ReadError(
        path,
        "cannot be read as a DICOM mask",
        expected=expected,
        got=got,
        next_step="Export the mask again from its source.",
        code=Code.IMAGE_UNREADABLE,
    )
