"""A contour drawn more widely or more tightly: a region of another volume."""

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt

from pipeline.domain.errors import CaseError
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Region
from pipeline.imaging.crop import bounding_box


def change_volume(region: Region, change: float, rng: np.random.Generator) -> Region:
    """Grow or shrink a region by a share of its volume.

    The voxels nearest to the contour (in mm, so that coarse slices do not grow faster) are added
    or taken away until the volume is met to the voxel; chance decides within a layer of voxels
    that are equally near. The image's border ends the region.

    Parameters
    ----------
    region : Region
        Not empty.
    change : float
        0.1 adds a tenth of the volume, -0.1 takes it away.
    rng : numpy.random.Generator
        The source of chance.

    Raises
    ------
    CaseError
        If nothing of the region is left, or the image has no room for what it should become.
    """
    wanted = round(region.voxel_count * (1 + change))
    if wanted < 1:
        msg = (
            f"volume change by {100 * change:.1f} %: expected a region with a voxel left, got none"
            f" of {region.voxel_count}. Regions this small have no stability; lower volume_percent"
            " or raise min_region_mm3."
        )
        raise CaseError(msg)
    box = bounding_box([region], region.geometry, _reach_mm(region, change)).slices_zyx
    part = region.inside[box]
    if wanted > part.size:
        msg = (
            f"volume change by {100 * change:.1f} %: expected room for {wanted} voxels, got"
            f" {part.size} in the image around the region. The mask fills the image; check it."
        )
        raise CaseError(msg)
    inside = np.zeros_like(region.inside)
    inside[box] = _nearest(_signed_distance_mm(part, region.geometry), wanted, rng)
    return Region(inside, region.geometry, region.name)


def _reach_mm(region: Region, change: float) -> float:
    """Return how far the grown region can reach beyond its contour.

    Of all shapes the ball needs the widest layer for a given growth (Brunn-Minkowski inequality);
    a voxel's diagonal is added for the grid.
    """
    radius_mm = float(np.cbrt(3 * region.volume_mm3 / (4 * np.pi)))
    layer_mm = radius_mm * (float(np.cbrt(1 + max(change, 0.0))) - 1)
    return layer_mm + float(np.linalg.norm(region.geometry.spacing_mm))


def _signed_distance_mm(
    inside: npt.NDArray[np.bool_], geometry: Geometry
) -> npt.NDArray[np.float64]:
    """Return the distance to the nearest voxel across the contour, negative inside; (z, y, x)."""
    spacing_zyx = geometry.spacing_mm[::-1]
    padded = np.pad(inside, 1)  # beyond the border is outside
    depth = distance_transform_edt(padded, sampling=spacing_zyx)[1:-1, 1:-1, 1:-1]
    beyond = distance_transform_edt(~inside, sampling=spacing_zyx)
    signed: npt.NDArray[np.float64] = np.where(inside, -depth, beyond)
    return signed


def _nearest(
    distance: npt.NDArray[np.float64], count: int, rng: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """Choose the voxels of smallest distance; among equals, by chance."""
    limit = np.partition(distance, count - 1, axis=None)[count - 1]
    chosen: npt.NDArray[np.bool_] = distance < limit
    layer = np.flatnonzero(distance == limit)
    drawn = rng.choice(layer, count - int(np.count_nonzero(chosen)), replace=False)
    chosen.flat[drawn] = True
    return chosen
