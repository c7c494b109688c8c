"""The patient lying a little differently: image and mask moved together."""

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from pipeline.domain.scan import Region, Scan
from pipeline.imaging.itk import from_itk, region_to_itk, resampler_onto, to_itk

_INSIDE_FROM = 0.5  # share of a voxel from which it belongs to the moved mask


@dataclass(frozen=True, slots=True)
class Pose:
    """A movement of the patient against the grid.

    Parameters
    ----------
    translation_voxels : (float, float, float)
        Along the grid's x, y, z axes, in voxels.
    rotation_degrees : float
        About the grid's z axis through the region's centre.
    """

    translation_voxels: tuple[float, float, float]
    rotation_degrees: float


def draw_pose(
    translation_percent: float, rotation_degrees: float, rng: np.random.Generator
) -> Pose:
    """Draw a movement, uniform within plus and minus the limits.

    Parameters
    ----------
    translation_percent : float
        Largest translation along each axis, in percent of the voxel spacing.
    rotation_degrees : float
        Largest rotation.
    rng : numpy.random.Generator
        The source of chance.
    """
    x, y, z = (float(value) for value in rng.uniform(-1, 1, 3) * translation_percent / 100)
    return Pose((x, y, z), float(rng.uniform(-1, 1)) * rotation_degrees)


def move(scan: Scan, region: Region, pose: Pose) -> tuple[Scan, Region]:
    """Move the content of an image and a mask on their grid.

    Both are interpolated linearly, the mask then taken from one half. Linear interpolation also
    smooths: noise shrinks by up to the half along each axis, most for shifts of half a voxel.
    Beyond the image its outermost voxels are repeated; beyond the mask there is none of it.

    Parameters
    ----------
    scan : Scan
        Voxels in floats.
    region : Region
        On the grid of the scan, not empty; what is returned may be.
    pose : Pose
        The movement.
    """
    resampler = resampler_onto(scan.geometry, fill=0)
    resampler.SetTransform(_to_source(region, pose))
    mask = sitk.Cast(region_to_itk(region), sitk.sitkFloat64)
    share = sitk.GetArrayFromImage(resampler.Execute(mask))
    resampler.UseNearestNeighborExtrapolatorOn()
    moved = from_itk(resampler.Execute(to_itk(scan)), scan.modality)
    return (
        Scan(moved.voxels, scan.geometry, scan.modality),
        Region(share >= _INSIDE_FROM, region.geometry, region.name),
    )


def _to_source(region: Region, pose: Pose) -> sitk.Transform:
    """Return the transform from positions after the movement to those before."""
    geometry = region.geometry
    forward = sitk.VersorRigid3DTransform()
    forward.SetCenter(region.centroid_mm)
    axis = np.reshape(geometry.direction, (3, 3))[:, 2]
    forward.SetRotation(axis.tolist(), float(np.deg2rad(pose.rotation_degrees)))
    forward.SetTranslation((geometry.axes_mm @ np.asarray(pose.translation_voxels)).tolist())
    return forward.GetInverse()
