"""One lesion: where it lies, and which of its voxels live, are dead, or hold lipiodol."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pipeline.synthetic.anatomy import LIVER_SEMI_AXES_MM, Labels, Tissue
from pipeline.synthetic.shape import LesionShape, Waves, draw_shape, draw_waves

Floats = npt.NDArray[np.float64]

_NODULE_OFFSET = 0.55
_RIM_TILT = 0.25
_ROUGHNESS = 0.10
_TEXTURE_WAVES, _TEXTURE_FREQUENCY = 12, 4.0
_RESIDUE_IS_NODULAR = {"baseline": 0.15, "preop": 0.8}


@dataclass(frozen=True, slots=True)
class Lesion:
    """What stays the same of a lesion from scan to scan.

    Parameters
    ----------
    shape : LesionShape
        Its outline.
    centre_mm : numpy.ndarray, shape (3,)
        From the liver's centre, x, y, z.
    pole : numpy.ndarray, shape (3,)
        Unit vector to the side on which living tissue survives longest.
    texture : Waves
        Makes the border between living and dead tissue irregular.
    lipiodol_texture : Waves
        Makes lipiodol patchy.
    """

    shape: LesionShape
    centre_mm: Floats = field(repr=False)
    pole: Floats = field(repr=False)
    texture: Waves = field(repr=False)
    lipiodol_texture: Waves = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionState:
    """What is drawn of a lesion at one time point.

    Parameters
    ----------
    timepoint : str
        ``baseline`` (a living rim around a dead core) or ``preop`` (a residual nodule with a
        broken rim).
    diameter_mm : float
        Longest axial diameter.
    viable_fraction : float
        Share of the tumour's voxels that live.
    lipiodol_fraction : float
        Share of the dead voxels that hold lipiodol.
    """

    timepoint: str
    diameter_mm: float
    viable_fraction: float
    lipiodol_fraction: float = 0.0


def draw_lesion(generator: np.random.Generator, largest_diameter_mm: float) -> Lesion:
    """Draw shape and place of a lesion, so that it fits the liver at its largest."""
    direction = _unit_vector(generator)
    room_mm = np.maximum(LIVER_SEMI_AXES_MM - largest_diameter_mm / 2 - 4, 0)
    return Lesion(
        shape=draw_shape(generator),
        centre_mm=0.85 * room_mm * direction,
        pole=_unit_vector(generator),
        texture=draw_waves(generator, _TEXTURE_WAVES, _TEXTURE_FREQUENCY),
        lipiodol_texture=draw_waves(generator, _TEXTURE_WAVES, _TEXTURE_FREQUENCY),
    )


def place_lesion(labels: Labels, positions: Floats, lesion: Lesion, state: LesionState) -> Labels:
    """Return the labels with the lesion drawn into them.

    The numbers of living voxels and of voxels with lipiodol are exact: the voxels are ranked and
    the declared share, rounded to a voxel, is taken.

    Parameters
    ----------
    labels : numpy.ndarray of uint8, shape (z, y, x)
        Normal anatomy.
    positions : numpy.ndarray, shape (z, y, x, 3)
        In millimetres from the liver's centre, last axis x, y, z.
    """
    relative = 2 * (positions - lesion.centre_mm) / state.diameter_mm
    near = np.flatnonzero((np.linalg.norm(relative, axis=-1) < 2).ravel())
    points = relative.reshape(-1, 3)[near]
    depth = _relative_radius(lesion.shape, points)
    inside, points, depth = near[depth < 1], points[depth < 1], depth[depth < 1]
    drawn = labels.copy().ravel()
    drawn[inside] = Tissue.NECROSIS
    living = _top_share(_survival(lesion, state, points, depth), state.viable_fraction)
    drawn[inside[living]] = Tissue.VIABLE
    dead, dead_points = inside[~living], points[~living]
    patches = _top_share(lesion.lipiodol_texture.at(dead_points), state.lipiodol_fraction)
    drawn[dead[patches]] = Tissue.LIPIODOL
    return drawn.reshape(labels.shape)


def _relative_radius(shape: LesionShape, points: Floats) -> Floats:
    """Distance from the centre in units of the surface's distance in that direction."""
    distance = np.linalg.norm(points, axis=1)
    directions = points / np.maximum(distance, 1e-9)[:, None]
    return np.asarray(distance / shape.radius(directions))


def _survival(lesion: Lesion, state: LesionState, points: Floats, depth: Floats) -> Floats:
    rim = depth + _RIM_TILT * points @ lesion.pole
    nodule = -np.linalg.norm(points - _NODULE_OFFSET * lesion.pole, axis=1)
    weight = _RESIDUE_IS_NODULAR[state.timepoint]
    rough = _ROUGHNESS * lesion.texture.at(points)
    return np.asarray(weight * nodule + (1 - weight) * rim + rough)


def _top_share(score: Floats, share: float) -> npt.NDArray[np.bool_]:
    chosen = np.zeros(len(score), dtype=bool)
    count = round(share * len(score))
    chosen[np.argsort(-score, kind="stable")[:count]] = True
    return chosen


def _unit_vector(generator: np.random.Generator) -> Floats:
    vector = generator.standard_normal(3)
    return np.asarray(vector / np.linalg.norm(vector))
