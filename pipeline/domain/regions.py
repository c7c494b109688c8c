"""Regions that features are taken from, by name."""

from enum import StrEnum


class RegionName(StrEnum):
    """A region of a scan."""

    TUMOUR = "tumour"
    """As drawn."""
    LIVER = "liver"
    """As drawn."""
    RING_5MM = "ring_5mm"
    """Liver within 5 mm of the tumour, without other lesions and vessels."""
    RING_10MM = "ring_10mm"
    """Liver within 10 mm of the tumour, without other lesions and vessels."""
    LIVER_REFERENCE = "liver_reference"
    """About 1 cm3 of normal liver."""
    VIABLE = "viable"
    """The part of the tumour that enhances."""
    NECROTIC = "necrotic"
    """The part of the tumour that does not."""
    LIPIODOL = "lipiodol"
    """The part of the tumour that is dense on unenhanced CT."""

    @property
    def is_drawn(self) -> bool:
        """Whether a reader drew it; else it follows from what was drawn and from the images."""
        return self in (RegionName.TUMOUR, RegionName.LIVER)

    @property
    def needs_visit(self) -> bool:
        """Whether other phases than that of the scan decide where it is."""
        return self in _OF_A_VISIT


_OF_A_VISIT = (
    RegionName.LIVER_REFERENCE,
    RegionName.VIABLE,
    RegionName.NECROTIC,
    RegionName.LIPIODOL,
)
