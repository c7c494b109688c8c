"""What one file is: slices of an image, a mask, or something else that is set aside."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

import pydicom
from pydicom.uid import (
    EnhancedPETImageStorage,
    LegacyConvertedEnhancedPETImageStorage,
    MediaStorageDirectoryStorage,
    MRSpectroscopyStorage,
    ParametricMapStorage,
    PositronEmissionTomographyImageStorage,
)

from pipeline.domain.scan import Modality
from pipeline.ingest.codes import Code
from pipeline.ingest.dicom.attributes import text, words
from pipeline.ingest.dicom.defects import Defect
from pipeline.ingest.dicom.encoding import Encoding, make_encoding
from pipeline.ingest.dicom.header import (
    PARSE_ERRORS,
    SIGNATURE_BYTES,
    damaged_file,
    looks_like_dicom,
    open_dataset,
    parse,
    quiet_pydicom,
)
from pipeline.ingest.dicom.mask_kinds import MASK_CLASSES
from pipeline.ingest.dicom.multiframe import GROUP_KEYWORDS, frame_header, has_functional_groups
from pipeline.ingest.dicom.slices import SLICE_KEYWORDS, Slice, make_slice

LOCALISER_TYPES = frozenset({"LOCALIZER", "SCOUT", "TOPOGRAM"})
"""Values of ImageType that mark an overview image (PS3.3 C.8.2.1.1.1; SCOUT by some vendors)."""

MAX_FRAMES = 1 << 16
"""Frames of one file that are looked at; more would be a film, or a damaged header."""

_APPLE_DOUBLE = bytes.fromhex("00051607")
"""First bytes of the companions that macOS writes beside files on other disks (RFC 1740)."""

_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_MODALITY_BY_CLASS: dict[str, str] = {
    "1.2.840.10008.5.1.4.1.1.2": "CT",
    "1.2.840.10008.5.1.4.1.1.4": "MR",
    PositronEmissionTomographyImageStorage: "PT",
    EnhancedPETImageStorage: "PT",
    LegacyConvertedEnhancedPETImageStorage: "PT",
}
_OTHER_CLASSES: dict[str, str] = {
    MRSpectroscopyStorage: "spectra",
    ParametricMapStorage: "parametric map",
}
_KEYWORDS = (
    "SOPClassUID",
    "PatientID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "Modality",
    *SLICE_KEYWORDS,
    *GROUP_KEYWORDS,
)


@dataclass(frozen=True, slots=True)
class SeriesKey:
    """What the slices of one series have in common; held in memory only."""

    patient_id: str = field(repr=False)
    study_uid: str = field(repr=False)
    series_uid: str = field(repr=False)
    modality: str
    folder: str = ""
    """Only where the series has no identifier."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One DICOM file.

    Parameters
    ----------
    file : Path
        The file.
    key : SeriesKey
        Its series.
    slices : tuple of Slice
        Empty unless it is an image.
    is_mask : bool
        A SEG or RTSTRUCT.
    set_aside : str
        Why it is neither; else empty.
    """

    file: Path
    key: SeriesKey
    slices: tuple[Slice, ...] = ()
    is_mask: bool = False
    set_aside: str = ""


def read_instance(file: Path) -> Instance | None:
    """Read what a file is from its header.

    Returns
    -------
    Instance or None
        None where the file is not DICOM, a DICOMDIR, or the companion that macOS adds to a file.

    Raises
    ------
    ReadError
        If the file is DICOM, by its content or its name, and damaged.
    """
    try:
        with quiet_pydicom(), open_dataset(file) as stream:
            head = stream.read(SIGNATURE_BYTES)
            if looks_like_dicom(head):
                stream.seek(0)
                return _read(file, stream)
    except PARSE_ERRORS:
        raise damaged_file(file) from None
    _check_name(file, head)
    return None


def _check_name(file: Path, head: bytes) -> None:
    """Let other files pass, but not those that claim to be DICOM by their name."""
    is_companion = file.name.startswith("._") or head.startswith(_APPLE_DOUBLE)
    if file.suffix.lower() == ".dcm" and not is_companion:
        raise damaged_file(file, "no DICOM content")


def _read(file: Path, stream: BinaryIO) -> Instance | None:
    header = parse(stream, _KEYWORDS)
    meta = header.file_meta
    sop_class = text(header, "SOPClassUID") or text(meta, "MediaStorageSOPClassUID")
    if sop_class == MediaStorageDirectoryStorage:
        return None
    key = _series_key(header, sop_class, file)
    if key.modality in MASK_CLASSES.values() or sop_class in MASK_CLASSES:
        return Instance(file, key, is_mask=True)
    whole = "SeriesInstanceUID" in header  # which follows the class, and every object has
    if "Rows" not in header and (_modality_of(sop_class) or not whole):
        # Cut off in its header: set aside, it would be missing from its series unseen.
        raise damaged_file(file, "an image without size, or a file that breaks off")
    reason = _why_set_aside(header, key.modality, sop_class)
    if reason:
        return Instance(file, key, set_aside=reason)
    encoding = make_encoding(header, text(meta, "TransferSyntaxUID"), stream.tell())
    return Instance(file, key, _read_slices(header, file, encoding))


def _series_key(header: pydicom.Dataset, sop_class: str, file: Path) -> SeriesKey:
    series_uid = text(header, "SeriesInstanceUID")
    return SeriesKey(
        text(header, "PatientID"),
        text(header, "StudyInstanceUID"),
        series_uid,
        text(header, "Modality") or _modality_of(sop_class),
        "" if series_uid else str(file.parent),
    )


def _modality_of(sop_class: str) -> str:
    """Return the modality of an image class, its enhanced and legacy converted forms included."""
    for known, modality in _MODALITY_BY_CLASS.items():
        if sop_class == known or sop_class.startswith(f"{known}."):
            return modality
    return ""


def _why_set_aside(header: pydicom.Dataset, modality: str, sop_class: str) -> str:
    if "Rows" not in header:
        return f"no image but {modality or 'another DICOM object'}"
    if sop_class in _OTHER_CLASSES:
        return _OTHER_CLASSES[sop_class]
    if sop_class == _SECONDARY_CAPTURE or sop_class.startswith(f"{_SECONDARY_CAPTURE}."):
        return "secondary capture"
    if LOCALISER_TYPES & {word.upper() for word in words(header, "ImageType")}:
        return "localiser"
    if modality not in set(Modality):
        return f"image of modality {modality or 'unknown'}"
    return ""


def _read_slices(header: pydicom.Dataset, file: Path, encoding: Encoding) -> tuple[Slice, ...]:
    if has_functional_groups(header):
        announced, described = encoding.frames, len(header.PerFrameFunctionalGroupsSequence)
        if not 1 <= announced == described <= MAX_FRAMES:
            got = f"{announced} frames, {described} described"
            return (_broken(header, file, encoding, "one functional group a frame", got),)
        frames = (frame_header(header, frame) for frame in range(announced))
        return tuple(make_slice(flat, file, frame, encoding) for frame, flat in enumerate(frames))
    if encoding.frames > 1:
        got = f"{encoding.frames} frames without them"
        return (_broken(header, file, encoding, "functional groups (enhanced DICOM)", got),)
    return (make_slice(header, file, 0, encoding),)


def _broken(
    header: pydicom.Dataset, file: Path, encoding: Encoding, expected: str, got: str
) -> Slice:
    item = make_slice(header, file, 0, encoding)
    what = "is multi-frame DICOM of a kind that is not read"
    return replace(item, defect=Defect(what, expected, got, Code.IMAGE_KIND))
