"""How well two scans match where a random set of positions says so: quick, and fair to all motions.

On a shared grid, a comparison voxel by voxel blurs every motion but none at all, which alone
changes the mutual information (Tsao 2003, doi 10.1109/TMI.2003.815077). Positions drawn between
voxels blur all motions alike.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk
from scipy import ndimage

from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Region
from pipeline.imaging.alignment import RigidMotion
from pipeline.imaging.itk import geometry_of
from pipeline.imaging.registration_quality import BINS, information_of

MOST = 20_000
"""Positions compared; mutual information is then sure to some thousandths of a nat."""

Positions = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Samples:
    """Positions in the fixed scan, with its values there, and the moving scan to compare with.

    Parameters
    ----------
    positions_mm : numpy.ndarray, shape (n, 3)
        In the coordinates of the fixed scan, x y z.
    bins : numpy.ndarray of int, shape (n,)
        The fixed scan's values there, as bins.
    voxels : numpy.ndarray of float32, shape (z, y, x)
        The moving scan as bins, with fractions.
    geometry : Geometry
        Its grid.
    """

    positions_mm: Positions = field(repr=False)
    bins: npt.NDArray[np.intp] = field(repr=False)
    voxels: npt.NDArray[np.float32] = field(repr=False)
    geometry: Geometry

    @property
    def centre_mm(self) -> Positions:
        """Mean position."""
        return np.asarray(self.positions_mm.mean(axis=0))

    @property
    def radius_mm(self) -> float:
        """Root mean square distance of the positions from their centre."""
        offsets = self.positions_mm - self.centre_mm
        return float(np.sqrt((offsets**2).sum(axis=1).mean()))

    def weigh(self, motion: RigidMotion) -> float:
        """Return mutual information (nats) times overlap: a thin slab can agree by chance."""
        moved = self.positions_mm @ np.reshape(motion.rotation, (3, 3)).T + motion.translation_mm
        theirs = _interpolate(self.voxels, self.geometry, moved)
        covered = np.isfinite(theirs)
        if not covered.any():
            return 0.0
        pairs = self.bins[covered] * BINS + theirs[covered].astype(np.intp)
        joint = np.bincount(pairs, minlength=BINS * BINS).reshape(BINS, BINS)
        return float(covered.mean()) * information_of(joint)


def draw_samples(fixed: sitk.Image, moving: sitk.Image, where: Region, seed: int) -> Samples:
    """Draw positions, evenly spread over a region and within each of its voxels.

    Parameters
    ----------
    fixed, moving : SimpleITK.Image
        Of 32-bit floats, neither of one value everywhere.
    where : Region
        What counts of the fixed image, at least one voxel, on any grid.
    seed : int
        Of the draw.
    """
    random = np.random.default_rng(seed)
    voxels_zyx = np.argwhere(where.inside)
    chosen = voxels_zyx[random.integers(len(voxels_zyx), size=MOST)]
    xyz = chosen[:, ::-1] + random.uniform(-0.5, 0.5, size=(MOST, 3))
    positions = xyz @ where.geometry.axes_mm.T + where.geometry.origin_mm
    values = _interpolate(_as_bins(fixed), geometry_of(fixed), positions)
    inside = np.isfinite(values)  # some edge of the region may lie beyond the scan
    bins = values[inside].astype(np.intp)
    return Samples(positions[inside], bins, _as_bins(moving), geometry_of(moving))


def _as_bins(image: sitk.Image) -> npt.NDArray[np.float32]:
    values = sitk.GetArrayFromImage(image)
    low, high = values.min(), values.max()
    return np.asarray((values - low) * ((BINS - 1e-3) / (high - low)), dtype=np.float32)


def _interpolate(
    voxels: npt.NDArray[np.float32], geometry: Geometry, positions_mm: Positions
) -> npt.NDArray[np.float64]:
    """Return linearly interpolated values, NaN beyond the edges of the outermost voxels."""
    # Ten times as quick as solving for each position, as Geometry.to_voxels does.
    to_voxels = np.linalg.inv(geometry.axes_mm)
    zyx = (to_voxels @ (positions_mm - np.asarray(geometry.origin_mm)).T)[::-1]
    values = ndimage.map_coordinates(voxels, zyx, output=np.float64, order=1, mode="nearest")
    last = np.array(voxels.shape)[:, None] - 1
    within = ((zyx >= -0.5) & (zyx <= last + 0.5)).all(axis=0)
    return np.where(within, values, np.nan)
