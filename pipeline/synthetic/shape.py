"""The outline of a lesion: an irregular ellipsoid of exactly known longest axial diameter."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_IRREGULARITY = 0.12
_WAVES = 5
_AXIAL_DIRECTIONS = 360


@dataclass(frozen=True, slots=True)
class Waves:
    """A smooth random function of position: a sum of cosines with variance of about one.

    Parameters
    ----------
    vectors : numpy.ndarray, shape (waves, 3)
        Wave vectors (x, y, z), per unit of position.
    phases : numpy.ndarray, shape (waves,)
        In radians.
    """

    vectors: Floats = field(repr=False)
    phases: Floats = field(repr=False)

    def at(self, positions: Floats) -> Floats:
        """Evaluate at positions of shape (n, 3), giving shape (n,)."""
        angles = positions @ self.vectors.T + self.phases
        return np.asarray(np.cos(angles).sum(axis=1) * np.sqrt(2 / len(self.phases)))


def draw_waves(generator: np.random.Generator, waves: int, frequency: float) -> Waves:
    """Draw a smooth function; ``frequency`` is the standard deviation of the wave vectors."""
    vectors = frequency * generator.standard_normal((waves, 3))
    return Waves(vectors, generator.uniform(0, 2 * np.pi, waves))


@dataclass(frozen=True, slots=True)
class LesionShape:
    """A star-shaped body, scaled so that its longest axial diameter is 2.

    Parameters
    ----------
    semi_axes : numpy.ndarray, shape (3,)
        Of the ellipsoid, along x, y, z.
    dents : Waves
        Relative deviation of the radius, as a function of direction.
    scale : float
        Factor on all radii.
    """

    semi_axes: Floats = field(repr=False)
    dents: Waves = field(repr=False)
    scale: float = 1.0

    def radius(self, directions: Floats) -> Floats:
        """Return the distance of the surface from the centre along unit vectors, shape (n, 3)."""
        ellipsoid = 1 / np.linalg.norm(directions / self.semi_axes, axis=1)
        return np.asarray(self.scale * ellipsoid * (1 + _IRREGULARITY * self.dents.at(directions)))


def draw_shape(generator: np.random.Generator) -> LesionShape:
    """Draw a lesion's shape; the same shape is used at all sizes of the lesion."""
    semi_axes = generator.uniform(0.85, 1.15, 3)
    dents = draw_waves(generator, _WAVES, 1.5)
    raw = LesionShape(semi_axes, dents)
    return LesionShape(semi_axes, dents, 2 / _longest_axial_diameter(raw))


def _longest_axial_diameter(shape: LesionShape) -> float:
    """Longest distance between two surface points of the axial plane through the centre."""
    angles = np.linspace(0, 2 * np.pi, _AXIAL_DIRECTIONS, endpoint=False)
    directions = np.column_stack([np.cos(angles), np.sin(angles), np.zeros_like(angles)])
    points = directions * shape.radius(directions)[:, None]
    gaps = np.linalg.norm(points[:, None, :] - points[None, :, :], axis=2)
    return float(gaps.max())
