"""How the images of a cohort may be read."""

from dataclasses import dataclass

MAX_VOXELS = 1 << 30
"""Largest image read unless the settings say otherwise: 2000 slices of 700 x 700, 2 GiB in int16.

Clinical scans stay far below; a header that announces more is damaged or hostile."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the reader of an image or mask may do.

    Parameters
    ----------
    resample_masks : bool
        Resample a mask that lies on another grid of the same frame of reference onto the grid of
        its image; otherwise it is refused with the measured difference.
    max_voxels : int
        Images and masks whose headers announce more voxels are refused before any memory is
        taken.
    """

    resample_masks: bool = False
    max_voxels: int = MAX_VOXELS


DEFAULT_READING = Reading()
