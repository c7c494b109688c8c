"""PyRadiomics' shape features of a region in three dimensions."""

from math import nan, pi, sqrt

import numpy as np
import numpy.typing as npt

from pipeline.features.fast.axes import PrincipalAxes, measure_axes
from pipeline.features.fast.bounding_box import pad_bounding_box
from pipeline.features.fast.diameters import Diameters, measure_diameters
from pipeline.features.fast.mesh import measure_mesh


def compute_shape(
    inside: npt.NDArray[np.bool_], spacing_mm: tuple[float, float, float]
) -> dict[str, float]:
    """Compute all features of PyRadiomics' class ``shape``, the deprecated ones included.

    Definitions: IBSI reference manual, arXiv:1612.07003, section 3.1, morphological features.

    Parameters
    ----------
    inside : numpy.ndarray of bool, shape (z, y, x)
        The region, at least one voxel. Empty margins do not matter: like PyRadiomics' extractor,
        this works on the bounding box.
    spacing_mm : (float, float, float)
        Distance of voxels along x, y, z.

    Returns
    -------
    dict of str to float
        By PyRadiomics' names, without prefix; lengths in mm, areas in mm2, volumes in mm3.

    Raises
    ------
    ValueError
        The region has no voxel.
    """
    dx, dy, dz = spacing_mm
    padded = pad_bounding_box(inside)
    area, volume = measure_mesh(padded, (dz, dy, dx))
    axes = measure_axes(padded, (dz, dy, dx))
    return {
        "VoxelVolume": axes.voxels * (dz * dx * dy),
        **_compare_with_sphere(area, volume),
        **_name_diameters(measure_diameters(padded, (dz, dy, dx))),
        **_describe_axes(axes),
    }


def _compare_with_sphere(area: float, volume: float) -> dict[str, float]:
    """Return area, volume and the ratios that are extreme for a sphere.

    IBSI: RNU0 (volume), C0JK (area), 2PR5 (ratio), QCFX (sphericity), SKGS and BQWJ (compactness),
    KRCK (disproportion). Not a number where PyRadiomics fails: an open mesh without volume.
    """
    sphere_area = (36 * pi * volume**2) ** (1 / 3)
    return {
        "MeshVolume": volume,
        "SurfaceArea": area,
        "SurfaceVolumeRatio": area / volume if volume else nan,
        "Sphericity": sphere_area / area,
        "Compactness1": volume / (area**1.5 * sqrt(pi)),
        "Compactness2": 36 * pi * volume**2 / area**3,
        "SphericalDisproportion": area / sphere_area if volume else nan,
    }


def _name_diameters(diameters: Diameters) -> dict[str, float]:
    """Give the diameters PyRadiomics' names."""
    return {
        "Maximum2DDiameterSlice": diameters.slice_mm,
        "Maximum2DDiameterColumn": diameters.column_mm,
        "Maximum2DDiameterRow": diameters.row_mm,
        "Maximum3DDiameter": diameters.all_mm,
    }


def _describe_axes(axes: PrincipalAxes) -> dict[str, float]:
    """Return the lengths and their ratios; IBSI: Q3CK (elongation), N17B (flatness)."""
    least, minor, major = map(float, axes.lengths_mm)
    return {
        "MajorAxisLength": major,
        "MinorAxisLength": minor,
        "LeastAxisLength": least,
        "Elongation": axes.ratio(1),
        "Flatness": axes.ratio(0),
    }
