"""Where the voxels of an image lie in the patient."""

from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt

GRID_TOLERANCE_MM = 1e-2
"""Largest disagreement of corner positions at which two grids count as the same.

Exporters round headers to two or three decimals, which moves a corner by some thousandths of a
millimetre; the smallest voxels of clinical scanners are thirty times as large as this."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """A regular grid of voxels in patient coordinates (DICOM LPS, millimetres).

    Parameters
    ----------
    size : (int, int, int)
        Voxels along x, y, z.
    spacing_mm : (float, float, float)
        Distance between voxel centres along x, y, z.
    origin_mm : (float, float, float)
        Position of the centre of the first voxel.
    direction : tuple of 9 float
        Row-major 3 x 3 matrix whose columns are the directions of the x, y, z axes.

    Raises
    ------
    ValueError
        If a size or spacing is not positive and finite, or the direction is not orthonormal.
    """

    size: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float]
    direction: tuple[float, ...]

    def __post_init__(self) -> None:
        if min(self.size) < 1:
            msg = f"size must be positive in x, y, z, got {self.size}"
            raise ValueError(msg)
        if not (np.isfinite(self.spacing_mm).all() and min(self.spacing_mm) > 0):
            msg = f"spacing_mm must be positive and finite in x, y, z, got {self.spacing_mm}"
            raise ValueError(msg)
        matrix = np.asarray(self.direction, dtype=float)
        if matrix.size != 9 or not np.isfinite(matrix).all():
            msg = f"direction must have 9 finite numbers, got {self.direction}"
            raise ValueError(msg)
        matrix = matrix.reshape(3, 3)
        if not np.allclose(matrix.T @ matrix, np.eye(3), atol=1e-3):
            msg = f"direction must be orthonormal, got {self.direction}"
            raise ValueError(msg)

    @property
    def voxel_volume_mm3(self) -> float:
        """Volume of one voxel."""
        return float(prod(self.spacing_mm))

    @property
    def shape_zyx(self) -> tuple[int, int, int]:
        """Shape of the numpy array of an image on this grid (z, y, x)."""
        return (self.size[2], self.size[1], self.size[0])

    @property
    def axes_mm(self) -> npt.NDArray[np.float64]:
        """Matrix (3, 3) whose columns are the steps to the next voxel along x, y, z."""
        axes: npt.NDArray[np.float64] = np.reshape(self.direction, (3, 3)) * np.asarray(
            self.spacing_mm
        )
        return axes

    def to_voxels(self, positions_mm: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return positions, shape (n, 3), as fractional voxels x, y, z of this grid."""
        offsets_mm = positions_mm - np.asarray(self.origin_mm)
        voxels: npt.NDArray[np.float64] = np.linalg.solve(self.axes_mm, offsets_mm.T).T
        return voxels

    def corner_positions_mm(self) -> npt.NDArray[np.float64]:
        """Return the positions of the eight corner voxels' centres, shape (8, 3), x y z."""
        last = np.asarray(self.size) - 1
        picks = np.array(np.meshgrid([0, 1], [0, 1], [0, 1], indexing="ij")).reshape(3, -1).T
        offsets = (picks * last) @ self.axes_mm.T
        positions: npt.NDArray[np.float64] = np.asarray(self.origin_mm) + offsets
        return positions

    def difference(self, other: "Geometry") -> str:
        """Say how another grid differs from this one; empty where they are the same.

        The grids are the same when their sizes are equal and each corner voxel lies within
        ``GRID_TOLERANCE_MM`` of its counterpart, which catches origin, spacing and direction
        at once, mirrored masks included.
        """
        gaps = np.linalg.norm(self.corner_positions_mm() - other.corner_positions_mm(), axis=1)
        same_size = self.size == other.size
        if same_size and gaps.max() <= GRID_TOLERANCE_MM:
            return ""
        parts = [
            f"{name} {_rounded(theirs)} instead of {_rounded(ours)}"
            for name, ours, theirs in (
                ("origin_mm", self.origin_mm, other.origin_mm),
                ("spacing_mm", self.spacing_mm, other.spacing_mm),
                ("direction", self.direction, other.direction),
            )
            if not np.allclose(ours, theirs, rtol=0, atol=1e-6)
        ]
        if not same_size:
            size = f"size {other.size} voxels instead of {self.size} (x, y, z)"
            return ", ".join([size, *parts])
        return f"{', '.join(parts)}; corners up to {gaps.max():.3g} mm apart"


def _rounded(values: tuple[float, ...]) -> str:
    return "(" + ", ".join(f"{value:.6g}" for value in values) + ")"
