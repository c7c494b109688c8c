"""A textured body with a liver, defined at every position, so that known motions are exact.

The fixed scan shows at ``x`` what the moving scan shows at ``motion(x)``: nothing is interpolated,
and the motion is what a registration must find.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.imaging.registration_pair import Pair

Positions = npt.NDArray[np.float64]
Motion = Callable[[Positions], Positions]

SIZE, SPACING_MM = (80, 72, 40), (2.5, 2.5, 4.0)
HALF_MM = np.array(SIZE) * np.array(SPACING_MM) / 2
ORIGIN_MM = (-98.75, -88.75, -78.0)
GRID = Geometry(SIZE, SPACING_MM, ORIGIN_MM, (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))
LIVER_CENTRE_MM = HALF_MM * np.array([-0.25, -0.1, 0.0])
NOISE_HU = 6.0


@dataclass(frozen=True)
class Phantom:
    """A pair of scans and the positions in the liver of the fixed one."""

    pair: Pair
    liver_positions_mm: Positions


def grid_positions_mm() -> Positions:
    """Return the positions of the voxels, shape (z, y, x, 3), x y z."""
    z, y, x = np.indices(GRID.shape_zyx)
    return np.asarray(np.stack([x, y, z], axis=-1) * SPACING_MM + ORIGIN_MM)


def rotation(x_deg: float, y_deg: float, z_deg: float) -> npt.NDArray[np.float64]:
    """Return the matrix of rotations about z, then x, then y axis, multiplied in that order."""
    a, b, c = np.deg2rad([x_deg, y_deg, z_deg])
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return np.asarray(about_z @ about_x @ about_y)


def breathe(positions_mm: Positions) -> Positions:
    """Displace smoothly by up to 9 mm, most towards the feet."""
    x, y, z = np.moveaxis(positions_mm / HALF_MM, -1, 0)
    shift = [
        2.5 * np.sin(0.8 * np.pi * y) * np.cos(0.5 * np.pi * z),
        4.0 * np.cos(0.6 * np.pi * x) * np.sin(0.5 * np.pi * z + 0.4),
        7.0 * np.cos(0.5 * np.pi * x) * np.cos(0.5 * np.pi * y),
    ]
    return np.asarray(positions_mm + np.stack(shift, axis=-1))


def make_phantom(motion: Motion, *, arterial: bool = True) -> Phantom:
    """Return native and (arterial or native) scans of the body, the first one moved."""
    here = grid_positions_mm()
    there = motion(here)
    noise = np.random.default_rng(3)
    fixed, moving = _scan(there, noise, arterial=False), _scan(here, noise, arterial=arterial)
    fixed_liver, moving_liver = (Region(_liver(at) > 0.5, GRID, "liver") for at in (there, here))
    pair = Pair(fixed, moving, fixed_liver, moving_liver)
    return Phantom(pair, here[fixed_liver.inside])


def _scan(positions_mm: Positions, noise: np.random.Generator, *, arterial: bool) -> Scan:
    body = _soft((1 - _radius(positions_mm / [0.9, 0.75, 4.0])) * HALF_MM.min(), 1.5)
    liver = _liver(positions_mm)
    fabric = _texture(positions_mm, seed=1, waves=60)
    vessel = _soft(_texture(positions_mm, seed=7, waves=20) - 1.3, 0.1)
    if arterial:
        values = 55 * body + 65 * liver * (1 + 0.1 * fabric) + 9 * fabric + 90 * vessel * liver
    else:
        values = 40 * body + 20 * liver + 12 * fabric + 10 * vessel * liver
    values = values - 1000 * (1 - body) + noise.normal(0, NOISE_HU, values.shape)
    return Scan(values.astype(np.float32), GRID, Modality.CT)


def _liver(positions_mm: Positions) -> Positions:
    offset = (positions_mm - LIVER_CENTRE_MM) / [0.5, 0.5, 0.7]
    return _soft((1 - _radius(offset)) * HALF_MM.min() / 2, 1.0)


def _radius(offset_mm: Positions) -> Positions:
    return np.asarray(np.linalg.norm(offset_mm / HALF_MM, axis=-1))


def _soft(depth: Positions, width: float) -> Positions:
    return np.asarray(1 / (1 + np.exp(-np.clip(depth / width, -50, 50))))


def _texture(positions_mm: Positions, seed: int, waves: int) -> Positions:
    """Sum waves of 14 to 70 mm in random directions; standard deviation about 1."""
    random = np.random.default_rng(seed)
    total = np.zeros(positions_mm.shape[:-1])
    for _ in range(waves):
        length_mm = np.exp(random.uniform(np.log(14), np.log(70)))
        direction = random.normal(size=3)
        direction /= np.linalg.norm(direction) * length_mm
        wave = np.cos(2 * np.pi * (positions_mm @ direction) + random.uniform(0, 2 * np.pi))
        total += np.sqrt(length_mm / 40) * wave
    return np.asarray(total / np.sqrt(waves / 2))
