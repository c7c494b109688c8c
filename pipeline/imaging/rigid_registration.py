"""Turn and shift one scan onto another by the mutual information of their values.

Mattes et al. 2003 (doi 10.1109/TMI.2003.809072), by SimpleITK, from coarse to fine.
"""

from math import prod

import numpy as np
import SimpleITK as sitk

from pipeline.imaging.alignment import RigidMotion, Shift
from pipeline.imaging.registration_images import shrink_to
from pipeline.imaging.registration_quality import BINS

LEVELS_MM = (8.0, 4.0, 2.0)
"""Voxel sizes compared one after the other."""

SAMPLES = 20_000
"""Voxels compared at each level, whatever the size of the scan; 60,000 gained no accuracy."""

FIRST_STEP_MM, LAST_STEP_MM, MOST_STEPS = 2.0, 0.005, 100


def find_rigid_motion(
    fixed: sitk.Image, moving: sitk.Image, mask: sitk.Image, start_shift_mm: Shift, seed: int
) -> RigidMotion:
    """Return the motion that maps positions of the fixed image into the moving one.

    Parameters
    ----------
    fixed, moving : SimpleITK.Image
        Of 32-bit floats.
    mask : SimpleITK.Image
        Where the fixed image counts (not zero), on any grid.
    start_shift_mm : (float, float, float)
        Where the search starts, along x, y, z of the patient.
    seed : int
        Of the choice of voxels.

    Raises
    ------
    RuntimeError
        By SimpleITK, where too few voxels overlap.
    """
    transform = sitk.Euler3DTransform()
    transform.SetCenter(_centre_mm(mask))
    transform.SetTranslation(start_shift_mm)
    for coarse_fixed, coarse_moving in _levels(fixed, moving):
        method = _method(coarse_fixed, mask, seed)
        method.SetInitialTransform(transform, inPlace=True)
        method.Execute(coarse_fixed, coarse_moving)
    return _motion(transform)


def _levels(fixed: sitk.Image, moving: sitk.Image) -> list[tuple[sitk.Image, sitk.Image]]:
    """Return both images at each level, without levels that shrink neither further."""
    pairs = {}
    for level_mm in LEVELS_MM:
        pair = (shrink_to(fixed, level_mm), shrink_to(moving, level_mm))
        pairs[pair[0].GetSize(), pair[1].GetSize()] = pair
    return list(pairs.values())


def _method(fixed: sitk.Image, mask: sitk.Image, seed: int) -> sitk.ImageRegistrationMethod:
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(BINS)
    method.SetMetricFixedMask(mask)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(min(1.0, SAMPLES / _voxels_within(fixed, mask)), seed)
    # Gradients of whole images cost most of the time and gain no accuracy here.
    method.SetMetricUseFixedImageGradientFilter(False)
    method.SetMetricUseMovingImageGradientFilter(False)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(
        FIRST_STEP_MM, LAST_STEP_MM, MOST_STEPS, gradientMagnitudeTolerance=1e-6
    )
    method.SetOptimizerScalesFromPhysicalShift()
    return method


def _voxels_within(fixed: sitk.Image, mask: sitk.Image) -> float:
    inside = np.count_nonzero(sitk.GetArrayViewFromImage(mask))
    ratio: float = prod(mask.GetSpacing()) / prod(fixed.GetSpacing())
    return max(1.0, float(inside) * ratio)


def _centre_mm(mask: sitk.Image) -> tuple[float, ...]:
    zyx = np.mean(np.nonzero(sitk.GetArrayViewFromImage(mask)), axis=1)
    centre: tuple[float, ...] = mask.TransformContinuousIndexToPhysicalPoint(zyx[::-1].tolist())
    return centre


def _motion(transform: sitk.Euler3DTransform) -> RigidMotion:
    """Return a transform about a centre as one about the origin."""
    rotation = np.reshape(transform.GetMatrix(), (3, 3))
    centre = np.asarray(transform.GetCenter())
    x, y, z = (np.asarray(transform.GetTranslation()) + centre - rotation @ centre).tolist()
    return RigidMotion(tuple(rotation.ravel().tolist()), (x, y, z))
