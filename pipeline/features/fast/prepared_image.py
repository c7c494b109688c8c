"""What filters and features start from: an image and a region on PyRadiomics' own frame."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Box = tuple[slice, slice, slice]
"""A block of voxels: start and stop along z, y, x."""

Edges = tuple[tuple[bool, bool], tuple[bool, bool], tuple[bool, bool]]
"""Along z, y, x: whether the first and the last voxel of an array are those of the frame."""

WHOLE_FRAME: Edges = ((True, True), (True, True), (True, True))


@dataclass(frozen=True, slots=True)
class PreparedImage:
    """Image and region after normalisation, resampling and re-segmentation.

    The arrays span the frame that PyRadiomics would filter: the box around the region plus
    ``padDistance`` where it resamples or cuts first, otherwise the whole scan. There they are views
    of the scan, so nothing was paid for the frame; :meth:`cut` it to what a filter can see.

    Parameters
    ----------
    values : numpy.ndarray, shape (z, y, x)
        In the type that PyRadiomics would have. Read only, and not always contiguous.
    inside : numpy.ndarray of bool, shape (z, y, x)
        The region of all feature classes but shape.
    shape_inside : numpy.ndarray of bool, shape (z, y, x)
        The region of the shape features, which PyRadiomics cuts to the bounding box of ``inside``.
    spacing_mm : (float, float, float)
        Distance of voxels along x, y, z.
    box : (slice, slice, slice)
        Bounding box of ``inside`` along z, y, x.
    at_frame_edge : 3 pairs of bool
        Along z, y, x: whether the arrays begin, and end, where the frame does.
    """

    values: npt.NDArray[Any] = field(repr=False)
    inside: npt.NDArray[np.bool_] = field(repr=False)
    shape_inside: npt.NDArray[np.bool_] = field(repr=False)
    spacing_mm: tuple[float, float, float]
    box: Box
    at_frame_edge: Edges = WHOLE_FRAME

    def cut(self, margin_voxels: tuple[int, int, int]) -> "PreparedImage":
        """Return views of the bounding box and a margin along z, y, x, as far as the frame goes."""
        kept, box, edges = [], [], []
        for axis, (span, margin) in enumerate(zip(self.box, margin_voxels, strict=True)):
            size = self.values.shape[axis]
            first, last = max(span.start - margin, 0), min(span.stop + margin, size)
            kept.append(slice(first, last))
            box.append(slice(span.start - first, span.stop - first))
            low, high = self.at_frame_edge[axis]
            edges.append((low and first == 0, high and last == size))
        where = (kept[0], kept[1], kept[2])
        return PreparedImage(
            values=self.values[where],
            inside=self.inside[where],
            shape_inside=self.shape_inside[where],
            spacing_mm=self.spacing_mm,
            box=(box[0], box[1], box[2]),
            at_frame_edge=(edges[0], edges[1], edges[2]),
        )
