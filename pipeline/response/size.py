"""Size of a lesion: volume, longest axial diameter, largest axial area."""

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.distance import pdist

from pipeline.domain.scan import Region

Mask = npt.NDArray[np.bool_]


def compute_volume_ml(region: Region) -> float:
    """Return voxel count times voxel volume, in mL."""
    return region.volume_mm3 / 1000


def compute_longest_axial_diameter_mm(region: Region) -> float:
    """Return the longest in-plane diameter over all slices, as RECIST 1.1 measures a lesion.

    Measured between the outlines of the drawn voxels (midpoints of their outer edges), which is
    PyRadiomics' ``Maximum2DDiameterSlice``; 0 for an empty region. Slices are those of the third
    image axis: give images in axial orientation. The line may cross tissue outside the region,
    as on a concave lesion (doi 10.1016/j.ejca.2008.10.026).
    """
    spacing_x_mm, spacing_y_mm, _ = region.geometry.spacing_mm
    slices = (plane for plane in region.inside if plane.any())
    diameters = (_diameter_mm(plane, spacing_x_mm, spacing_y_mm) for plane in slices)
    return max(diameters, default=0.0)


def compute_largest_axial_area_mm2(region: Region) -> float:
    """Return the largest area of the region on one slice; 0 for an empty region."""
    spacing_x_mm, spacing_y_mm, _ = region.geometry.spacing_mm
    counts = np.count_nonzero(region.inside, axis=(1, 2))
    return float(counts.max()) * spacing_x_mm * spacing_y_mm


def _diameter_mm(plane: Mask, spacing_x_mm: float, spacing_y_mm: float) -> float:
    rows, columns = np.nonzero(plane & ~ndimage.binary_erosion(plane))  # inner voxels cannot count
    centres = np.stack([columns * spacing_x_mm, rows * spacing_y_mm], axis=1)
    half_x = np.array([spacing_x_mm / 2, 0.0])
    half_y = np.array([0.0, spacing_y_mm / 2])
    outline = np.concatenate(
        [centres + half_x, centres - half_x, centres + half_y, centres - half_y]
    )
    return float(pdist(outline[_hull_vertices(outline)]).max())


def _hull_vertices(points: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Return the points that span the set; the two farthest points are always among them."""
    try:
        return np.asarray(ConvexHull(points).vertices, dtype=np.intp)
    except QhullError:  # all on one line, which no region of whole voxels gives
        return np.arange(len(points))
