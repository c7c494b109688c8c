"""Whether two scans lie on each other as they are, so that a search could only blur them."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from pipeline.imaging.alignment import RigidMotion
from pipeline.imaging.registration_samples import Samples

STEP_MM = 2.0
"""How far scans are moved to see where they match best nearby; turned by as much, on average."""

FAR_MM = (6.0, 15.0)
"""How far they are shifted to see that they do not match better elsewhere: a breath."""

TOLERANCE_MM = 0.3
"""Scans whose best match is nearer than this lie well; a search is no surer than that."""

Vector = npt.NDArray[np.float64]


def lie_well(samples: Samples) -> bool:
    """Return whether no nearby motion matches better than none.

    Shifts along and turns about the patient's three axes are tried. Each axis' best is where a
    parabola through the match at a step back, none, and a step on has its top; their root sum of
    squares counts.
    """
    here = samples.weigh(RigidMotion())
    tops = []
    for back, on in _steps(samples):
        before, after = samples.weigh(back), samples.weigh(on)
        if here <= max(before, after):
            return False
        tops.append(STEP_MM / 2 * (after - before) / (2 * here - before - after))
    if np.linalg.norm(tops) > TOLERANCE_MM:
        return False
    return all(samples.weigh(motion) < here for motion in _far_shifts())


def _steps(samples: Samples) -> Iterator[tuple[RigidMotion, RigidMotion]]:
    for axis in np.eye(3):
        yield _shift(-STEP_MM * axis), _shift(STEP_MM * axis)
        angle = STEP_MM / samples.radius_mm
        yield _turn(-angle * axis, samples.centre_mm), _turn(angle * axis, samples.centre_mm)


def _far_shifts() -> Iterator[RigidMotion]:
    for axis in np.eye(3):
        for distance_mm in FAR_MM:
            yield _shift(-distance_mm * axis)
            yield _shift(distance_mm * axis)


def _shift(shift_mm: Vector) -> RigidMotion:
    x, y, z = shift_mm.tolist()
    return RigidMotion(translation_mm=(x, y, z))


def _turn(angles_rad: Vector, centre_mm: Vector) -> RigidMotion:
    """Return a rotation about a centre; the vector gives axis and angle."""
    rotation = Rotation.from_rotvec(angles_rad).as_matrix()
    x, y, z = (centre_mm - rotation @ centre_mm).tolist()
    return RigidMotion(tuple(rotation.ravel().tolist()), (x, y, z))
