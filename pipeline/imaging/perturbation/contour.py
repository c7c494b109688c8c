"""A contour drawn by another hand: the region rebuilt from supervoxels of the image."""

import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates
from skimage.segmentation import slic

from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Region, Scan
from pipeline.imaging.crop import bounding_box

SURROUNDINGS = 2.0
"""Supervoxels are made of the region's box and so many of their edges around it: as far as one
reaches for voxels."""

COARSEST, FINEST = 3, 6
"""How many cubes make the edge of a supervoxel; of these numbers, the one nearest to voxel size."""

ALWAYS_FROM = 0.9
"""Supervoxels with at least this share in the region are always kept."""

NEVER_BELOW = 0.2
"""Supervoxels with less than this share in the region are never kept."""

_BLUR_CUBES = 0.5  # against noise; more lays rims of in-between values around what is bright
_ITERATIONS = 5  # of SLIC; twice as many moved Dice by no more than its spread, at twice the time
_INTENSITY_SDS = 3.0  # intensities are cut so far beyond those of the region


def randomise_contour(
    scan: Scan, region: Region, mm3: float, compactness: float, rng: np.random.Generator
) -> Region:
    """Draw a region anew along the edges of the image.

    Supervoxels [1]_ that the region overlaps are kept with a probability that is their share in
    the region [2]_; with the limits :data:`ALWAYS_FROM` and :data:`NEVER_BELOW` of its authors'
    software (MIRP). Unlike there, gaps are not closed and no supervoxel is kept by force, so that
    a small region can be lost.

    Parameters
    ----------
    scan : Scan
        The image.
    region : Region
        On its grid, not empty.
    mm3 : float
        Size of a supervoxel.
    compactness : float
        How much supervoxels follow their own shape (high) instead of the image (low).
    rng : numpy.random.Generator
        The source of chance.

    Returns
    -------
    Region
        May be empty.

    References
    ----------
    .. [1] Achanta R et al. SLIC superpixels compared to state-of-the-art superpixel methods. IEEE
       Trans Pattern Anal Mach Intell 2012;34:2274-2282. doi:10.1109/TPAMI.2012.120
    .. [2] Zwanenburg A et al. Assessing robustness of radiomic features by image perturbation. Sci
       Rep 2019;9:614. doi:10.1038/s41598-018-36938-4
    """
    geometry = region.geometry
    edge_mm = float(np.cbrt(mm3))
    box = bounding_box([region], geometry, SURROUNDINGS * edge_mm).slices_zyx
    part = region.inside[box]
    shown = _cut_intensities(scan.voxels[box], part)
    labels = make_supervoxels(shown, geometry, edge_mm, compactness)
    inside = np.zeros_like(region.inside)
    inside[box] = draw_supervoxels(labels, part, rng)[labels]
    return Region(inside, geometry, region.name)


def make_supervoxels(
    voxels: npt.NDArray[np.float64], geometry: Geometry, edge_mm: float, compactness: float
) -> npt.NDArray[np.int_]:
    """Divide an image into supervoxels.

    They are made on a grid of cubes, because SLIC starts them at equal distances in voxels: slices
    thicker than the pixels would make columns of them.

    Parameters
    ----------
    voxels : numpy.ndarray, shape (z, y, x)
        Intensities.
    geometry : Geometry
        Its spacing is that of the voxels.
    edge_mm : float
        Edge of a cube of the volume that a supervoxel has on average.
    compactness : float
        As for :func:`randomise_contour`.

    Returns
    -------
    numpy.ndarray of int, shape (z, y, x)
        The supervoxel of each voxel, from 0 on.
    """
    per_edge = edge_mm / np.cbrt(geometry.voxel_volume_mm3)
    per_edge = min(max(round(per_edge), COARSEST), FINEST)
    step_mm = edge_mm / per_edge
    spacing_zyx = geometry.spacing_mm[::-1]
    axes = list(zip(voxels.shape, spacing_zyx, strict=True))
    counts = [round((size - 1) * spacing / step_mm) + 1 for size, spacing in axes]
    places = [
        np.arange(count) * step_mm / spacing
        for count, spacing in zip(counts, spacing_zyx, strict=True)
    ]
    cubes = map_coordinates(voxels, np.meshgrid(*places, indexing="ij"), order=1, mode="nearest")
    segments = max(1, round(cubes.size / per_edge**3))
    labels: npt.NDArray[np.int_] = slic(
        cubes,
        segments,
        compactness,
        max_num_iter=_ITERATIONS,
        sigma=_BLUR_CUBES,
        channel_axis=None,
        start_label=0,
    )
    nearest = [
        np.minimum(np.rint(np.arange(size) * spacing / step_mm).astype(int), count - 1)
        for (size, spacing), count in zip(axes, counts, strict=True)
    ]
    return labels[np.ix_(*nearest)]


def draw_supervoxels(
    labels: npt.NDArray[np.int_], inside: npt.NDArray[np.bool_], rng: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """Choose supervoxels, each with the probability that is its share in the region.

    Parameters
    ----------
    labels : numpy.ndarray of int
        The supervoxel of each voxel, from 0 on.
    inside : numpy.ndarray of bool, shape of ``labels``
        The region.
    rng : numpy.random.Generator
        The source of chance.

    Returns
    -------
    numpy.ndarray of bool, shape (supervoxels,)
        Which are kept.
    """
    sizes = np.bincount(labels.ravel())
    shares = np.bincount(labels[inside], minlength=sizes.size) / np.maximum(sizes, 1)
    kept: npt.NDArray[np.bool_] = rng.random(sizes.size) < shares
    kept[shares >= ALWAYS_FROM] = True
    kept[shares < NEVER_BELOW] = False
    return kept


def _cut_intensities(
    voxels: npt.NDArray[np.float64], inside: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """Scale intensities to 0 ... 1 about those of the region: bone and air would use them up.

    A region of a single intensity says nothing of the range; then it is the whole image's.
    """
    values = voxels[inside]
    beyond = _INTENSITY_SDS * values.std()
    low, high = values.min() - beyond, values.max() + beyond
    if high == low:
        low, high = voxels.min(), voxels.max()
    if high == low:
        return np.zeros(voxels.shape)
    scaled: npt.NDArray[np.float64] = (np.clip(voxels, low, high) - low) / (high - low)
    return scaled
