"""Axial, coronal and sagittal slices through a lesion with outlines, as parts of a page.

Slices are shown as radiologists hang them: the patient's right is on the viewer's left in axial
and coronal slices, the front is on the viewer's left in sagittal ones, the head is up. Pictures
are small grey JPEG; outlines are SVG paths over them, so that a page can hide them.
"""

import base64
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt
from contourpy import contour_generator
from PIL import Image
from scipy import ndimage

from pipeline.domain.scan import Modality, Region, Scan
from pipeline.imaging.orient import orient_region, orient_scan
from pipeline.report.overlay import CT_WINDOW_HU

PANEL_PIXELS = 320
"""Side of a panel, which is square; slices are fitted into it."""

DETAIL_MARGIN_MM = 15.0
"""What the panel of the detail shows around the lesion."""

MOST_POINTS = 4000
"""Corners of all outlines of one region in one panel. The outline of a liver takes about 1000;
a mask of noise would make a page of any size."""

JPEG_QUALITY = 80

_PERCENTILES = (1.0, 99.5)
_SAMPLED_VOXELS = 1 << 20

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Outline:
    """The border of a region in a panel: its name and the ``d`` of an SVG path, in panel pixels."""

    region: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One slice, fitted into a square of :data:`PANEL_PIXELS`.

    Parameters
    ----------
    name : str
        ``axial``, ``coronal``, ``sagittal`` or ``detail`` (axial, enlarged).
    picture : str
        ``data:image/jpeg;base64`` address.
    left, top, width, height : int
        Place of the picture in the panel, pixels.
    marks : tuple of str
        Letters of the patient's directions at the left, right, upper and lower edge.
    outlines : tuple of Outline
        Those of the regions that the slice cuts.
    """

    name: str
    picture: str
    left: int
    top: int
    width: int
    height: int
    marks: tuple[str, str, str, str]
    outlines: tuple[Outline, ...]


@dataclass(frozen=True, slots=True)
class _Plane:
    """How a slice is cut from arrays (z, y, x) in canonical order, and what it is called."""

    name: str
    axis: int
    upside_down: bool
    marks: tuple[str, str, str, str]

    def cut(self, array: Array, centre: tuple[int, int, int]) -> Array:
        plane: Array = np.take(array, centre[self.axis], axis=self.axis)
        return np.flipud(plane) if self.upside_down else plane

    def spacing_mm(self, spacing_zyx_mm: tuple[float, float, float]) -> tuple[float, float]:
        rows, columns = (value for axis, value in enumerate(spacing_zyx_mm) if axis != self.axis)
        return rows, columns


_AXIAL = _Plane("axial", 0, upside_down=False, marks=("R", "L", "A", "P"))
_PLANES = (
    _AXIAL,
    _Plane("coronal", 1, upside_down=True, marks=("R", "L", "H", "F")),
    _Plane("sagittal", 2, upside_down=True, marks=("A", "P", "H", "F")),
)


def draw_three_planes(scan: Scan, regions: Mapping[str, Region]) -> tuple[Panel, ...]:
    """Draw the slices through a lesion and, where there is one, its axial slice enlarged.

    Parameters
    ----------
    scan : Scan
        With any axes; they are brought into canonical order here, without interpolation, so that
        slices of oblique scans are those nearest to axial, coronal and sagittal.
    regions : dict of str to Region
        On the grid of the scan. The slices go through the centre of the largest piece of
        ``tumour``; without it, or where it is empty, through the middle of the scan.
    """
    scan = orient_scan(scan)
    masks = {name: orient_region(region).inside for name, region in regions.items()}
    window = find_window(scan)
    spacing_x_mm, spacing_y_mm, spacing_z_mm = scan.geometry.spacing_mm
    spacing_zyx_mm = (spacing_z_mm, spacing_y_mm, spacing_x_mm)
    tumour = masks.get("tumour")
    centre = find_centre(tumour) if tumour is not None else None
    middle = tuple(length // 2 for length in scan.voxels.shape)
    at = centre or (middle[0], middle[1], middle[2])
    slices = {plane: _Slice.of(plane, scan.voxels, masks, at, spacing_zyx_mm) for plane in _PLANES}
    panels = [_draw(plane.name, plane.marks, piece, window) for plane, piece in slices.items()]
    if centre is not None:
        detail = slices[_AXIAL].cropped_to("tumour", DETAIL_MARGIN_MM)
        panels.append(_draw("detail", _AXIAL.marks, detail, window))
    return tuple(panels)


def find_centre(mask: Mask) -> tuple[int, int, int] | None:
    """Return the voxel (z, y, x) of the largest piece of a mask that is nearest to its centroid.

    Pieces hang together by voxel faces. None where the mask is empty.
    """
    boxes = ndimage.find_objects(mask.view(np.uint8))
    if not boxes:
        return None
    labels, _ = ndimage.label(mask[boxes[0]])
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    inside = np.argwhere(labels == sizes.argmax())
    nearest = inside[np.argmin(((inside - inside.mean(axis=0)) ** 2).sum(axis=1))]
    z, y, x = (int(index + part.start) for index, part in zip(nearest, boxes[0], strict=True))
    return z, y, x


@dataclass(frozen=True, slots=True)
class _Slice:
    """A slice of a scan and of its regions, rows from top to bottom."""

    voxels: Array
    masks: Mapping[str, Mask]
    spacing_mm: tuple[float, float]

    @classmethod
    def of(
        cls,
        plane: _Plane,
        voxels: Array,
        masks: Mapping[str, Mask],
        centre: tuple[int, int, int],
        spacing_zyx_mm: tuple[float, float, float],
    ) -> "_Slice":
        cut = {name: plane.cut(mask, centre).astype(bool) for name, mask in masks.items()}
        return cls(plane.cut(voxels, centre), cut, plane.spacing_mm(spacing_zyx_mm))

    def cropped_to(self, name: str, margin_mm: float) -> "_Slice":
        inside = np.argwhere(self.masks[name])
        margin = np.ceil(margin_mm / np.asarray(self.spacing_mm)).astype(int)
        low = np.maximum(inside.min(axis=0) - margin, 0)
        high = inside.max(axis=0) + margin + 1
        box = (slice(low[0], high[0]), slice(low[1], high[1]))
        cut = {name: mask[box] for name, mask in self.masks.items()}
        return _Slice(self.voxels[box], cut, self.spacing_mm)


def _draw(
    name: str, marks: tuple[str, str, str, str], piece: _Slice, window: tuple[float, float]
) -> Panel:
    left, top, width, height = fit_panel(piece.voxels.shape, piece.spacing_mm)
    outlines = (
        Outline(region, trace_outline(mask, left, top, width, height))
        for region, mask in piece.masks.items()
    )
    return Panel(
        name=name,
        picture=encode_jpeg(to_grey(piece.voxels, window), width, height),
        left=left,
        top=top,
        width=width,
        height=height,
        marks=marks,
        outlines=tuple(outline for outline in outlines if outline.path),
    )


def fit_panel(shape: tuple[int, ...], spacing_mm: tuple[float, float]) -> tuple[int, int, int, int]:
    """Return left, top, width and height in pixels of a slice (rows, columns) in a panel.

    Its physical shape is kept; it has at least a pixel each way, however thin.
    """
    extent_mm = np.asarray(shape) * spacing_mm
    height, width = (
        max(1, round(float(side))) for side in extent_mm * PANEL_PIXELS / extent_mm.max()
    )
    return (PANEL_PIXELS - width) // 2, (PANEL_PIXELS - height) // 2, width, height


def to_grey(voxels: Array, window: tuple[float, float]) -> Array:
    """Return a slice as bytes, black and white at the ends of a window; black where it is NaN."""
    low, high = window
    share = (voxels.astype(np.float64) - low) / max(high - low, 1e-12)
    return np.rint(np.clip(np.nan_to_num(share), 0, 1) * 255).astype(np.uint8)


def encode_jpeg(colours: Array, width: int, height: int) -> str:
    """Return the ``data:`` address of a picture of bytes, (rows, columns) or with 3 colours."""
    picture = Image.fromarray(colours)
    return jpeg_address(picture.resize((width, height), Image.Resampling.BICUBIC))


def jpeg_address(picture: Image.Image) -> str:
    """Return the ``data:`` address of a picture."""
    buffer = io.BytesIO()
    picture.save(buffer, format="jpeg", quality=JPEG_QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def trace_outline(mask: Mask, left: int, top: int, width: int, height: int) -> str:
    """Return the outlines of a mask as the ``d`` of an SVG path; the longest ones if many.

    Parameters
    ----------
    mask : numpy.ndarray of bool, shape (rows, columns)
        Its corners become those of the rectangle.
    left, top, width, height : int
        The rectangle in pixels.
    """
    rows, columns = mask.shape
    lines = contour_generator(z=np.pad(mask, 1).astype(np.uint8)).lines(0.5)
    pixels = (
        # Voxel centres lie at half numbers; padding has moved them by one.
        (np.asarray(line) - 0.5) * (width / columns, height / rows) + (left, top)
        for line in _longest(lines)
    )
    return "".join(f"M{'L'.join(f'{x:.1f} {y:.1f}' for x, y in line[:-1])}Z" for line in pixels)


def _longest(lines: Iterable[object]) -> list[npt.NDArray[np.float64]]:
    left = MOST_POINTS
    kept = []
    for line in sorted((np.asarray(item, dtype=float) for item in lines), key=len, reverse=True):
        left -= len(line)
        if left < 0:
            break
        kept.append(line)
    return kept


def find_window(scan: Scan) -> tuple[float, float]:
    """Return the values shown black and white: fixed on CT, percentiles on MR and PET.

    Voxels that are not a number do not count.
    """
    if scan.modality is Modality.CT:
        return CT_WINDOW_HU
    step = ceil(scan.voxels.size / _SAMPLED_VOXELS)
    low, high = np.nanpercentile(scan.voxels.ravel()[::step], _PERCENTILES)
    return float(low), float(high)
