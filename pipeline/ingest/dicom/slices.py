"""One slice of an image: a file, or one frame of a multi-frame file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom

from pipeline.ingest.dicom.attributes import (
    number,
    numbers,
    optional_number,
    optional_text,
    optional_whole,
    words,
)
from pipeline.ingest.dicom.defects import Defect, find_defect
from pipeline.ingest.dicom.encoding import Encoding
from pipeline.ingest.dicom.facts import acquisition_moment

Vector = npt.NDArray[np.float64]

MARK_KEYWORDS: Mapping[str, str] = {
    "stack": "StackID",
    "temporal position": "TemporalPositionIdentifier",
    "acquisition number": "AcquisitionNumber",
    "echo time": "EchoTime",
    "b-value": "DiffusionBValue",
    "sequence name": "SequenceName",
    "image type": "ImageType",
    "convolution kernel": "ConvolutionKernel",
    "tube voltage": "KVP",
    "trigger time": "TriggerTime",
    "content time": "ContentTime",
}
"""Attributes that tell the phases, echoes or contrasts within one series apart."""

SLICE_KEYWORDS = (
    "SOPInstanceUID",
    "NumberOfFrames",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelSpacing",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "SliceThickness",
    "SpacingBetweenSlices",
    "RescaleSlope",
    "RescaleIntercept",
    "ModalityLUTSequence",
    "InstanceNumber",
    "StudyDate",
    "SeriesDate",
    "AcquisitionDate",
    "AcquisitionTime",
    "AcquisitionDateTime",
    *MARK_KEYWORDS.values(),
)
"""Attributes that :func:`make_slice` reads."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Where one slice lies and how its stored values are to be understood.

    Parameters
    ----------
    file : Path
        Its file.
    frame : int
        Index within the file, from 0.
    encoding : Encoding
        How the file stores its pixels.
    sop_uid : str
        Identifier of the file's object, empty where absent.
    position_mm : numpy.ndarray, shape (3,)
        Centre of the first voxel (LPS).
    orientation : numpy.ndarray, shape (6,)
        Direction cosines of the x axis, then of the y axis.
    pixel_spacing_mm : (float, float)
        Between rows, then between columns, as DICOM orders them.
    thickness_mm, between_mm : float or None
        SliceThickness and SpacingBetweenSlices.
    slope, intercept : float
        Value = slope x stored value + intercept.
    rescale_absent : tuple of str
        Those of RescaleSlope and RescaleIntercept that the header lacks; 1 and 0 then stand in.
    instance_number : int or None
        InstanceNumber of a file; the frame's index in a multi-frame file.
    acquired_at : str
        YYYYMMDDHHMMSS and fractions, empty where absent.
    marks : mapping of str to str
        Values of ``MARK_KEYWORDS`` and of the acquisition time, by their names.
    defect : Defect or None
        Why it cannot be read; positions and sizes are then meaningless.
    is_capture : bool
        Without a position, and derived or secondary by its ImageType: a picture of a screen or a
        report, no slice of the patient.
    """

    file: Path
    frame: int
    encoding: Encoding
    sop_uid: str = field(repr=False)
    position_mm: Vector
    orientation: Vector
    pixel_spacing_mm: tuple[float, float]
    thickness_mm: float | None
    between_mm: float | None
    slope: float
    intercept: float
    rescale_absent: tuple[str, ...]
    instance_number: int | None
    acquired_at: str = field(repr=False)
    marks: Mapping[str, str] = field(repr=False)
    defect: Defect | None = None
    is_capture: bool = False

    @property
    def normal(self) -> Vector:
        """Direction of the z axis: x times y, so that the grid is right-handed."""
        across = np.cross(self.orientation[:3], self.orientation[3:])
        return across / (np.linalg.norm(across) or 1.0)

    @property
    def label(self) -> str:
        """Name for messages: the file, and the frame (from 1) of a multi-frame file."""
        if self.encoding.frames == 1:
            return self.file.name
        return f"frame {self.frame + 1} of {self.file.name}"


def make_slice(header: pydicom.Dataset, file: Path, frame: int, encoding: Encoding) -> Slice:
    """Read one slice from its header.

    Parameters
    ----------
    header : pydicom.Dataset
        In the form of a single-frame image, see
        :func:`pipeline.ingest.dicom.multiframe.frame_header`.
    file, frame, encoding
        As in :class:`Slice`.

    Raises
    ------
    ValueError
        If an attribute of geometry or values is malformed; an absent or impossible one becomes the
        slice's defect. Others that are malformed count as absent.
    """
    rescale = {name: number(header, name) for name in ("RescaleSlope", "RescaleIntercept")}
    slope, intercept = rescale.values()
    spacing = numbers(header, "PixelSpacing", 2)
    plane = {
        "PixelSpacing": spacing,
        "ImagePositionPatient": numbers(header, "ImagePositionPatient", 3),
        "ImageOrientationPatient": numbers(header, "ImageOrientationPatient", 6),
        "RescaleSlope and RescaleIntercept": (
            1.0 if slope is None else slope,
            0.0 if intercept is None else intercept,
        ),
    }
    moment = _exact_moment(header)
    return Slice(
        file=file,
        frame=frame,
        encoding=encoding,
        sop_uid=optional_text(header, "SOPInstanceUID"),
        position_mm=np.array(plane["ImagePositionPatient"] or (0, 0, 0), dtype=float),
        orientation=np.array(plane["ImageOrientationPatient"] or (1, 0, 0, 0, 1, 0), dtype=float),
        pixel_spacing_mm=(1.0, 1.0) if spacing is None else (spacing[0], spacing[1]),
        thickness_mm=optional_number(header, "SliceThickness"),
        between_mm=optional_number(header, "SpacingBetweenSlices"),
        slope=1.0 if slope is None else slope,
        intercept=0.0 if intercept is None else intercept,
        rescale_absent=tuple(name for name, value in rescale.items() if value is None),
        instance_number=optional_whole(header, "InstanceNumber"),
        acquired_at=moment,
        marks=_marks(header, moment),
        defect=find_defect(header, encoding, plane, file),
        is_capture=(
            plane["ImagePositionPatient"] is None and encoding.frames == 1 and _is_derived(header)
        ),
    )


def _is_derived(header: pydicom.Dataset) -> bool:
    return bool({"DERIVED", "SECONDARY"} & {word.upper() for word in words(header, "ImageType")})


def _marks(header: pydicom.Dataset, moment: str) -> dict[str, str]:
    marks = {name: optional_text(header, keyword) for name, keyword in MARK_KEYWORDS.items()}
    marks["acquisition time"] = moment
    return {name: value for name, value in marks.items() if value}


def _exact_moment(header: pydicom.Dataset) -> str:
    """Return when the acquisition began, with the decimals of the second where there are any."""
    moment = acquisition_moment(header)
    if not moment:
        return ""
    value = optional_text(header, "AcquisitionDateTime") or optional_text(header, "AcquisitionTime")
    decimals = value.partition(".")[2][:6]
    return f"{moment}.{decimals}" if decimals.isdigit() else moment
