"""The tissue around a tumour, up to a distance in millimetres."""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from pipeline.domain.errors import RegionAbsentError
from pipeline.domain.scan import Region
from pipeline.imaging.crop import bounding_box


def peritumoural_ring(
    tumour: Region, liver: Region, width_mm: float, excluded: Sequence[Region] = ()
) -> Region:
    """Return the liver within a distance of the tumour, without the tumour.

    Distances are Euclidean, from voxel centre to the nearest centre of the tumour, so that thick
    slices count in millimetres. They are not measured along a path: a ring may reach round a notch
    of the liver.

    Parameters
    ----------
    tumour, liver : Region
        On one grid.
    width_mm : float
        Largest distance that still belongs.
    excluded : sequence of Region
        On that grid; what must not be in the ring: other lesions, vessels.

    Raises
    ------
    CaseError
        If the tumour is empty.
    RegionAbsentError
        If nothing is left of the ring.
    """
    box = bounding_box([tumour], tumour.geometry, width_mm).slices_zyx
    spacing_zyx_mm = tumour.geometry.spacing_mm[::-1]
    outside = ~tumour.inside[box]
    distance_mm = ndimage.distance_transform_edt(outside, sampling=spacing_zyx_mm)
    kept = outside & (np.asarray(distance_mm) <= width_mm) & liver.inside[box]
    for region in excluded:
        kept &= ~region.inside[box]
    if not kept.any():
        msg = (
            f"no liver is left in the ring of {width_mm:g} mm around the tumour: expected at least"
            " one voxel. Check the liver mask of this scan."
        )
        raise RegionAbsentError(msg)
    inside = np.zeros_like(tumour.inside)
    inside[box] = kept
    return Region(inside, tumour.geometry, f"ring_{width_mm:g}mm")
