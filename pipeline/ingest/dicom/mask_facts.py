"""What the header of a DICOM SEG or RTSTRUCT says, without reading its voxels or contours."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pydicom

from pipeline.ingest.codes import Code
from pipeline.ingest.dicom.attributes import optional_number, optional_text
from pipeline.ingest.dicom.mask_dataset import damage_reported, read_dataset
from pipeline.ingest.dicom.mask_kinds import MASK_CLASSES, MaskKind
from pipeline.ingest.dicom.mask_labels import Labelled
from pipeline.ingest.dicom.segment_frames import read_segments
from pipeline.ingest.dicom.structure_set import read_regions
from pipeline.ingest.read_error import ReadError

_TAGS = (
    "SpecificCharacterSet",
    "SOPClassUID",
    "PatientID",
    "StudyInstanceUID",
    "FrameOfReferenceUID",
    "SeriesDescription",
    "SeriesNumber",
    "ReferencedSeriesSequence",
    "SegmentSequence",
    "ReferencedFrameOfReferenceSequence",
    "StructureSetROISequence",
    "ROIContourSequence",
    "SegmentationType",
    "PixelPaddingValue",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskFacts:
    """What a mask's header says about it, in memory only.

    Parameters
    ----------
    kind : str
        ``SEG`` or ``RTSTRUCT``.
    patient_id, study_uid, frame_of_reference, referenced_series_uid : str
        Identifiers, each empty where the header lacks it; only to be compared, never written.
    regions : tuple of Labelled
        Numbers and names of the segments (without a background) or of the regions of interest
        that have contours, in the file's order.
    series_description : str
        Empty where absent.
    series_number : int or None
        As in the header.
    algorithm : str
        ``AUTOMATIC``, ``SEMIAUTOMATIC`` or ``MANUAL`` where all segments agree, else empty.
    """

    kind: MaskKind
    patient_id: str = field(repr=False)
    study_uid: str = field(repr=False)
    frame_of_reference: str = field(repr=False)
    referenced_series_uid: str = field(repr=False)
    regions: tuple[Labelled, ...]
    series_description: str
    series_number: int | None
    algorithm: str

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the regions, in the file's order."""
        return tuple(region.name for region in self.regions)


def is_dicom_mask(path: Path) -> bool:
    """Tell whether a file is a DICOM SEG or RTSTRUCT; False for files that cannot be read."""
    try:
        with damage_reported(path):
            return mask_kind(read_dataset(path, ("SOPClassUID",))) is not None
    except ReadError:
        return False


def read_mask_facts(path: Path) -> MaskFacts:
    """Read what the header of a SEG or RTSTRUCT says.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    MaskFacts
        Its identifiers must not leave the memory.

    Raises
    ------
    ReadError
        If the file is damaged or neither SEG nor RTSTRUCT.
    """
    with damage_reported(path):
        header = read_dataset(path, _TAGS)
        kind = mask_kind(header)
        if kind is None:
            raise ReadError(
                path,
                "is not a DICOM mask",
                expected="a DICOM SEG or RTSTRUCT",
                got="DICOM of another kind",
                next_step="Correct the path.",
                code=Code.MASK_KIND,
            )
        return _facts(header, kind)


def mask_kind(header: pydicom.Dataset) -> MaskKind | None:
    """Return which kind of mask a file is by its SOP class, None if it is none."""
    return MASK_CLASSES.get(str(header.get("SOPClassUID", "")))


def _facts(header: pydicom.Dataset, kind: MaskKind) -> MaskFacts:
    frames, series, algorithms = (
        _segmentation_lists(header) if kind == "SEG" else _structure_lists(header)
    )
    number = optional_number(header, "SeriesNumber")
    return MaskFacts(
        kind=kind,
        patient_id=optional_text(header, "PatientID"),
        study_uid=optional_text(header, "StudyInstanceUID"),
        frame_of_reference=_only(frames),
        referenced_series_uid=_only(series),
        regions=read_segments(header) if kind == "SEG" else read_regions(header),
        series_description=optional_text(header, "SeriesDescription"),
        series_number=None if number is None else int(number),
        algorithm=_only(algorithms),
    )


_Lists = tuple[list[str], list[str], list[str]]


def _segmentation_lists(header: pydicom.Dataset) -> _Lists:
    segments = header.get("SegmentSequence") or []
    return (
        [optional_text(header, "FrameOfReferenceUID")],
        _texts(header.get("ReferencedSeriesSequence") or [], "SeriesInstanceUID"),
        _texts(segments, "SegmentAlgorithmType"),
    )


def _structure_lists(header: pydicom.Dataset) -> _Lists:
    regions = header.get("StructureSetROISequence") or []
    return (
        _texts(regions, "ReferencedFrameOfReferenceUID"),
        _texts(_referenced_series(header), "SeriesInstanceUID"),
        _texts(regions, "ROIGenerationAlgorithm"),
    )


def _referenced_series(header: pydicom.Dataset) -> Iterator[pydicom.Dataset]:
    """Yield the image series that an RTSTRUCT was drawn on (PS3.3 C.8.8.5)."""
    for frame in header.get("ReferencedFrameOfReferenceSequence") or []:
        for study in frame.get("RTReferencedStudySequence") or []:
            yield from study.get("RTReferencedSeriesSequence") or []


def _texts(items: Iterable[pydicom.Dataset], keyword: str) -> list[str]:
    return [optional_text(item, keyword) for item in items]


def _only(texts: list[str]) -> str:
    """Return the text that all share, empty where they differ."""
    return texts[0] if len(set(texts)) == 1 else ""
