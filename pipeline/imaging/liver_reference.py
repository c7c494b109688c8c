"""A small sphere of normal liver near a lesion, placed without a reader.

What enhances is judged against about 1 cm3 of tumour-free parenchyma of the same side, clear of
vessels (Eur Radiol 2015, doi 10.1007/s00330-015-3812-2: a reference of the same side agreed with
histology at r = 0.89, one of the other side at 0.73).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from pipeline.domain.errors import CaseError
from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Region, Scan
from pipeline.imaging.crop import Box, bounding_box, crop_geometry

RADIUS_MM = 6.2
"""A sphere of 1 cm3: (3 / (4 pi))^(1/3) cm."""

LIVER_EDGE_MM, LESION_MARGIN_MM, VESSEL_MARGIN_MM = 5.0, 10.0, 1.0
"""Least distance of the sphere's surface from each; proposals of this project."""

VESSEL_DEVIATIONS = 3.0
"""Voxels farther from the liver's median, in robust standard deviations, are no parenchyma."""

LEAST_SPHERE_MM3 = 500.0
"""Half of the sphere must lie within an image to be measured there."""

STEP_MM = 3.0
"""Distance between the centres tried."""

Mask = npt.NDArray[np.bool_]
Voxel = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class LiverReference:
    """Where the reference lies and what it measures.

    Parameters
    ----------
    region : Region
        The sphere, on the scan's grid.
    centre_mm : (float, float, float)
        In patient coordinates, x, y, z.
    same_side : bool
        Whether it lies on the lesions' side of the liver.
    mean, deviation : float
        Of the scan in it, in the scan's unit.
    lesion_distance_mm : float
        From its surface to the nearest lesion.
    """

    region: Region
    centre_mm: tuple[float, float, float]
    same_side: bool
    mean: float
    deviation: float
    lesion_distance_mm: float


def place_liver_reference(
    scan: Scan, liver: Region, lesions: Sequence[Region], vessels: Region | None = None
) -> LiverReference:
    """Place the sphere where the liver is most even, on the side of the lesions if it fits there.

    Sides are divided by the plane through the liver's centre of gravity that is square to the
    patient's left-right axis: a stand-in for the line of Cantlie, which needs landmarks. Without a
    vessel mask, voxels that stand out from the liver's median count as vessels; so do cysts,
    lipiodol and lesions that nobody drew. The same inputs give the same place.

    Parameters
    ----------
    scan : Scan
        The image whose evenness counts, best a portal phase, where vessels stand out.
    liver : Region
        On its grid, lesions included or not.
    lesions : sequence of Region
        On that grid: all of them, at least one.
    vessels : Region, optional
        On that grid.

    Raises
    ------
    CaseError
        If there is no lesion, or no place for the sphere.
    """
    lesion = _union(lesions)
    box = bounding_box([liver, Region(lesion, liver.geometry, "lesions")], liver.geometry, 0.0)
    geometry = crop_geometry(liver.geometry, box)
    part = box.slices_zyx
    values, inside, lesion_here = scan.voxels[part], liver.inside[part], lesion[part]
    vessel = _vessels(values, inside & ~lesion_here) if vessels is None else vessels.inside[part]
    centres, on_side = _possible_centres(inside, lesion_here, vessel, geometry)
    offsets = _sphere_offsets(geometry)
    chosen = _most_even(values, centres, offsets)
    sphere = tuple((np.asarray(chosen) + offsets).T)
    return LiverReference(
        region=_region(sphere, box, liver.geometry),
        centre_mm=_position_mm(geometry, chosen),
        same_side=on_side,
        mean=float(values[sphere].mean(dtype=np.float64)),
        deviation=float(values[sphere].std(dtype=np.float64, ddof=1)),
        lesion_distance_mm=float(_distance_mm(lesion_here, geometry)[chosen]) - RADIUS_MM,
    )


def draw_sphere(geometry: Geometry, centre_mm: tuple[float, float, float]) -> Region:
    """Return the reference's sphere around a position, as far as it lies within a grid.

    Parameters
    ----------
    geometry : Geometry
        Of the image that it is drawn on.
    centre_mm : (float, float, float)
        In patient coordinates, x, y, z; taken to the nearest voxel.
    """
    offset_mm = np.subtract(centre_mm, geometry.origin_mm)
    centre = np.rint(np.linalg.solve(geometry.axes_mm, offset_mm)).astype(int)[::-1]
    voxels = centre + _sphere_offsets(geometry)
    within = ((voxels >= 0) & (voxels < geometry.shape_zyx)).all(axis=1)
    inside = np.zeros(geometry.shape_zyx, dtype=np.bool_)
    inside[tuple(voxels[within].T)] = True
    return Region(inside, geometry, "liver_reference")


def draw_whole_sphere(geometry: Geometry, centre_mm: tuple[float, float, float]) -> Region | None:
    """Return the sphere as :func:`draw_sphere`; None where less than half lies within the grid."""
    sphere = draw_sphere(geometry, centre_mm)
    return sphere if sphere.volume_mm3 > LEAST_SPHERE_MM3 else None


def _union(lesions: Sequence[Region]) -> Mask:
    if not any(lesion.inside.any() for lesion in lesions):
        msg = "no lesion to place a liver reference for: expected at least one voxel, got none."
        raise CaseError(f"{msg} Check the mask of this scan.")
    union: Mask = np.logical_or.reduce([lesion.inside for lesion in lesions])
    return union


def _vessels(values: npt.NDArray[np.generic], healthy: Mask) -> Mask:
    """Return what stands out from the healthy liver, smoothed so that noise does not."""
    seen = np.isfinite(values)
    healthy = healthy & seen
    if not healthy.any():
        return np.zeros_like(healthy)
    # Filtering would spread what an image does not cover (NaN).
    known = values.astype(np.float64)
    smooth = ndimage.gaussian_filter(np.where(seen, known, np.median(known[healthy])), 1.0)
    away = np.abs(smooth - np.median(smooth[healthy]))
    # 1.4826: the median deviation of a normal distribution, to its standard deviation.
    return np.asarray(away > VESSEL_DEVIATIONS * 1.4826 * np.median(away[healthy]))


def _possible_centres(
    liver: Mask, lesion: Mask, vessel: Mask, geometry: Geometry
) -> tuple[npt.NDArray[np.int_], bool]:
    """Return the centres (n, 3), z y x, at which the sphere fits, and if they are on the side."""
    padded = np.pad(liver, 1)  # the liver ends where its image ends
    depth_mm = _distance_mm(~padded, geometry)[1:-1, 1:-1, 1:-1]
    fits = depth_mm >= RADIUS_MM + LIVER_EDGE_MM
    fits &= _distance_mm(lesion, geometry) >= RADIUS_MM + LESION_MARGIN_MM
    fits &= _distance_mm(vessel & liver, geometry) >= RADIUS_MM + VESSEL_MARGIN_MM
    side = fits & _lesion_side(liver, lesion, geometry)
    chosen = side if side.any() else fits
    if not chosen.any():
        msg = (
            f"no place for a liver reference of {RADIUS_MM:g} mm radius: expected liver"
            f" {LESION_MARGIN_MM:g} mm away from lesions, {LIVER_EDGE_MM:g} mm from its edge and"
            " clear of vessels. Give a liver mask of the whole liver, or a reference by hand."
        )
        raise CaseError(msg)
    return _every_few_mm(chosen, geometry), bool(side.any())


def _every_few_mm(chosen: Mask, geometry: Geometry) -> npt.NDArray[np.int_]:
    """Return the voxels on a lattice of about STEP_MM; all of them where none is on it."""
    steps = [max(1, round(STEP_MM / spacing)) for spacing in geometry.spacing_mm[::-1]]
    centres = np.argwhere(chosen)
    on_lattice = centres[(centres % steps == 0).all(axis=1)]
    return on_lattice if len(on_lattice) else centres


def _lesion_side(liver: Mask, lesion: Mask, geometry: Geometry) -> Mask:
    """Return the voxels on the same side of the liver as the lesions, left or right."""
    to_left = np.array(geometry.direction[:3]) * geometry.spacing_mm  # patient's x by x, y, z voxel
    z, y, x = np.ogrid[tuple(slice(0, size) for size in liver.shape)]
    left = to_left[0] * x + to_left[1] * y + to_left[2] * z
    middle = left[liver | lesion].mean()
    return np.asarray((left >= middle) == (left[lesion].mean() >= middle))


def _most_even(
    values: npt.NDArray[np.generic], centres: npt.NDArray[np.int_], offsets: npt.NDArray[np.int_]
) -> Voxel:
    """Return the centre whose sphere has the smallest standard deviation; of equals the first."""
    spreads = [values[tuple((centre + offsets).T)].std(dtype=np.float64) for centre in centres]
    z, y, x = (int(value) for value in centres[int(np.argmin(spreads))])
    return (z, y, x)


def _sphere_offsets(geometry: Geometry) -> npt.NDArray[np.int_]:
    """Return the voxels (n, 3), z y x, within the radius of a voxel at the origin."""
    spacing = np.array(geometry.spacing_mm[::-1])
    reach = [ceil(RADIUS_MM / step) for step in spacing]
    offsets = np.argwhere(np.ones([2 * n + 1 for n in reach], dtype=bool)) - reach
    return np.asarray(offsets[np.linalg.norm(offsets * spacing, axis=1) <= RADIUS_MM])


def _distance_mm(inside: Mask, geometry: Geometry) -> npt.NDArray[np.float64]:
    """Return each voxel's distance to the nearest voxel inside; infinite where there is none."""
    if not inside.any():
        return np.full(inside.shape, np.inf)
    spacing_zyx_mm = geometry.spacing_mm[::-1]
    return np.asarray(ndimage.distance_transform_edt(~inside, sampling=spacing_zyx_mm))


def _position_mm(geometry: Geometry, voxel: Voxel) -> tuple[float, float, float]:
    offset_mm = geometry.axes_mm @ np.array(voxel[::-1])
    x, y, z = (float(value) for value in np.asarray(geometry.origin_mm) + offset_mm)
    return (x, y, z)


def _region(sphere: tuple[npt.NDArray[np.int_], ...], box: Box, geometry: Geometry) -> Region:
    inside = np.zeros(geometry.shape_zyx, dtype=np.bool_)
    inside[box.slices_zyx][sphere] = True
    return Region(inside, geometry, "liver_reference")
