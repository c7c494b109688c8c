"""Size of a lesion: volume, longest axial diameter, largest axial area."""

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.distance import pdist

from pipeline.domain.scan import Region
from pipeline.response.diameter import Diameter

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
    longest = find_longest_axial_diameter(region)
    return longest.length_mm if longest else 0.0


def find_longest_axial_diameter(region: Region) -> Diameter | None:
    """Return the line of :func:`compute_longest_axial_diameter_mm`; None for an empty region."""
    spacing_mm = np.array(region.geometry.spacing_mm[:2])
    slices = (int(number) for number in np.flatnonzero(region.inside.any(axis=(1, 2))))
    diameters = (_diameter(region.inside[number], number, spacing_mm) for number in slices)
    return max(diameters, key=lambda diameter: diameter.length_mm, default=None)


def compute_largest_axial_area_mm2(region: Region) -> float:
    """Return the largest area of the region on one slice; 0 for an empty region."""
    spacing_x_mm, spacing_y_mm, _ = region.geometry.spacing_mm
    counts = np.count_nonzero(region.inside, axis=(1, 2))
    return float(counts.max()) * spacing_x_mm * spacing_y_mm


def _diameter(plane: Mask, number: int, spacing_mm: npt.NDArray[np.float64]) -> Diameter:
    rows, columns = np.nonzero(plane & ~ndimage.binary_erosion(plane))  # inner voxels cannot count
    centres = np.stack([columns, rows], axis=1)
    half_x, half_y = np.array([0.5, 0.0]), np.array([0.0, 0.5])
    edges = (centres + half_x, centres - half_x, centres + half_y, centres - half_y)
    outline = np.concatenate(edges)
    outline = outline[_hull_vertices(outline * spacing_mm)]
    lengths_mm = pdist(outline * spacing_mm)
    longest = int(lengths_mm.argmax())
    first, second = (points[longest] for points in np.triu_indices(len(outline), k=1))
    start, end = ((float(x), float(y)) for x, y in outline[[first, second]])
    return Diameter(float(lengths_mm[longest]), number, start, end)


def _hull_vertices(points: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Return the points that span the set; the two farthest points are always among them."""
    try:
        return np.asarray(ConvexHull(points).vertices, dtype=np.intp)
    except QhullError:  # all on one line, which no region of whole voxels gives
        return np.arange(len(points))
