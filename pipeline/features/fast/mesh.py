"""Area and volume of the marching-cubes mesh of a region."""

import numpy as np
import numpy.typing as npt

from pipeline.features.fast.kernels.mesh import count_cells
from pipeline.features.fast.marching_cubes import CELL_TRIANGLES

CONFIGURATIONS = 256


def measure_mesh(
    padded: npt.NDArray[np.uint8], spacing_zyx_mm: tuple[float, float, float]
) -> tuple[float, float]:
    """Sum the triangles of all cells by counting the cells of each configuration.

    Parameters
    ----------
    padded : numpy.ndarray of uint8, shape (z, y, x), C-contiguous
        1 in the region, 0 outside; its bounding box and one empty layer around it. The volume
        depends on this frame where the mesh is open (see `marching_cubes`).
    spacing_zyx_mm : (float, float, float)
        Distance of voxels.

    Returns
    -------
    (float, float)
        Surface area in mm2 (IBSI C0JK) and volume in mm3 (IBSI RNU0).
    """
    sums = np.zeros((CONFIGURATIONS, 4), dtype=np.int64)
    count_cells(padded, sums)
    half = CONFIGURATIONS // 2
    lower, complements = sums[:half], sums[: half - 1 : -1]
    area = _area_mm2((lower + complements)[:, 0], spacing_zyx_mm)
    return area, _volume_voxels(lower - complements) * float(np.prod(spacing_zyx_mm))


def _area_mm2(counts: npt.NDArray[np.int64], spacing_zyx_mm: tuple[float, float, float]) -> float:
    """Sum the areas; each axis of a normal scales with the spacing of the other two."""
    dz, dy, dx = spacing_zyx_mm
    normals_mm2 = CELL_TRIANGLES.normals_x4 * np.array((dy * dx, dz * dx, dz * dy))
    lengths = np.sqrt((normals_mm2**2).sum(axis=1))
    return float(np.dot(lengths, counts[CELL_TRIANGLES.configuration])) / 8


def _volume_voxels(sums: npt.NDArray[np.int64]) -> float:
    """Sum the signed volume terms exactly; `sums` has a count and summed z, y, x of the cells."""
    cells = sums[CELL_TRIANGLES.configuration]
    local = int((CELL_TRIANGLES.determinants_x8 * cells[:, 0]).sum())
    shifted = int((CELL_TRIANGLES.normals_x4 * cells[:, 1:]).sum())
    return (local + 2 * shifted) / 48
