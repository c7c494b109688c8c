"""How a DICOM tree is read: names of regions, which masks count, what a single visit is."""

from dataclasses import dataclass, field

from pipeline.domain.reading import DEFAULT_READING, Reading
from pipeline.domain.scan import Timepoint
from pipeline.ingest.collections.segment_names import RegionNames


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomRules:
    """How a tree is read.

    Parameters
    ----------
    names : RegionNames
        What tumour and liver are called.
    mask_description : str
        Series description of the masks to use; empty for all.
    only_visit : Timepoint
        What the visit of a patient with one is.
    share_masks : bool
        Whether a mask also serves the other series of its study and frame of reference.
    unmasked : bool
        Whether series without a mask of the tumour are imported too, for a mask to be drawn.
    reading : Reading
        What the readers may do.
    """

    names: RegionNames = field(default_factory=RegionNames)
    mask_description: str = ""
    only_visit: Timepoint = Timepoint.PREOP
    share_masks: bool = False
    unmasked: bool = False
    reading: Reading = DEFAULT_READING
