"""Images in memory: a scan and the regions drawn on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import nan
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.domain.geometry import Geometry


class Modality(StrEnum):
    """Imaging modality by its DICOM code; it decides what the voxel values mean."""

    CT = "CT"
    """Hounsfield units."""
    MR = "MR"
    """Arbitrary units."""
    PT = "PT"
    """Standardised uptake values."""


class Timepoint(StrEnum):
    """When a scan or blood draw belongs: before conversion therapy, or before resection."""

    BASELINE = "baseline"
    PREOP = "preop"


@dataclass(frozen=True, slots=True)
class Scan:
    """Voxel values on a grid.

    Parameters
    ----------
    voxels : numpy.ndarray, shape (z, y, x)
        In the stored type: int16 stays int16, because PyRadiomics' numbers depend on it.
    geometry : Geometry
        The grid.
    modality : Modality
        What the values mean.
    frame_of_reference : str
        DICOM identifier of the coordinate system (PS3.3 C.7.4.1), empty where unknown. Only to be
        compared with that of a mask: it identifies the examination and is never written.

    Raises
    ------
    ValueError
        If the array does not fit the grid.
    """

    voxels: npt.NDArray[Any] = field(repr=False)
    geometry: Geometry
    modality: Modality
    frame_of_reference: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        _check_shape("voxels", self.voxels, self.geometry)


@dataclass(frozen=True, slots=True)
class Resampling:
    """What a region was before it was resampled onto the grid of its scan.

    Parameters
    ----------
    difference : str
        How its own grid differed from the scan's.
    volume_mm3 : float
        Its volume there.
    """

    difference: str
    volume_mm3: float


@dataclass(frozen=True, slots=True)
class Region:
    """A binary mask on the grid of its scan.

    Parameters
    ----------
    inside : numpy.ndarray of bool, shape (z, y, x)
        True in the region.
    geometry : Geometry
        The grid.
    name : str
        ``tumour``, ``liver`` ...
    resampled : Resampling or None
        Where a reader resampled it; not kept by what turns or crops a region.

    Raises
    ------
    ValueError
        If the array does not fit the grid or is not boolean.
    """

    inside: npt.NDArray[np.bool_] = field(repr=False)
    geometry: Geometry
    name: str
    resampled: Resampling | None = None

    def __post_init__(self) -> None:
        _check_shape("inside", self.inside, self.geometry)
        if self.inside.dtype != np.bool_:
            msg = f"inside must be boolean, got {self.inside.dtype}"
            raise ValueError(msg)

    @property
    def voxel_count(self) -> int:
        """Number of voxels in the region."""
        return int(np.count_nonzero(self.inside))

    @property
    def volume_mm3(self) -> float:
        """Volume as voxel count times voxel volume."""
        return self.voxel_count * self.geometry.voxel_volume_mm3

    @property
    def positions_mm(self) -> npt.NDArray[np.float64]:
        """Centres of its voxels, shape (n, 3), x, y, z of the patient, in the order z, y, x."""
        voxels_xyz = np.argwhere(self.inside)[:, ::-1]
        origin_mm = np.asarray(self.geometry.origin_mm)
        positions: npt.NDArray[np.float64] = origin_mm + voxels_xyz @ self.geometry.axes_mm.T
        return positions

    @property
    def centroid_mm(self) -> tuple[float, float, float]:
        """Mean position of its voxels, x, y, z of the patient; NaN where it has none."""
        voxels_zyx = np.argwhere(self.inside)
        if not len(voxels_zyx):
            return (nan, nan, nan)
        mean_xyz = voxels_zyx.mean(axis=0)[::-1]
        x, y, z = (self.geometry.axes_mm @ mean_xyz + self.geometry.origin_mm).tolist()
        return (x, y, z)


def drawn_lesions(regions: Mapping[str, Region]) -> list[Region]:
    """Return the lesions among a scan's regions: the tumour and the others, where there are any."""
    return [regions[name] for name in ("tumour", "other_lesions") if name in regions]


def _check_shape(argument: str, array: npt.NDArray[Any], geometry: Geometry) -> None:
    if array.shape != geometry.shape_zyx:
        msg = f"{argument} must have shape {geometry.shape_zyx} (z, y, x), got {array.shape}"
        raise ValueError(msg)
