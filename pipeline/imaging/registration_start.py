"""Where a registration starts: as the scanner wrote it, or centre on centre."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Region
from pipeline.imaging.alignment import Alignment, RigidMotion, Shift
from pipeline.imaging.registration_pair import Pair
from pipeline.imaging.registration_quality import Match

Position = npt.NDArray[np.float64]


def find_start(pair: Pair, match: Callable[[Alignment], Match]) -> Shift:
    """Return the shift in mm to start from: the one that matches best where it overlaps.

    Within one examination positions agree but for breathing: no shift, or that of the livers.
    Between examinations the table may stand anywhere: also that of the scans' centres.
    """
    shifts = [np.zeros(3)]
    if pair.fixed_liver is not None and pair.moving_liver is not None:
        both = (pair.fixed_liver, pair.moving_liver)
        if all(liver.inside.any() for liver in both):
            shifts.append(_centroid_mm(both[1]) - _centroid_mm(both[0]))
    if not pair.same_session:
        shifts.append(_centre_mm(pair.moving.geometry) - _centre_mm(pair.fixed.geometry))
    starts = [(float(x), float(y), float(z)) for x, y, z in shifts]
    return max(
        starts, key=lambda shift_mm: weigh(match(Alignment(RigidMotion(translation_mm=shift_mm))))
    )


def weigh(match: Match) -> float:
    """Return information times overlap: a thin common slab can agree by chance."""
    return match.overlap * match.mutual_information_nats


def _centroid_mm(region: Region) -> Position:
    zyx = np.mean(np.nonzero(region.inside), axis=1)
    centroid: Position = region.geometry.axes_mm @ zyx[::-1] + region.geometry.origin_mm
    return centroid


def _centre_mm(geometry: Geometry) -> Position:
    centre: Position = geometry.corner_positions_mm().mean(axis=0)
    return centre
