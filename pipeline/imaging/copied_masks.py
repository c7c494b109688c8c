"""Masks drawn once and named for every phase of a visit: they lie beside what a breath has moved.

Told by their voxels, not by their files' names. Where the phases were registered, each such mask is
brought from the reference phase to where the registration says that it belongs.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Region
from pipeline.imaging.alignment import Alignment
from pipeline.imaging.crop import bounding_box, crop_region
from pipeline.imaging.itk import region_from_itk, region_to_itk
from pipeline.imaging.prepared import PreparedCase
from pipeline.imaging.registration import Registration
from pipeline.imaging.threads import one_itk_thread

INVERSION_ROUNDS = 50
"""Of the search for the inverse of a displacement; it stops at a tenth of a voxel on average."""


def place_copies(
    phases: Mapping[str, PreparedCase], registrations: Mapping[str, Registration]
) -> tuple[dict[str, PreparedCase], dict[str, str]]:
    """Bring the masks that phases have from the reference phase to where they belong.

    Parameters
    ----------
    phases : mapping of str to PreparedCase
        The reference phase first.
    registrations : mapping of str to Registration
        Of the other phases: from positions of the reference phase to them.

    Returns
    -------
    phases : dict of str to PreparedCase
        With the masks in their places; unchanged where a phase has masks of its own, was not moved
        or was not registered.
    misplaced : dict of str to str
        Phases whose tumour mask says nothing about them, and why: it is a copy, and the
        registration failed or takes the tumour out of the image.
    """
    placed, misplaced = dict(phases), {}
    drawn = next(iter(phases.values())).regions
    for phase, registration in registrations.items():
        copies = _copies(phases[phase].regions, drawn)
        if registration.failed:
            if "tumour" in copies:
                misplaced[phase] = f"the {phase} phase has a copied mask and is not registered"
        elif registration.alignment != Alignment():
            placed[phase] = _place(phases[phase], copies, registration.alignment)
            grid = placed[phase].scan.geometry
            if "tumour" in copies and _leaves(copies["tumour"], registration.alignment, grid):
                misplaced[phase] = f"the tumour lies beyond the {phase} phase's image"
    return placed, misplaced


def is_copy(region: Region, drawn: Region) -> bool:
    """Return whether two masks hold the same voxels of one grid, however it was cropped."""
    if not region.inside.any() or not drawn.inside.any():
        return False
    cut, other = (
        crop_region(one, bounding_box([one], one.geometry, 0.0)) for one in (region, drawn)
    )
    return not cut.geometry.difference(other.geometry) and np.array_equal(cut.inside, other.inside)


def carry_region(region: Region, alignment: Alignment, geometry: Geometry) -> Region:
    """Return a region of the fixed scan on the moving scan's grid, by the nearest voxel."""
    with one_itk_thread():  # the inverse of a displacement
        moved = sitk.Resample(
            region_to_itk(region),
            geometry.size,
            _invert(alignment),
            sitk.sitkNearestNeighbor,
            geometry.origin_mm,
            geometry.spacing_mm,
            geometry.direction,
            0,
        )
    return Region(region_from_itk(moved, region.name).inside, geometry, region.name)


def _copies(regions: Mapping[str, Region], drawn: Mapping[str, Region]) -> dict[str, Region]:
    """Return what was drawn on the reference phase of the regions that are copies of it."""
    shared = [name for name in regions if name in drawn]
    return {name: drawn[name] for name in shared if is_copy(regions[name], drawn[name])}


def _place(case: PreparedCase, copies: Mapping[str, Region], alignment: Alignment) -> PreparedCase:
    geometry = case.scan.geometry
    carried = {name: carry_region(one, alignment, geometry) for name, one in copies.items()}
    return replace(case, regions={**case.regions, **carried})


def _invert(alignment: Alignment) -> sitk.Transform:
    """Return the transform from positions of the moving scan to the fixed one."""
    straight = alignment.rigid.to_itk().GetInverse()
    if alignment.displacement is None:
        return straight
    field = sitk.InvertDisplacementField(
        alignment.displacement.to_image(), maximumNumberOfIterations=INVERSION_ROUNDS
    )
    return sitk.CompositeTransform([sitk.DisplacementFieldTransform(field), straight])


def _leaves(tumour: Region, alignment: Alignment, geometry: Geometry) -> bool:
    """Return whether a part of the tumour lies outside a grid."""
    cut = crop_region(tumour, bounding_box([tumour], tumour.geometry, 0.0))
    surface = Region(cut.inside & ~ndimage.binary_erosion(cut.inside), cut.geometry, "surface")
    nearest = np.rint(geometry.to_voxels(alignment.map_positions(surface.positions_mm)))
    return bool(((nearest < 0) | (nearest >= geometry.size)).any())
