"""Voxel values of an image inside a region, checked before anything is computed from them."""

import numpy as np
import numpy.typing as npt

from pipeline.domain.errors import GeometryError
from pipeline.domain.scan import Region, Scan
from pipeline.response.measured import Measured, Missing

Values = npt.NDArray[np.float64]


def read_values(scan: Scan, region: Region) -> Values | Missing:
    """Return an image's values in a region, shape (n,), in the order z, y, x.

    Missing where the region is empty, or where it reaches out of the image (NaN, as
    ``resample_onto`` fills): a part of a lesion must not stand for the whole.

    Raises
    ------
    GeometryError
        If image and region are not on the same grid.
    """
    difference = scan.geometry.difference(region.geometry)
    if difference:
        msg = f"{region.name}: not on the grid of its image: {difference}; resample one of them"
        raise GeometryError(msg)
    values = scan.voxels[region.inside].astype(np.float64)
    return check_values(values, region.name)


def check_values(values: Values, name: str) -> Values | Missing:
    """Return the values, or the reason why they cannot be measured."""
    if values.size == 0:
        return Missing(f"the {name} region is empty")
    uncovered = np.count_nonzero(~np.isfinite(values))
    if uncovered:
        return Missing(f"the image does not cover {uncovered} of {values.size} {name} voxels")
    return values


def measure_mean(scan: Scan, region: Region) -> Measured:
    """Return the mean of an image in a region, in the image's unit."""
    values = read_values(scan, region)
    return values if isinstance(values, Missing) else float(values.mean())
