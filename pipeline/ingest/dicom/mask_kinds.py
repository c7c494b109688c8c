"""Which DICOM objects are masks."""

from typing import Literal

MaskKind = Literal["SEG", "RTSTRUCT"]
"""A kind of mask, by the code that its Modality has."""

MASK_CLASSES: dict[str, MaskKind] = {
    "1.2.840.10008.5.1.4.1.1.66.4": "SEG",
    "1.2.840.10008.5.1.4.1.1.66.7": "SEG",
    "1.2.840.10008.5.1.4.1.1.481.3": "RTSTRUCT",
}
"""SOP classes of Segmentation, Label Map Segmentation and RT Structure Set (DICOM PS3.4 B.5)."""
