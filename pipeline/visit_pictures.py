"""The pictures of a visit: phases, subtraction, viable part, oil, rings, reference, diameters.

What is drawn comes from the functions that measure it, on the grid of the reference phase.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline.config.measure import MeasureConfig
from pipeline.domain.errors import RegionAbsentError
from pipeline.domain.regions import RegionName
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.imaging.crop import Box, bounding_box, crop_region, crop_scan
from pipeline.regions import find_region
from pipeline.report.response_strip import (
    Base,
    Frame,
    Layer,
    StripPicture,
    compose,
    draw_gain,
    draw_grey,
    largest_slice,
)
from pipeline.report.three_planes import find_window
from pipeline.response.measured import Missing
from pipeline.response.qeasl import subtract_native
from pipeline.response.size import find_longest_axial_diameter
from pipeline.response.viability import find_viable_diameters
from pipeline.visit_images import SUBTRACTED, find_reference, find_viable_part
from pipeline.visits import Visit

MARGIN_MM = 15.0
"""What pictures show around the lesion; more than the widest ring."""

PHASE_TITLES = {"t1": "T1", "t2": "T2", "adc": "ADC map", "dwi": "DWI", "suv": "PET, SUV"}
"""Of phases that are none of contrast; the others are called as in scans.csv."""

_TUMOUR = "tumour as drawn"
_RINGS = (
    (RegionName.RING_5MM, "liver within 5 mm"),
    (RegionName.RING_10MM, "liver within 10 mm"),
)


def draw_visit(visit: Visit, config: MeasureConfig) -> list[StripPicture]:
    """Draw a lesion at one time point on one modality.

    Parameters
    ----------
    visit : Visit
        The lesion; its tumour mask on the reference phase must not be empty.
    config : MeasureConfig
        As in stage measure, so that pictures show what was measured.

    Returns
    -------
    list of StripPicture
        Each phase, subtraction, viable part, lipiodol (CT only), rings, reference liver, RECIST,
        mRECIST and EASL diameters; PET has nothing that enhances. What cannot be drawn carries its
        reason. The slice is that with the largest viable area, else the largest tumour area; of
        diameters and reference liver, that on which they lie. Pictures show the lesion and 15 mm
        around it; that of reference liver shows the whole slice of the prepared volume.
    """
    viable = find_viable_part(visit, config)
    return list(_Strip.of(visit, config, viable).draw())


@dataclass(frozen=True, slots=True)
class _Strip:
    """What the pictures of a visit share; regions on the cut-out around the lesion."""

    visit: Visit
    config: MeasureConfig
    box: Box
    tumour: Region = field(repr=False)
    viable: Region | Missing = field(repr=False)
    frame: Frame

    @classmethod
    def of(cls, visit: Visit, config: MeasureConfig, viable: Region | Missing) -> "_Strip":
        whole = visit.phases[visit.reference].regions["tumour"]
        box = bounding_box([whole], whole.geometry, MARGIN_MM)
        tumour = crop_region(whole, box)
        part = viable if isinstance(viable, Missing) else crop_region(viable, box)
        alive = isinstance(part, Region) and part.inside.any()
        number = largest_slice(part if isinstance(part, Region) and alive else tumour)
        return cls(visit, config, box, tumour, part, Frame(tumour.geometry, number))

    def draw(self) -> Iterator[StripPicture]:
        for phase in self.visit.phases:
            yield self.draw_phase(phase)
        modality = self.visit.phases[self.visit.reference].scan.modality
        if modality is not Modality.PT:
            yield self.draw_subtraction()
            yield self.draw_viable()
        if modality is Modality.CT:
            yield self.draw_lipiodol()
        yield self.draw_rings()
        yield self.draw_reference()
        yield self.draw_recist()
        if modality is not Modality.PT:
            yield self.draw_viable_diameters()

    def draw_phase(self, phase: str) -> StripPicture:
        title = PHASE_TITLES.get(phase) or f"{phase} phase".capitalize()
        is_reference = phase == self.visit.reference
        note = "the reference phase" if is_reference else f"laid on {self.visit.reference}"
        return compose(title, self.grey(phase), [self.outline], note)

    def draw_subtraction(self) -> StripPicture:
        title = "Subtraction: arterial - native"
        for phase in SUBTRACTED:
            if phase not in self.visit.phases:
                return StripPicture(title=title, missing=f"no {phase} phase")
        native, arterial = (self.laid(phase) for phase in SUBTRACTED)
        base = draw_gain(subtract_native(arterial, native), self.tumour, self.frame)
        return compose(title, base, [Layer("tumour dark", _TUMOUR, self.tumour)])

    def draw_viable(self) -> StripPicture:
        title = "Viable (enhancing) part"
        if isinstance(self.viable, Missing):
            return StripPicture(title=title, missing=self.viable.reason)
        share = 100 * self.viable.voxel_count / max(self.tumour.voxel_count, 1)
        note = f"{share:.0f} % of the tumour's volume; the rest enhances no more than liver"
        layers = [Layer("viable", "viable", self.viable), self.outline]
        return compose(title, self.grey(self.visit.reference), layers, note)

    def draw_lipiodol(self) -> StripPicture:
        title = "Lipiodol"
        above = f"above {self.config.lipiodol_hu:g} HU on native CT"
        oil = self.region(RegionName.LIPIODOL)
        if isinstance(oil, Missing) and "native" not in self.visit.phases:
            return StripPicture(title=title, missing=oil.reason)
        drawn = [] if isinstance(oil, Missing) else [Layer("lipiodol", above, oil)]
        note = f"none {above}" if isinstance(oil, Missing) else ""
        return compose(title, self.grey("native"), [*drawn, self.outline], note)

    def draw_rings(self) -> StripPicture:
        title = "Peritumoural rings"
        found = [(name, text, self.region(name)) for name, text in _RINGS]
        rings = [Layer(name, text, part) for name, text, part in found if isinstance(part, Region)]
        reasons = [part.reason for _, _, part in found if isinstance(part, Missing)]
        if not rings:
            return StripPicture(title=title, missing=reasons[0])
        base = self.grey(self.visit.reference)
        return compose(title, base, [*rings[::-1], self.outline], "; ".join(reasons))

    def draw_reference(self) -> StripPicture:
        title = "Reference liver"
        reference = find_reference(self.visit, self.config)
        region = reference.regions[self.visit.reference]
        if region is None:
            return StripPicture(title=title, missing=reference.description.removeprefix("none: "))
        case = self.visit.phases[self.visit.reference]
        number = self.box.slices_zyx[0].start + self.frame.slice_index
        if not region.inside[number].any():  # a sphere beside the lesion's slice
            number = largest_slice(region)
        frame = Frame(region.geometry, number)
        drawn = [
            Layer(name, f"{name} as drawn", case.regions[name])
            for name in ("liver", "tumour")
            if name in case.regions
        ]
        layers = [*drawn, Layer("reference", "reference liver", region)]
        base = draw_grey(case.scan, frame, find_window(case.scan))
        return compose(title, base, layers, reference.description)

    def draw_recist(self) -> StripPicture:
        longest = find_longest_axial_diameter(self.tumour)
        if longest is None:
            return StripPicture(title="RECIST 1.1 diameter", missing="the tumour mask is empty")
        frame = Frame(self.tumour.geometry, longest.slice_index)
        base = self.grey(self.visit.reference, frame)
        note = f"longest axial diameter {longest.length_mm:.1f} mm"
        lines = [frame.line("recist", longest)]
        return compose("RECIST 1.1 diameter", base, [self.outline], note, lines)

    def draw_viable_diameters(self) -> StripPicture:
        title = "mRECIST and EASL diameters"
        if isinstance(self.viable, Missing):
            return StripPicture(title=title, missing=self.viable.reason)
        found = find_viable_diameters(self.viable, self.tumour, self.config)
        if isinstance(found, Missing):
            return StripPicture(title=title, missing=found.reason)
        if found.longest is None or found.across is None:
            return StripPicture(title=title, missing="nothing is viable: both are 0 mm")
        frame = Frame(self.tumour.geometry, found.longest.slice_index)
        note = (
            f"longest viable {found.mrecist_mm:.1f} mm (mRECIST), across {found.across_mm:.1f} mm;"
            f" product {found.easl_mm2:.0f} mm2 (EASL)"
        )
        lines = [frame.line("mrecist", found.longest), frame.line("easl", found.across)]
        layers = [Layer("viable", "viable", self.viable), self.outline]
        return compose(title, self.grey(self.visit.reference, frame), layers, note, lines)

    @property
    def outline(self) -> Layer:
        return Layer("tumour", _TUMOUR, self.tumour)

    def region(self, name: RegionName) -> Region | Missing:
        try:
            found = find_region(name, self.visit, self.visit.reference, self.config)
        except RegionAbsentError as error:
            return Missing(str(error).partition(" region: ")[2])  # the title says which
        return crop_region(found, self.box)

    def laid(self, phase: str) -> Scan:
        """Return a phase on the cut-out."""
        if phase == self.visit.reference:
            return crop_scan(self.visit.phases[phase].scan, self.box)
        return self.visit.scan_on_reference(phase, self.tumour.geometry)

    def grey(self, phase: str, frame: Frame | None = None) -> Base:
        window = find_window(self.visit.phases[phase].scan)
        return draw_grey(self.laid(phase), frame or self.frame, window)
