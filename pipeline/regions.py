"""Regions that follow from the masks and the phases of a visit."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from pipeline.config.measure import MeasureConfig
from pipeline.domain.errors import RegionAbsentError
from pipeline.domain.regions import RegionName
from pipeline.domain.scan import Region
from pipeline.imaging.alignment import Alignment
from pipeline.imaging.rings import peritumoural_ring
from pipeline.response.lipiodol import draw_lipiodol
from pipeline.response.measured import Missing
from pipeline.visit_images import find_viable_part
from pipeline.visits import Visit

RING_WIDTHS_MM = {RegionName.RING_5MM: 5.0, RegionName.RING_10MM: 10.0}
"""Reach from the tumour; 10 mm is that of published peritumoural models of HCC under HAIC."""

Positions = npt.NDArray[np.float64]


def find_region(name: RegionName, visit: Visit, phase: str, config: MeasureConfig) -> Region:
    """Return a region of a lesion on the grid of one of its phases.

    What is viable, necrotic or lipiodol is found where it shows - on the subtracted phases, on the
    native CT - by the functions of stage measure, and brought to the phase by registration.

    Parameters
    ----------
    name : RegionName
        Which.
    visit : Visit
        The lesion on all its phases.
    phase : str
        One of them.
    config : MeasureConfig
        What counts as enhancing and as lipiodol.

    Raises
    ------
    RegionAbsentError
        If the lesion has no such region, with the reason.
    """
    if not name.needs_visit:
        return find_on_image(name, visit.phases[phase].regions)
    if name is RegionName.LIVER_REFERENCE:
        return _find_reference(visit, phase)
    if name is RegionName.LIPIODOL:
        return _carry(_find_lipiodol(visit, config), "native", visit, phase)
    return _carry(_find_part(name, visit, config), visit.reference, visit, phase)


def find_on_image(name: RegionName, regions: Mapping[str, Region]) -> Region:
    """Return a region that the masks of one image decide.

    Parameters
    ----------
    name : RegionName
        The tumour, the liver or a ring.
    regions : mapping of str to Region
        On one grid: ``tumour`` and, where there are such, ``liver``, ``other_lesions``,
        ``vessels``.

    Raises
    ------
    RegionAbsentError
        If there is no liver mask, or no liver in the ring.
    CaseError
        If the tumour is empty.
    """
    if name is RegionName.TUMOUR:
        return regions["tumour"]
    if "liver" not in regions or not regions["liver"].inside.any():
        raise _absent(name, "no liver mask")
    if name is RegionName.LIVER:
        return regions["liver"]
    excluded = [regions[other] for other in ("other_lesions", "vessels") if other in regions]
    return peritumoural_ring(regions["tumour"], regions["liver"], RING_WIDTHS_MM[name], excluded)


def _find_reference(visit: Visit, phase: str) -> Region:
    """Return the sphere of reference liver; not the whole liver, which is a region of its own."""
    sphere = visit.reference_on(phase)
    if sphere is None and visit.is_unregistered(phase):
        raise _unregistered(RegionName.LIVER_REFERENCE, phase)
    if sphere is None:
        reason = visit.no_placement or f"its place lies outside the {phase} image"
        raise _absent(RegionName.LIVER_REFERENCE, reason)
    return sphere


def _find_part(name: RegionName, visit: Visit, config: MeasureConfig) -> Region:
    """Return the viable or the necrotic part on the reference grid."""
    viable = find_viable_part(visit, config)
    if isinstance(viable, Missing):
        raise _absent(name, viable.reason)
    if name is RegionName.VIABLE:
        return viable
    tumour = visit.phases[visit.reference].regions["tumour"]
    return Region(tumour.inside & ~viable.inside, tumour.geometry, name)


def _find_lipiodol(visit: Visit, config: MeasureConfig) -> Region:
    """Return the oily part on the native grid."""
    native = visit.phases.get("native")
    if native is None:
        raise _absent(RegionName.LIPIODOL, "no native phase")
    if "native" in visit.misplaced:
        raise _absent(RegionName.LIPIODOL, visit.misplaced["native"])
    found = draw_lipiodol(native.scan, native.regions["tumour"], config.lipiodol_hu)
    if isinstance(found, Missing):
        raise _absent(RegionName.LIPIODOL, found.reason)
    return found


def _carry(part: Region, source: str, visit: Visit, phase: str) -> Region:
    """Bring a part of the tumour to a phase by the nearest voxel, clipped to its tumour there.

    A voxel of this tumour that lies in no drawn tumour of the source belongs to no part.
    """
    if not part.inside.any():
        raise _absent(RegionName(part.name), f"the tumour has none on the {source} phase")
    tumour = visit.phases[phase].regions["tumour"]
    inside = np.zeros_like(tumour.inside)
    if phase == source:
        inside[:] = part.inside & tumour.inside
    else:
        for one in (source, phase):
            if visit.is_unregistered(one):
                raise _unregistered(RegionName(part.name), one)
        on_reference = _map(visit.alignment(phase), tumour.positions_mm, back=True)
        on_source = _map(visit.alignment(source), on_reference)
        inside[tumour.inside] = _pick(part, on_source)
    if not inside.any():
        raise _absent(RegionName(part.name), f"no voxel within the tumour of the {phase} phase")
    return Region(inside, tumour.geometry, part.name)


def _map(alignment: Alignment, positions_mm: Positions, *, back: bool = False) -> Positions:
    if alignment == Alignment():
        return positions_mm
    return (alignment.map_back if back else alignment.map_positions)(positions_mm)


def _pick(region: Region, positions_mm: Positions) -> npt.NDArray[np.bool_]:
    """Tell for each position whether the nearest voxel is inside; outside the grid it is not."""
    # Half a voxel goes up, as in ITK; np.rint would go to the even neighbour.
    nearest = np.floor(region.geometry.to_voxels(positions_mm) + 0.5).astype(np.intp)[:, ::-1]
    within = ((nearest >= 0) & (nearest < region.geometry.shape_zyx)).all(axis=1)
    picked = np.zeros(len(nearest), dtype=np.bool_)
    picked[within] = region.inside[tuple(nearest[within].T)]
    return picked


def _unregistered(name: RegionName, phase: str) -> RegionAbsentError:
    return _absent(name, f"the {phase} phase is not registered")


def _absent(name: RegionName, reason: str) -> RegionAbsentError:
    return RegionAbsentError(f"no {name} region: {reason}")
