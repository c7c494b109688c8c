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
from pipeline.imaging.deformable_registration import find_displacement, is_large_enough
from pipeline.imaging.itk import geometry_of, place
from pipeline.imaging.registration_images import shrink_to, to_window
from pipeline.imaging.registration_pair import Pair
from pipeline.imaging.registration_probe import lie_well
from pipeline.imaging.registration_quality import (
    Match,
    compute_dice,
    compute_jacobian,
    measure_match,
)
from pipeline.imaging.registration_samples import Samples, draw_samples
from pipeline.imaging.registration_start import find_start
from pipeline.imaging.registration_verdict import Quality, refuse_deformable, refuse_rigid
from pipeline.imaging.rigid_registration import find_rigid_motion
from pipeline.imaging.threads import one_itk_thread

COMPARED_MM = 4.0
"""Voxel size at which matches are measured."""

SAMPLED_MM = 2.0
"""Voxel size at which motions are compared with each other."""

NOWHERE: Shift = (0.0, 0.0, 0.0)
"""The start where scans lie well."""

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
    aligned : bool
        Whether the scans already lay on each other, so that neither was turned or shifted.
    """

    alignment: Alignment
    method: RegistrationMethod
    quality: Quality
    failure: str = ""
    aligned: bool = False

    @property
    def failed(self) -> bool:
        """Whether nothing could be found: positions are as the scanner wrote them."""
        return bool(self.failure) and self.method is RegistrationMethod.NONE and not self.aligned


def register(pair: Pair, config: RegistrationConfig) -> Registration:
    """Register a pair of scans and refuse a result that is no better than none.

    Returns
    -------
    Registration
        Never raises for what the scans are like: a failure is in the result, with its reason.
    """
    if config.method is RegistrationMethod.NONE:
        return Registration(Alignment(), RegistrationMethod.NONE, Quality())
    if _is_copy(pair.moving_liver, pair.fixed_liver):
        pair = replace(pair, moving_liver=None)  # does not tell where the moving scan's liver is
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
        samples = self.draw_samples()
        start, rigid = NOWHERE, RigidMotion()
        try:
            if not lie_well(samples):
                start = find_start(self.pair, samples)
                rigid = self.find_rigid(start, samples)
        except RuntimeError:  # SimpleITK has no other: too few voxels lie within the moving scan
            return _failed(quality, "the scans do not overlap enough to be compared")
        quality, failure = self.judge_rigid(rigid, start, quality)
        if failure:
            return _failed(quality, failure)
        aligned = rigid == RigidMotion()  # nor did the search find a better position
        method = RegistrationMethod.NONE if aligned else RegistrationMethod.RIGID
        found = Registration(Alignment(rigid), method, quality, aligned=aligned)
        return self.bend(found) if self.config.method is RegistrationMethod.DEFORMABLE else found

    def draw_samples(self) -> Samples:
        where = Region(self.where, geometry_of(self.coarse_fixed), "compared")
        fixed, moving = shrink_to(self.fixed, SAMPLED_MM), shrink_to(self.moving, SAMPLED_MM)
        return draw_samples(fixed, moving, where, self.config.seed)

    def find_rigid(self, start: Shift, samples: Samples) -> RigidMotion:
        mask = sitk.GetImageFromArray(self.where.astype(np.uint8))
        place(mask, geometry_of(self.coarse_fixed))
        found = find_rigid_motion(self.fixed, self.moving, mask, start, self.config.seed)
        return max((RigidMotion(translation_mm=start), found), key=samples.weigh)

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

    def bend(self, found: Registration) -> Registration:
        if not is_large_enough(self.fixed):
            return replace(found, failure="not bent: the fixed scan is too small")
        rigid = found.alignment.rigid
        displacement = find_displacement(self.fixed, self.moving, rigid)
        bent = Alignment(rigid, displacement)
        jacobian = compute_jacobian(displacement)
        judged = replace(
            found.quality,
            mutual_information_deformable=self.match(bent).mutual_information_nats,
            dice_deformable=self.dice(bent),
            jacobian_smallest=float(jacobian.min()),
            jacobian_largest=float(jacobian.max()),
        )
        failure = refuse_deformable(judged, self.config)
        if failure:
            return replace(found, quality=judged, failure=failure)
        return replace(found, alignment=bent, method=RegistrationMethod.DEFORMABLE, quality=judged)

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


def _is_copy(moving: Region | None, fixed: Region | None) -> bool:
    """Return whether one drawing serves both scans, as where a mask is used for all phases."""
    if moving is None or fixed is None or moving.geometry.difference(fixed.geometry):
        return False
    return np.array_equal(moving.inside, fixed.inside)


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
