"""Pictures of a lesion's response: axial slices with regions, diameters and a scale.

Only draws: what is viable or how long a diameter is comes from where it is measured. Slices are
shown as radiologists hang them: the patient's right is on the viewer's left, the front is up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.report.three_planes import (
    PANEL_PIXELS,
    encode_jpeg,
    fit_panel,
    to_grey,
    trace_outline,
)
from pipeline.response.diameter import Diameter

SCALE_LENGTHS_MM = (5, 10, 20, 50, 100)
"""Lengths of the scale bar; the longest that fills at most a third of the picture is taken."""

GAIN_LIMIT_HU = 100.0
"""Gain from the native to the arterial phase at the ends of the colour map, on CT."""

GAIN_PERCENTILE = 99.0
"""Of the absolute gain in the tumour: the ends of the colour map on MR, whose unit is free."""

DIVERGING = ((0, 114, 178), (255, 255, 255), (213, 94, 0))
"""Blue, white, vermilion: of the Okabe-Ito palette, told apart by colour-blind readers."""

UNITS = {Modality.CT: "HU", Modality.MR: "a.u.", Modality.PT: "SUV"}
"""What voxel values are in."""

_LABEL_PIXELS = 14.0
_LABEL_HALF_WIDTH = 38.0

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Layer:
    """A region to be drawn: its kind, what it is, in words, and where, on the frame's grid."""

    kind: str
    text: str
    region: Region


@dataclass(frozen=True, slots=True)
class Shape:
    """A region in a picture: its kind (which gives its colour) and the ``d`` of an SVG path."""

    kind: str
    path: str


@dataclass(frozen=True, slots=True)
class Line:
    """A diameter in a picture: its kind, ends and the place of its label in pixels, its label."""

    kind: str
    start: tuple[float, float]
    end: tuple[float, float]
    label_at: tuple[float, float]
    label: str


@dataclass(frozen=True, slots=True)
class Frame:
    """An axial slice of a grid, fitted into a square of ``PANEL_PIXELS``.

    Parameters
    ----------
    geometry : Geometry
        The grid; cut it down to what is to be shown.
    slice_index : int
        Along z.
    """

    geometry: Geometry
    slice_index: int

    @property
    def z_mm(self) -> float:
        """Position of the slice's middle towards the head, in the scanner's coordinates."""
        columns, rows, _ = self.geometry.size
        middle = np.array([(columns - 1) / 2, (rows - 1) / 2, self.slice_index])
        return float((np.asarray(self.geometry.origin_mm) + self.geometry.axes_mm @ middle)[2])

    @property
    def place(self) -> tuple[int, int, int, int]:
        """Left, top, width and height of the slice in the panel, in pixels."""
        spacing_x_mm, spacing_y_mm, _ = self.geometry.spacing_mm
        return fit_panel(self.geometry.shape_zyx[1:], (spacing_y_mm, spacing_x_mm))

    @property
    def scale_bar(self) -> tuple[int, float]:
        """Length of the scale bar in mm and in pixels."""
        _, _, width, _ = self.place
        pixels_a_mm = width / (self.geometry.size[0] * self.geometry.spacing_mm[0])
        fitting = [mm for mm in SCALE_LENGTHS_MM if mm * pixels_a_mm <= PANEL_PIXELS / 3]
        length_mm = max(fitting, default=SCALE_LENGTHS_MM[0])
        return length_mm, length_mm * pixels_a_mm

    def shape(self, kind: str, region: Region) -> Shape:
        """Return the borders of a region on the slice; an empty path where it is not there."""
        return Shape(kind, trace_outline(region.inside[self.slice_index], *self.place))

    def line(self, kind: str, diameter: Diameter) -> Line:
        """Return a diameter with its length beyond the end that is farther right."""
        start, end = sorted(self._pixel(point) for point in (diameter.start_xy, diameter.end_xy))
        along = np.subtract(end, start)
        along /= max(float(np.hypot(*along)), 1e-9)
        beyond = _LABEL_PIXELS + _LABEL_HALF_WIDTH * abs(float(along[0]))
        x, y = np.asarray(end) + along * beyond
        label_x = float(np.clip(x, _LABEL_HALF_WIDTH, PANEL_PIXELS - _LABEL_HALF_WIDTH))
        label_y = float(np.clip(y + 4, 2 * _LABEL_PIXELS, PANEL_PIXELS - 2 * _LABEL_PIXELS))
        return Line(kind, start, end, (label_x, label_y), f"{diameter.length_mm:.1f} mm")

    def _pixel(self, point_xy: tuple[float, float]) -> tuple[float, float]:
        left, top, width, height = self.place
        columns, rows, _ = self.geometry.size
        x = left + (point_xy[0] + 0.5) * width / columns
        y = top + (point_xy[1] + 0.5) * height / rows
        return float(x), float(y)


@dataclass(frozen=True, slots=True)
class Base:
    """The picture under the regions, in a square of ``PANEL_PIXELS``.

    Parameters
    ----------
    frame : Frame
        The slice.
    address : str
        ``data:image/jpeg;base64``.
    scale_text : str
        What black and white, or the ends of the colour map, are.
    limits : tuple of 2 str, optional
        What stands at the ends of the colour map; grey pictures have none.
    """

    frame: Frame
    address: str
    scale_text: str
    limits: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StripPicture:
    """One picture of a strip, or why there is none.

    Parameters
    ----------
    title, caption : str
        What is shown.
    base : Base, optional
        The slice; None where there is no picture.
    shapes : tuple of Shape
        From below to above.
    lines : tuple of Line
        Diameters.
    legend : tuple of (str, str)
        Kind of shape or line, and what it is.
    missing : str
        Why there is no picture.
    """

    title: str
    caption: str = ""
    base: Base | None = None
    shapes: tuple[Shape, ...] = ()
    lines: tuple[Line, ...] = ()
    legend: tuple[tuple[str, str], ...] = ()
    missing: str = ""


def largest_slice(region: Region) -> int:
    """Return the index of the slice with the largest area of a region; of equals the first."""
    return int(np.argmax(np.count_nonzero(region.inside, axis=(1, 2))))


def draw_grey(scan: Scan, frame: Frame, window: tuple[float, float]) -> Base:
    """Draw a slice in grey between the values shown black and white; black where it has none."""
    _, _, width, height = frame.place
    low, high = map(short_number, window)
    text = f"black {low}, white {high} {UNITS[scan.modality]}"
    if scan.modality is Modality.CT:
        text = f"CT window {low} to {high} HU"
    address = encode_jpeg(to_grey(scan.voxels[frame.slice_index], window), width, height)
    return Base(frame, address, text)


def draw_gain(gain: Scan, tumour: Region, frame: Frame) -> Base:
    """Draw a subtraction by a diverging colour map around 0; black where it has no values."""
    part = gain.voxels[frame.slice_index].astype(np.float64)
    limit = _gain_limit(gain.modality, gain.voxels[tumour.inside])
    unit, end = UNITS[gain.modality], short_number(limit)
    _, _, width, height = frame.place
    stops = np.array(DIVERGING, dtype=np.float64)
    at = np.linspace(-limit, limit, len(stops))
    colours = np.stack([np.interp(part, at, stops[:, band]) for band in range(3)], axis=-1)
    colours[~np.isfinite(part)] = 0
    address = encode_jpeg(np.rint(colours).astype(np.uint8), width, height)
    text = f"blue -{end}, white 0, orange +{end} {unit}"
    return Base(frame, address, text, (f"-{end} {unit}", f"+{end} {unit}"))


def compose(
    title: str, base: Base, layers: Sequence[Layer], note: str = "", lines: Sequence[Line] = ()
) -> StripPicture:
    """Put a picture together.

    Parameters
    ----------
    title, note : str
        What is shown; the caption adds slice and scale of values to the note.
    base : Base
        The slice.
    layers : sequence of Layer
        From below to above; those that the slice does not cut are left out.
    lines : sequence of Line
        On the slice.
    """
    drawn = [(layer, base.frame.shape(layer.kind, layer.region)) for layer in layers]
    drawn = [(layer, shape) for layer, shape in drawn if shape.path]
    where = f"axial slice at z {base.frame.z_mm:.1f} mm"
    return StripPicture(
        title=title,
        caption="; ".join(filter(None, (note, where, base.scale_text))),
        base=base,
        shapes=tuple(shape for _, shape in drawn),
        lines=tuple(lines),
        legend=tuple((layer.kind, layer.text) for layer, _ in drawn),
    )


def gradient_css() -> str:
    """Return the colour map of :func:`draw_gain` as a CSS background."""
    stops = (f"rgb({', '.join(map(str, colour))})" for colour in DIVERGING)
    return f"linear-gradient(to right, {', '.join(stops)})"


def short_number(value: float) -> str:
    """Return a number in three digits, without an exponent where it is large."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _gain_limit(modality: Modality, values: Array) -> float:
    known = np.abs(values[np.isfinite(values)])
    if modality is Modality.CT or not known.size:
        return GAIN_LIMIT_HU
    return max(float(np.percentile(known, GAIN_PERCENTILE)), 1e-6)
