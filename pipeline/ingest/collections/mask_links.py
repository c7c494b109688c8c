"""Find the image series that a DICOM mask was drawn on.

A mask names its series (PS3.3 C.8.20.2, C.8.8.5); where it does not, the frame of reference and
the study have to do, if they leave one series only. Where a series holds several phases, the mask
names the slices it was drawn on; the series alone would not tell, as the phases lie at the same
places.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydicom import Dataset

from pipeline.ingest.dicom.mask_dataset import damage_reported, read_dataset
from pipeline.ingest.dicom.mask_facts import MaskFacts
from pipeline.ingest.dicom.stacks import Stack

_ABSENT = "the series it was drawn on is not here"
_OF_ANOTHER = (
    "the series it was drawn on is here under another PatientID; correct the one that is wrong"
)
_FRAME_LISTS = ("PerFrameFunctionalGroupsSequence", "ROIContourSequence")
_SERIES_LISTS = ("ReferencedSeriesSequence", "ReferencedFrameOfReferenceSequence")


@dataclass(frozen=True, slots=True)
class Mask:
    """A mask of the source and what its header says."""

    path: Path
    facts: MaskFacts


@dataclass(frozen=True, slots=True)
class Link:
    """The stack that a mask belongs to, or why there is none."""

    stack: Stack | None
    reason: str = ""


def find_stack(
    mask: Mask, stacks: Sequence[Stack], all_series: frozenset[str] = frozenset()
) -> Link:
    """Return the stack that a mask was drawn on.

    Parameters
    ----------
    mask : Mask
        Of one patient.
    stacks : sequence of Stack
        All of the same patient.
    all_series : frozenset of str
        SeriesInstanceUIDs of all patients: a series that is there may be of another patient.

    Raises
    ------
    ReadError
        If the mask is damaged.
    """
    series = mask.facts.referenced_series_uid
    if series:
        named = [stack for stack in stacks if stack.facts.series_uid == series]
        if not named:
            return Link(None, _OF_ANOTHER if series in all_series else _ABSENT)
        return Link(named[0]) if len(named) == 1 else _by_slices(mask, named)
    alike = [stack for stack in stacks if shares_frame(mask.facts, stack)]
    if len(alike) == 1:
        return Link(alike[0])
    if not alike:
        return Link(None, "names no series, and no series shares its frame of reference")
    return Link(None, f"names no series, and {len(alike)} share its frame of reference")


def shares_frame(mask: MaskFacts, stack: Stack) -> bool:
    """Tell whether positions in a mask and a stack mean the same: one frame, one study."""
    frame = mask.frame_of_reference
    same_frame = bool(frame) and frame == stack.facts.frame_of_reference
    return same_frame and mask.study_uid == stack.facts.study_uid


def _by_slices(mask: Mask, parts: Sequence[Stack]) -> Link:
    with damage_reported(mask.path):
        header = read_dataset(mask.path, (*_FRAME_LISTS, *_SERIES_LISTS))
        named = _instances(header, _FRAME_LISTS) or _instances(header, _SERIES_LISTS)
    counts = [len(named & part.sop_uids) for part in parts]
    best = max(counts)
    if best and counts.count(best) == 1:
        return Link(parts[counts.index(best)])
    reason = f"its series holds {len(parts)} phases, and it does not say which it was drawn on"
    return Link(None, f"{reason}; --share-masks uses it for each")


def _instances(header: Dataset, keywords: Sequence[str]) -> set[str]:
    return {
        str(element.value)
        for keyword in keywords
        for item in header.get(keyword) or []
        for element in item.iterall()
        if element.keyword == "ReferencedSOPInstanceUID"
    }
