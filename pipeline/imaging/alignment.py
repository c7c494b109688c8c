"""Where a position of one scan lies in another: a rigid motion, and a displacement before it."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Region, Scan
from pipeline.imaging.itk import (
    from_itk,
    place,
    region_from_itk,
    region_to_itk,
    resampler_onto,
    to_itk,
)

Vectors = npt.NDArray[np.float64]
Shift = tuple[float, float, float]

_SUBSTITUTIONS = 30
"""Each leaves at most the largest stretch of the displacement of the error: 0.6 of it to 1e-7."""


@dataclass(frozen=True, slots=True)
class RigidMotion:
    """Maps a position ``x`` of the fixed scan to ``rotation x + translation`` of the moving one.

    Parameters
    ----------
    rotation : tuple of 9 float
        Row-major 3 x 3 rotation matrix, in patient coordinates (LPS).
    translation_mm : (float, float, float)
        Along x, y, z of the patient.
    """

    rotation: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    translation_mm: Shift = (0.0, 0.0, 0.0)

    @property
    def angle_deg(self) -> float:
        """Angle of the rotation about its axis, 0 to 180."""
        cosine = (np.trace(np.reshape(self.rotation, (3, 3))) - 1) / 2
        return float(np.rad2deg(np.arccos(np.clip(cosine, -1.0, 1.0))))

    def to_itk(self) -> sitk.AffineTransform:
        """Return it as a SimpleITK transform."""
        transform = sitk.AffineTransform(3)
        transform.SetMatrix(self.rotation)
        transform.SetTranslation(self.translation_mm)
        return transform


@dataclass(frozen=True, slots=True)
class Displacement:
    """A shift of each position of the fixed scan, applied before the rigid motion.

    Parameters
    ----------
    vectors_mm : numpy.ndarray of float32, shape (z, y, x, 3)
        Shift along x, y, z of the patient; interpolated linearly, zero outside the grid.
    geometry : Geometry
        The grid.
    """

    vectors_mm: npt.NDArray[np.float32] = field(repr=False)
    geometry: Geometry

    def to_itk(self) -> sitk.DisplacementFieldTransform:
        """Return it as a SimpleITK transform."""
        return sitk.DisplacementFieldTransform(self.to_image())

    def to_image(self) -> sitk.Image:
        """Return the vectors as a SimpleITK image."""
        vectors = self.vectors_mm.astype(np.float64)  # the only type that SimpleITK takes here
        return place(sitk.GetImageFromArray(vectors, isVector=True), self.geometry)


@dataclass(frozen=True, slots=True)
class Alignment:
    """Maps a position ``x`` of the fixed scan to ``rigid(x + displacement(x))`` of the moving one.

    Plain data, so that it can be stored and checked. The default changes nothing.
    """

    rigid: RigidMotion = field(default_factory=RigidMotion)
    displacement: Displacement | None = None

    def to_itk(self) -> sitk.Transform:
        """Return it as a SimpleITK transform from fixed to moving positions."""
        if self.displacement is None:
            return self.rigid.to_itk()
        return sitk.CompositeTransform([self.rigid.to_itk(), self.displacement.to_itk()])

    def map_positions(self, positions_mm: Vectors) -> Vectors:
        """Return where positions of the fixed scan, shape (n, 3), x y z, lie in the moving one."""
        transform = self.to_itk()
        return np.array([transform.TransformPoint(one) for one in positions_mm.tolist()])

    def map_back(self, positions_mm: Vectors) -> Vectors:
        """Return where positions of the moving scan, shape (n, 3), x y z, lie in the fixed one.

        Of a displacement by repeated substitution, which converges where it folds nothing.
        """
        rotation = np.reshape(self.rigid.rotation, (3, 3))
        straight = (positions_mm - np.asarray(self.rigid.translation_mm)) @ rotation
        if self.displacement is None:
            return np.asarray(straight)
        shift = Alignment(displacement=self.displacement)
        found = straight
        for _ in range(_SUBSTITUTIONS):
            found = straight - (shift.map_positions(found) - found)
        return np.asarray(found)


def align_scan(moving: Scan, alignment: Alignment, geometry: Geometry, fill: float) -> Scan:
    """Interpolate a moving scan linearly on the fixed scan's grid, in 32-bit floats.

    Parameters
    ----------
    moving : Scan
        What is brought over.
    alignment : Alignment
        From the fixed scan's positions to the moving scan's.
    geometry : Geometry
        The fixed scan's grid.
    fill : float
        Value where the moving scan does not reach.
    """
    moved = resample(to_itk(moving), alignment, geometry, (sitk.sitkLinear, fill, sitk.sitkFloat32))
    return from_itk(moved, moving.modality)


def align_region(moving: Region, alignment: Alignment, geometry: Geometry) -> Region:
    """Return a moving region on the fixed scan's grid, by the nearest voxel."""
    how = (sitk.sitkNearestNeighbor, 0, sitk.sitkUInt8)
    return region_from_itk(resample(region_to_itk(moving), alignment, geometry, how), moving.name)


def resample(
    image: sitk.Image, alignment: Alignment, geometry: Geometry, how: tuple[int, float, int]
) -> sitk.Image:
    """Return a moving image on the fixed grid; ``how``: interpolator, fill value, pixel type."""
    interpolator, fill, pixel_type = how
    resampler = resampler_onto(geometry, fill)
    resampler.SetTransform(alignment.to_itk())
    resampler.SetInterpolator(interpolator)
    resampler.SetOutputPixelType(pixel_type)
    return resampler.Execute(image)
