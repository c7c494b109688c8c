"""Voxels of a tumour from which habitats are found, few enough to keep for every patient."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pipeline.domain.errors import CaseError
from pipeline.domain.scan import Region, Scan
from pipeline.imaging.intensity import IntensityReference

MOST_VOXELS = 20_000
"""Above this a tumour is thinned, so that the table of a cohort stays small."""


@dataclass(frozen=True, slots=True)
class HabitatVoxels:
    """A tumour's voxels, without their places: no habitat feature needs these.

    Parameters
    ----------
    phases : tuple of str
        The columns of the values.
    values : numpy.ndarray of float32, shape (voxels, phases)
        In deviations from the liver, a row a voxel in the order z, y, x.
    """

    phases: tuple[str, ...]
    values: npt.NDArray[np.float32] = field(repr=False)


def sample_voxels(
    phases: Mapping[str, Scan],
    livers: Mapping[str, IntensityReference],
    tumour: Region,
    most: int = MOST_VOXELS,
) -> HabitatVoxels:
    """Return a tumour's voxels, or those of a regular lattice where there are too many.

    Every n-th voxel is kept along each axis; n is raised, along the axis whose kept points lie
    closest, until no more than ``most`` remain. Values are picked, never averaged.

    Parameters
    ----------
    phases : mapping of str to Scan
        On the tumour's grid, registered, without NaN in the tumour.
    livers : mapping of str to IntensityReference
        The same patient's liver in each phase.
    tumour : Region
        The lesion.
    most : int
        Number of voxels, at least 1.

    Raises
    ------
    CaseError
        If the tumour is empty or the liver has no spread in a phase.
    """
    _check_not_empty(tumour)
    lattice = _find_lattice(tumour, most)
    kept = np.zeros_like(tumour.inside)
    kept[lattice] = tumour.inside[lattice]
    values = stack_phases(phases, livers, Region(kept, tumour.geometry, tumour.name))
    return HabitatVoxels(tuple(phases), values.astype(np.float32))


def stack_phases(
    phases: Mapping[str, Scan], livers: Mapping[str, IntensityReference], tumour: Region
) -> npt.NDArray[np.float64]:
    """Return the tumour's values in deviations from the liver, shape (voxels, phases).

    Parameters
    ----------
    phases : mapping of str to Scan
        On the tumour's grid, registered.
    livers : mapping of str to IntensityReference
        The same patient's liver in each phase.
    tumour : Region
        Its voxels in z, y, x order are the rows.

    Raises
    ------
    CaseError
        If the tumour is empty or the liver has no spread in a phase.
    """
    _check_not_empty(tumour)
    for name, liver in livers.items():
        if not liver.deviation > 0:
            msg = f"the liver has no spread in the {name} phase. Check the liver mask and the scan."
            raise CaseError(msg)
    columns = [
        (scan.voxels[tumour.inside].astype(np.float64) - livers[name].mean) / livers[name].deviation
        for name, scan in phases.items()
    ]
    return np.stack(columns, axis=1)


def _check_not_empty(tumour: Region) -> None:
    if not tumour.inside.any():
        msg = "the tumour has no voxel to divide into habitats. Check its mask."
        raise CaseError(msg)


def _find_lattice(tumour: Region, most: int) -> tuple[slice, ...]:
    """Return the slices, z, y, x; the lattice starts at the lowest corner of the bounding box."""
    places = np.nonzero(tumour.inside)
    starts = [int(axis.min()) for axis in places]
    spacing_mm = tumour.geometry.spacing_mm[::-1]
    steps = [1, 1, 1]
    while _count(places, starts, steps) > most:
        gaps_mm = [step * mm for step, mm in zip(steps, spacing_mm, strict=True)]
        steps[gaps_mm.index(min(gaps_mm))] += 1
    stops = [int(axis.max()) + 1 for axis in places]
    return tuple(map(slice, starts, stops, steps))


def _count(
    places: tuple[npt.NDArray[np.intp], ...], starts: Sequence[int], steps: Sequence[int]
) -> int:
    on_lattice = [
        (axis - start) % step == 0 for axis, start, step in zip(places, starts, steps, strict=True)
    ]
    return int(np.count_nonzero(np.logical_and.reduce(on_lattice)))
