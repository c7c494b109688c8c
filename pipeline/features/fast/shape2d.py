"""PyRadiomics' shape features of a region in one plane."""

from math import pi, sqrt

import numpy as np
import numpy.typing as npt

from pipeline.features.fast.axes import measure_axes
from pipeline.features.fast.bounding_box import pad_bounding_box
from pipeline.features.fast.contour import measure_contour
from pipeline.features.fast.diameters import measure_planar_diameter


def compute_shape2d(
    inside: npt.NDArray[np.bool_], spacing_mm: tuple[float, float, float], axis: int = 0
) -> dict[str, float]:
    """Compute all features of PyRadiomics' class ``shape2D``, the deprecated one included.

    Parameters
    ----------
    inside : numpy.ndarray of bool, shape (z, y, x)
        The region, at least one voxel; empty margins do not matter.
    spacing_mm : (float, float, float)
        Distance of voxels along x, y, z.
    axis : int
        The axis that the plane is perpendicular to (PyRadiomics' ``force2Ddimension``): 0 is z.

    Returns
    -------
    dict of str to float
        By PyRadiomics' names, without prefix; lengths in mm, areas in mm2.

    Raises
    ------
    ValueError
        The region has no voxel, or does not lie in one plane.
    """
    padded = pad_bounding_box(inside)
    if padded.shape[axis] != 3:
        msg = f"a region of {padded.shape[axis] - 2} planes along axis {axis} has no 2-D shape"
        raise ValueError(msg)
    plane = np.ascontiguousarray(padded.take(1, axis=axis))
    row_mm, along_mm = (mm for k, mm in enumerate(spacing_mm[::-1]) if k != axis)
    perimeter, area = measure_contour(plane, (row_mm, along_mm))
    axes = measure_axes(plane, (row_mm, along_mm))
    sphericity = 2 * sqrt(pi * area) / perimeter
    return {
        "MeshSurface": area,
        "PixelSurface": axes.voxels * (along_mm * row_mm),
        "Perimeter": perimeter,
        "PerimeterSurfaceRatio": perimeter / area,
        "Sphericity": sphericity,
        "SphericalDisproportion": 1 / sphericity,
        "MaximumDiameter": measure_planar_diameter(plane, (row_mm, along_mm)),
        "MajorAxisLength": float(axes.lengths_mm[1]),
        "MinorAxisLength": float(axes.lengths_mm[0]),
        "Elongation": axes.ratio(0),
    }
