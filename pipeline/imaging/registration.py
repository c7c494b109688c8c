"""Lay one scan of a patient on another, judge the result, and fall back where it is not better.

Deterministic to the bit: one thread, and a seed for what is sampled. Needs neither scan on the
other's grid. Not for scans of different patients.
"""

from dataclasses import dataclass, field, replace
from math import dist, nan

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk
from scipy import ndimage

from pipeline.config.registration import RegistrationConfig, RegistrationMethod
from pipeline.domain.scan import Region
from pipeline.imaging.alignment import Alignment, RigidMotion, Shift, align_region
from pipeline.imaging.deformable_registration import find_displacement
from pipeline.imaging.itk import geometry_of, place
from pipeline.imaging.registration_images import shrink_to, to_window
from pipeline.imaging.registration_pair import Pair
from pipeline.imaging.registration_quality import (
    Match,
    compute_dice,
    compute_jacobian,
    measure_match,
)
from pipeline.imaging.registration_start import find_start, weigh
from pipeline.imaging.registration_verdict import Quality, refuse_deformable, refuse_rigid
from pipeline.imaging.rigid_registration import find_rigid_motion
from pipeline.imaging.threads import one_itk_thread

COMPARED_MM = 4.0
"""Voxel size at which matches are measured."""

LIVER_MARGIN_MM = 10.0
"""Beyond a liver mask its edge still counts: without it nothing holds the liver in place."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What a registration came to.

    Parameters
    ----------
    alignment : Alignment
        To be used; changes nothing where the rigid registration failed.
    method : RegistrationMethod
        How the alignment was found; less than was asked for where that failed.
    quality : Quality
        Of everything that was tried, also of what was refused.
    failure : str
        Why less was done than asked for; empty where all went well.
    """

    alignment: Alignment
    method: RegistrationMethod
    quality: Quality
    failure: str = ""


def register(pair: Pair, config: RegistrationConfig) -> Registration:
    """Register a pair of scans and refuse a result that is no better than none.

    Returns
    -------
    Registration
        Never raises for what the scans are like: a failure is in the result, with its reason.
    """
    if config.method is RegistrationMethod.NONE:
        return Registration(Alignment(), RegistrationMethod.NONE, Quality())
    with one_itk_thread():
        return _Attempt.of(pair, config).run()


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What the steps of one registration share."""

    pair: Pair
    config: RegistrationConfig
    fixed: sitk.Image
    moving: sitk.Image
    coarse_fixed: sitk.Image = field(repr=False)
    coarse_moving: sitk.Image = field(repr=False)
    where: npt.NDArray[np.bool_] = field(repr=False)

    @classmethod
    def of(cls, pair: Pair, config: RegistrationConfig) -> "_Attempt":
        fixed, moving = to_window(pair.fixed), to_window(pair.moving)
        coarse = shrink_to(fixed, COMPARED_MM)
        where = _compared(coarse, pair.fixed_liver)
        return cls(pair, config, fixed, moving, coarse, shrink_to(moving, COMPARED_MM), where)

    def run(self) -> Registration:
        for name, image in (("fixed", self.fixed), ("moving", self.moving)):
            if np.ptp(sitk.GetArrayViewFromImage(image)) == 0:
                return _failed(Quality(), f"the {name} scan has one value everywhere")
        before = self.match(Alignment())
        quality = Quality(
            mutual_information_before=before.mutual_information_nats, dice_before=self.dice()
        )
        start = find_start(self.pair, self.match)
        try:
            rigid = self.find_rigid(start)
        except RuntimeError:  # SimpleITK has no other: too few voxels lie within the moving scan
            return _failed(quality, "the scans do not overlap enough to be compared")
        quality, failure = self.judge_rigid(rigid, start, quality)
        if failure:
            return _failed(quality, failure)
        if self.config.method is RegistrationMethod.RIGID:
            return Registration(Alignment(rigid), RegistrationMethod.RIGID, quality)
        return self.bend(rigid, quality)

    def find_rigid(self, start: Shift) -> RigidMotion:
        mask = sitk.GetImageFromArray(self.where.astype(np.uint8))
        place(mask, geometry_of(self.coarse_fixed))
        found = find_rigid_motion(self.fixed, self.moving, mask, start, self.config.seed)
        # Where scans already lie well, interpolating them can only blur the match.
        motions = (RigidMotion(translation_mm=start), found)
        return max(motions, key=lambda motion: weigh(self.match(Alignment(motion))))

    def judge_rigid(
        self, rigid: RigidMotion, start: Shift, quality: Quality
    ) -> tuple[Quality, str]:
        match = self.match(Alignment(rigid))
        judged = replace(
            quality,
            mutual_information_rigid=match.mutual_information_nats,
            chance=match.chance_nats,
            overlap=match.overlap,
            dice_rigid=self.dice(Alignment(rigid)),
            shift_mm=self.shift_mm(start, rigid),
            rotation_deg=rigid.angle_deg,
        )
        return judged, refuse_rigid(judged, self.config)

    def bend(self, rigid: RigidMotion, quality: Quality) -> Registration:
        displacement = find_displacement(self.fixed, self.moving, rigid)
        bent = Alignment(rigid, displacement)
        jacobian = compute_jacobian(displacement)
        judged = replace(
            quality,
            mutual_information_deformable=self.match(bent).mutual_information_nats,
            dice_deformable=self.dice(bent),
            jacobian_smallest=float(jacobian.min()),
            jacobian_largest=float(jacobian.max()),
        )
        failure = refuse_deformable(judged, self.config)
        if failure:
            return Registration(Alignment(rigid), RegistrationMethod.RIGID, judged, failure)
        return Registration(bent, RegistrationMethod.DEFORMABLE, judged)

    def match(self, alignment: Alignment) -> Match:
        return measure_match(self.coarse_fixed, self.coarse_moving, alignment, self.where)

    def dice(self, alignment: Alignment | None = None) -> float:
        fixed, moving = self.pair.fixed_liver, self.pair.moving_liver
        if fixed is None or moving is None:
            return nan
        return compute_dice(fixed, moving, alignment or Alignment())

    def shift_mm(self, start: Shift, rigid: RigidMotion) -> float:
        centre = geometry_of(self.coarse_fixed).corner_positions_mm().mean(axis=0)[None]
        before = centre[0] if self.pair.same_session else centre[0] + np.asarray(start)
        return dist(before, Alignment(rigid).map_positions(centre)[0])


def _compared(coarse: sitk.Image, liver: Region | None) -> npt.NDArray[np.bool_]:
    """Return the voxels that count: the liver and its surroundings, else all."""
    geometry = geometry_of(coarse)
    if liver is None or not liver.inside.any():
        return np.ones(geometry.shape_zyx, dtype=np.bool_)
    inside = align_region(liver, Alignment(), geometry).inside
    if not inside.any():
        return np.ones(geometry.shape_zyx, dtype=np.bool_)
    distance_mm = ndimage.distance_transform_edt(~inside, sampling=geometry.spacing_mm[::-1])
    return np.asarray(distance_mm) <= LIVER_MARGIN_MM


def _failed(quality: Quality, reason: str) -> Registration:
    return Registration(Alignment(), RegistrationMethod.NONE, quality, f"not registered: {reason}")
