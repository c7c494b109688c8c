"""Where a registration starts: as the scanner wrote it, or centre on centre."""

import numpy as np
import numpy.typing as npt

from pipeline.domain.geometry import Geometry
from pipeline.imaging.alignment import RigidMotion, Shift
from pipeline.imaging.registration_pair import Pair
from pipeline.imaging.registration_samples import Samples

Position = npt.NDArray[np.float64]


def find_start(pair: Pair, samples: Samples) -> Shift:
    """Return the shift in mm to start from: the one that matches best where it overlaps.

    Within one examination positions agree but for breathing: no shift, or that of the livers.
    Between examinations the table may stand anywhere: also that of the scans' centres.
    """
    shifts = [np.zeros(3)]
    if pair.fixed_liver is not None and pair.moving_liver is not None:
        both = (pair.fixed_liver, pair.moving_liver)
        if all(liver.inside.any() for liver in both):
            shifts.append(np.subtract(both[1].centroid_mm, both[0].centroid_mm))
    if not pair.same_session:
        shifts.append(_centre_mm(pair.moving.geometry) - _centre_mm(pair.fixed.geometry))
    starts = [(float(x), float(y), float(z)) for x, y, z in shifts]
    return max(starts, key=lambda shift_mm: samples.weigh(RigidMotion(translation_mm=shift_mm)))


def _centre_mm(geometry: Geometry) -> Position:
    centre: Position = geometry.corner_positions_mm().mean(axis=0)
    return centre
