"""What the header of a series says about it, in memory only: it holds identifiers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pydicom

from pipeline.ingest.dicom.attributes import optional_number, optional_text

TECHNICAL_KEYWORDS = (
    "Manufacturer",
    "ManufacturerModelName",
    "KVP",
    "XRayTubeCurrent",
    "Exposure",
    "ConvolutionKernel",
    "ReconstructionDiameter",
    "SliceThickness",
    "SpacingBetweenSlices",
    "PixelSpacing",
    "MagneticFieldStrength",
    "ScanningSequence",
    "SequenceVariant",
    "RepetitionTime",
    "EchoTime",
    "InversionTime",
    "FlipAngle",
    "EchoTrainLength",
    "Units",
    "DecayCorrection",
)
"""Allow-list of technical attributes: how the image was made, nothing about whom or where."""

FACT_KEYWORDS = (
    "PatientID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "Modality",
    "StudyDate",
    "SeriesDate",
    "AcquisitionDate",
    "AcquisitionTime",
    "AcquisitionDateTime",
    "SeriesNumber",
    "StudyDescription",
    "SeriesDescription",
    "ProtocolName",
    "ImageType",
    "BodyPartExamined",
    "ContrastBolusAgent",
    "ContrastBolusStartTime",
    *TECHNICAL_KEYWORDS,
)
"""Attributes that :func:`read_facts` reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesFacts:
    """What headers say about a series. Identifiers never leave memory.

    Parameters
    ----------
    patient_id, study_uid, series_uid, frame_of_reference : str
        Identifiers, empty where absent.
    modality : str
        DICOM code, such as CT.
    study_date : str
        YYYYMMDD, empty where absent or malformed.
    acquired_at : str
        YYYYMMDDHHMMSS of the first slice acquired, empty where the header does not say.
    series_number : int or None
        As the scanner counts.
    study_description, series_description, protocol_name : str
        Text of the scanner or technician.
    image_type : tuple of str
        ORIGINAL or DERIVED, PRIMARY or SECONDARY, and more (PS3.3 C.7.6.1.1.2).
    body_part, contrast_agent, contrast_start_time : str
        As stored.
    thickness_mm : float or None
        SliceThickness.
    technical : mapping of str to str
        Attributes of ``TECHNICAL_KEYWORDS`` that are present.
    """

    patient_id: str = field(repr=False)
    study_uid: str = field(repr=False)
    series_uid: str = field(repr=False)
    frame_of_reference: str = field(repr=False)
    modality: str
    study_date: str = field(repr=False)
    acquired_at: str = field(repr=False)
    series_number: int | None
    study_description: str
    series_description: str
    protocol_name: str
    image_type: tuple[str, ...]
    body_part: str
    contrast_agent: str
    contrast_start_time: str = field(repr=False)
    thickness_mm: float | None
    technical: Mapping[str, str]


def read_facts(header: pydicom.Dataset) -> SeriesFacts:
    """Read what a header says; malformed attributes count as absent."""
    series_number = optional_number(header, "SeriesNumber")
    technical = {name: optional_text(header, name) for name in TECHNICAL_KEYWORDS}
    return SeriesFacts(
        patient_id=optional_text(header, "PatientID"),
        study_uid=optional_text(header, "StudyInstanceUID"),
        series_uid=optional_text(header, "SeriesInstanceUID"),
        frame_of_reference=optional_text(header, "FrameOfReferenceUID"),
        modality=optional_text(header, "Modality"),
        study_date=_date(optional_text(header, "StudyDate")),
        acquired_at=acquisition_moment(header),
        series_number=None if series_number is None else int(series_number),
        study_description=optional_text(header, "StudyDescription"),
        series_description=optional_text(header, "SeriesDescription"),
        protocol_name=optional_text(header, "ProtocolName"),
        image_type=tuple(filter(None, optional_text(header, "ImageType").split("\\"))),
        body_part=optional_text(header, "BodyPartExamined"),
        contrast_agent=optional_text(header, "ContrastBolusAgent"),
        contrast_start_time=optional_text(header, "ContrastBolusStartTime"),
        thickness_mm=optional_number(header, "SliceThickness"),
        technical={name: value for name, value in technical.items() if value},
    )


def acquisition_moment(header: pydicom.Dataset) -> str:
    """Return when the acquisition began as YYYYMMDDHHMMSS, empty where the header does not say.

    A time without its date takes that of the series or study.
    """
    both = re.match(r"\d{14}", optional_text(header, "AcquisitionDateTime"))
    if both:
        return both.group()
    time = re.match(r"\d{6}", optional_text(header, "AcquisitionTime").replace(":", ""))
    dates = (
        _date(optional_text(header, name))
        for name in ("AcquisitionDate", "SeriesDate", "StudyDate")
    )
    date = next(filter(None, dates), "")
    return date + time.group() if time and date else ""


def _date(value: str) -> str:
    """Return YYYYMMDD from that form or the older YYYY.MM.DD, else nothing."""
    digits = value.replace(".", "")
    return digits if re.fullmatch(r"\d{8}", digits) else ""
