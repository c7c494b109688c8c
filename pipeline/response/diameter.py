"""A diameter of a lesion: a line on an axial slice."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Diameter:
    """A line on an axial slice.

    Parameters
    ----------
    length_mm : float
        Its length.
    slice_index : int
        Index along z.
    start_xy, end_xy : (float, float)
        Its ends in voxels, x and y; whole numbers are voxel centres.
    """

    length_mm: float
    slice_index: int
    start_xy: tuple[float, float]
    end_xy: tuple[float, float]
