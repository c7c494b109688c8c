"""Which part of a tumour is alive: it takes up contrast in the arterial phase.

The family of qEASL (quantitative European Association for the Study of the Liver criteria): the
native image is subtracted from the arterial one, and tumour voxels that enhance more than reference
liver are viable (Lin et al., Radiology 2013;268:420 for the method; the reference in the same
patient's liver after Eur Radiol 2015, doi 10.1007/s00330-015-3812-2). No registration is done here.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from pipeline.config.measure import MeasureConfig
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.imaging.crop import bounding_box

MINIMUM_REFERENCE_VOXELS = 50
"""Fewer reference voxels give no usable mean and standard deviation of the liver."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Mean and standard deviation of values in reference liver, in the image's unit."""

    mean: float
    sd: float


def reference_liver(liver: Region, tumour: Region, margin_mm: float) -> Region | None:
    """Return the liver farther than ``margin_mm`` from the tumour; None where too little is left.

    The whole remaining liver is used; it is not searched for vessels.
    """
    inside = liver.inside.copy()
    if tumour.inside.any():
        # Farther away nothing is near: distances in the whole image would take seconds.
        near = bounding_box([tumour], tumour.geometry, margin_mm).slices_zyx
        spacing_zyx_mm = tumour.geometry.spacing_mm[::-1]
        distance_mm = ndimage.distance_transform_edt(~tumour.inside[near], sampling=spacing_zyx_mm)
        inside[near] &= np.asarray(distance_mm) > margin_mm
    if np.count_nonzero(inside) < MINIMUM_REFERENCE_VOXELS:
        return None
    return Region(inside, liver.geometry, "liver_reference")


def measure_reference(values: npt.NDArray[np.float64], reference: Region) -> Reference:
    """Return mean and standard deviation of an image (z, y, x) in the reference region."""
    inside = values[reference.inside]
    return Reference(float(inside.mean()), float(inside.std(ddof=1)))


def find_enhancing_tumour(
    gain: Scan, tumour: Region, liver: Reference, config: MeasureConfig
) -> Region:
    """Return the part of a tumour that gains more than liver does; empty where nothing does.

    Parameters
    ----------
    gain : Scan
        Arterial minus native phase, of the modality of both.
    tumour : Region
        On its grid.
    liver : Reference
        Mean and standard deviation of the gain in reference liver.
    config : MeasureConfig
        Threshold in standard deviations and, on CT, in HU; smallest island.
    """
    threshold = liver.mean + config.enhancing_sd_factor * liver.sd
    if gain.modality is Modality.CT:
        threshold = max(threshold, config.enhancing_minimum_hu)
    enhancing = tumour.inside & (gain.voxels > threshold)
    voxel_mm3 = tumour.geometry.voxel_volume_mm3
    kept = _without_small_islands(enhancing, config.minimum_viable_mm3 / voxel_mm3)
    return Region(kept, tumour.geometry, "viable")


def silence_oil(gain: Scan, native: Scan, tumour: Region, from_hu: float, with_edge: bool) -> Scan:
    """Return the gain on CT with at most 0 in oily voxels of a tumour and, if asked, beside them.

    The edge of lipiodol is so steep that, where a phase was interpolated, the difference of two
    phases there is that of their positions, not of contrast. Living tumour in the edge is not
    seen then, which takes away more the larger the voxels are.

    Parameters
    ----------
    gain, native : Scan
        On one grid; other modalities than CT stay as they are.
    tumour : Region
        On that grid.
    from_hu : float
        Native voxels of this or more hold oil.
    with_edge : bool
        Whether their 26 neighbours count with them.
    """
    if gain.modality is not Modality.CT or not tumour.inside.any():
        return gain
    near = bounding_box([tumour], tumour.geometry, max(tumour.geometry.spacing_mm)).slices_zyx
    oily = native.voxels[near] >= from_hu
    if with_edge:
        oily = ndimage.binary_dilation(oily, structure=np.ones((3, 3, 3), dtype=np.bool_))
    voxels = gain.voxels.copy()
    part = voxels[near]
    part[oily & tumour.inside[near]] = np.minimum(part[oily & tumour.inside[near]], 0)
    return Scan(voxels, gain.geometry, gain.modality)


def _without_small_islands(
    inside: npt.NDArray[np.bool_], minimum_voxels: float
) -> npt.NDArray[np.bool_]:
    """Remove connected parts (26 neighbours) with fewer voxels than the minimum."""
    labels, _ = ndimage.label(inside, structure=np.ones((3, 3, 3)))
    sizes = np.bincount(labels.ravel())
    keep = sizes >= minimum_voxels
    keep[0] = False
    return np.asarray(keep[labels], dtype=np.bool_)
