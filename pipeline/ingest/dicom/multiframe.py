"""Enhanced multi-frame headers: what single-frame images say flat, said frame by frame.

Enhanced CT, MR and PET and their legacy converted forms keep the attributes of a frame in
functional groups, shared by all frames or one a frame (DICOM PS3.3 C.7.6.16).
"""

from collections.abc import Mapping

import pydicom
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement

GROUP_KEYWORDS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
"""The two sequences of functional groups."""

_CLASSIC: Mapping[str, str] = {
    "FrameType": "ImageType",
    "EffectiveEchoTime": "EchoTime",
    "FrameAcquisitionNumber": "AcquisitionNumber",
    "FrameAcquisitionDateTime": "AcquisitionDateTime",
    "FrameReferenceDateTime": "ContentTime",
    "TemporalPositionIndex": "TemporalPositionIdentifier",
    "TemporalPositionTimeOffset": "TriggerTime",
    "NominalCardiacTriggerDelayTime": "TriggerTime",
}
"""Enhanced attributes and the single-frame ones of the same meaning."""

_RENAMED = {tag_for_keyword(new): tag_for_keyword(old) for new, old in _CLASSIC.items()}


def has_functional_groups(header: pydicom.Dataset) -> bool:
    """Tell whether a header keeps its attributes frame by frame."""
    return all(keyword in header for keyword in GROUP_KEYWORDS)


def frame_header(header: pydicom.Dataset, frame: int) -> pydicom.Dataset:
    """Return the header of one frame in the form of a single-frame image.

    Parameters
    ----------
    header : pydicom.Dataset
        Of an enhanced multi-frame image.
    frame : int
        From 0.

    Returns
    -------
    pydicom.Dataset
        The attributes of the file, overlaid by those of the shared groups, then the frame's own.

    Raises
    ------
    IndexError
        If there are fewer frames in the per-frame groups.
    """
    flat = pydicom.Dataset()
    for element in header:
        if element.keyword not in GROUP_KEYWORDS:
            flat[element.tag] = element
    shared, frames = (header[keyword].value for keyword in GROUP_KEYWORDS)
    for groups in (*shared[:1], frames[frame]):
        _overlay(flat, groups)
    if "InstanceNumber" not in _own_converted(frames[frame]):
        flat.InstanceNumber = frame + 1
    return flat


def _overlay(flat: pydicom.Dataset, groups: pydicom.Dataset) -> None:
    for sequence in groups:
        for element in sequence.value[0] if sequence.VR == "SQ" and sequence.value else ():
            flat[element.tag] = element
            classic = _RENAMED.get(int(element.tag))
            if classic is not None:
                flat[classic] = DataElement(classic, element.VR, element.value)


def _own_converted(groups: pydicom.Dataset) -> pydicom.Dataset:
    """Return what a conversion from single-frame images kept of this frame's own header."""
    found = groups.get("UnassignedPerFrameConvertedAttributesSequence")
    return found[0] if found else pydicom.Dataset()
