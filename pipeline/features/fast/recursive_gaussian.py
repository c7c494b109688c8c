"""Gaussians and their second derivatives as recursive filters, with ITK's coefficients.

Deriche (1993, "Recursively implementing the Gaussian and its derivatives", INRIA RR-1893) writes
half a Gaussian of standard deviation s as two damped waves,

    h(k) = sum over j of (A_j cos(W_j k / s) + B_j sin(W_j k / s)) exp(L_j k / s),

whose z transform is a ratio of two polynomials: the coefficients of a recursive filter. The
constants are those of Farneback and Westin (2006, "Improving Deriche-style recursive Gaussian
filters", doi:10.1007/s10851-006-8464-z), table 3, as in ITK 5.4. The order of the operations is
ITK's, for coefficients that are the same to the last bit.
"""

from collections.abc import Sequence
from math import cos, exp, sin
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.features.fast.kernels.recursive_gaussian import filter_axis

_FREQUENCIES = (0.6681, 2.0787)
_DAMPINGS = (-1.3932, -1.3732)
_GAUSSIAN = (1.3530, 1.8151, -0.3531, 0.0902)
"""A_1, B_1, A_2, B_2 of the Gaussian."""
_SECOND_DERIVATIVE = (-1.3563, 5.2318, 0.3446, -2.2355)

REACH_IN_SIGMAS = 24
"""Beyond this distance a voxel cannot change a result.

Its weight falls as exp(-1.3732 distance / sigma), here to 5e-15, a ten-millionth of the rounding to
single precision."""

SHORTEST_LINE_VOXELS = 4
"""ITK filters no shorter lines."""


class _Waves(NamedTuple):
    """cos, sin and exp of one step along the two waves."""

    c1: float
    s1: float
    e1: float
    c2: float
    s2: float
    e2: float


def gaussian_taps(sigma_voxels: float) -> npt.NDArray[np.float64]:
    """Return the coefficients of smoothing; a constant keeps its value.

    Parameters
    ----------
    sigma_voxels : float
        Standard deviation, in voxels along the filtered axis.

    Returns
    -------
    numpy.ndarray, shape (12, 4)
        As :func:`filter_along` takes them.
    """
    waves = _waves(sigma_voxels)
    n, d = _numerator(waves, _GAUSSIAN), _denominator(waves)
    gain = 2 * _moment(n, 0) / _moment(d, 0) - n[0]
    return _table([value * (1.0 / gain) for value in n], d)


def second_derivative_taps(sigma_voxels: float, scale: float) -> npt.NDArray[np.float64]:
    """Return the coefficients of the second derivative of a smoothed line, per voxel squared.

    Parameters
    ----------
    sigma_voxels : float
        Standard deviation, in voxels along the filtered axis.
    scale : float
        Factor of the result: sigma squared for the scale-normalised derivative.

    Returns
    -------
    numpy.ndarray, shape (12, 4)
        As :func:`filter_along` takes them.
    """
    waves = _waves(sigma_voxels)
    zeroth, second = _numerator(waves, _GAUSSIAN), _numerator(waves, _SECOND_DERIVATIVE)
    d = _denominator(waves)
    sd, dd, ed = (_moment(d, power) for power in range(3))
    # A constant must give zero: so much of the Gaussian is added.
    share = -(2 * _moment(second, 0) - sd * second[0]) / (2 * _moment(zeroth, 0) - sd * zeroth[0])
    n = [b + share * a for a, b in zip(zeroth, second, strict=True)]
    sn, dn, en = (_moment(second, power) + share * _moment(zeroth, power) for power in range(3))
    # A parabola x**2 / 2 must give one.
    gain = (en * sd * sd - ed * sn * sd - 2 * dn * dd * sd + 2 * dd * dd * sn) / (sd * sd * sd)
    return _table([value * (scale / gain) for value in n], d)


def filter_along(
    volume: npt.NDArray[Any], axis: int, taps: npt.NDArray[np.float64], kept: slice
) -> npt.NDArray[np.float32]:
    """Filter a volume along one axis.

    Parameters
    ----------
    volume : numpy.ndarray of int16, float32 or float64, shape (z, y, x), C-contiguous
        At least :data:`SHORTEST_LINE_VOXELS` long along the axis, and not empty. Beyond its faces
        the end values go on.
    axis : int
        0, 1, 2 for z, y, x.
    taps : numpy.ndarray, shape (12, 4)
        From :func:`gaussian_taps` or :func:`second_derivative_taps`.
    kept : slice
        The part of the result, start and stop along the axis, that is returned.

    Returns
    -------
    numpy.ndarray
        As ``volume``, but ``kept`` along the axis.
    """
    shape = volume.shape
    out = np.empty((*shape[:axis], kept.stop - kept.start, *shape[axis + 1 :]), np.float32)
    inner = int(np.prod(shape[axis + 1 :]))
    merged = volume.reshape(-1, shape[axis], inner)
    filter_axis(merged, taps, kept.start, kept.stop, out.reshape(len(merged), -1, inner))
    return out


def _waves(sigma_voxels: float) -> _Waves:
    (w1, w2), (l1, l2) = _FREQUENCIES, _DAMPINGS
    return _Waves(
        cos(w1 / sigma_voxels),
        sin(w1 / sigma_voxels),
        exp(l1 / sigma_voxels),
        cos(w2 / sigma_voxels),
        sin(w2 / sigma_voxels),
        exp(l2 / sigma_voxels),
    )


def _numerator(waves: _Waves, amplitudes: tuple[float, float, float, float]) -> list[float]:
    """Return n0 to n3: the polynomial above the fraction line."""
    c1, s1, e1, c2, s2, e2 = waves
    a1, b1, a2, b2 = amplitudes
    mixed = (a1 + a2) * c2 * c1 - (b1 * c2 * s1 + b2 * c1 * s2)
    return [
        a1 + a2,
        e2 * (b2 * s2 - (a2 + 2 * a1) * c2) + e1 * (b1 * s1 - (a1 + 2 * a2) * c1),
        mixed * (2 * e1 * e2) + (a2 * e1 * e1 + a1 * e2 * e2),
        e2 * e1 * e1 * (b2 * s2 - a2 * c2) + e1 * e2 * e2 * (b1 * s1 - a1 * c1),
    ]


def _denominator(waves: _Waves) -> list[float]:
    """Return 1, d1 to d4: the polynomial below the fraction line."""
    c1, _, e1, c2, _, e2 = waves
    return [
        1.0,
        -2 * (e2 * c2 + e1 * c1),
        4 * c2 * c1 * e1 * e2 + (e1 * e1 + e2 * e2),
        -2 * c1 * e1 * e2 * e2 + -2 * c2 * e2 * e1 * e1,
        e1 * e1 * e2 * e2,
    ]


def _moment(coefficients: Sequence[float], power: int) -> float:
    """Sum k**power times the k-th coefficient, from the first to the last."""
    total = 0.0
    for k, value in enumerate(coefficients):
        total += k**power * value
    return total


def _table(n: list[float], d: list[float]) -> npt.NDArray[np.float64]:
    """Lay out what the kernel needs: both feeds, then the memories near both ends of a line."""
    # The half on the other side, without the voxel itself, which n0 has counted.
    m = [*(n[k] - d[k] * n[0] for k in (1, 2, 3)), -d[4] * n[0]]
    return np.array([n, m, *_memories(n, d), *_memories(m, d)])


def _memories(feed: list[float], d: list[float]) -> list[list[float]]:
    """Return d1 to d4, for the voxels 0 to 3 of a line with what replaces them beyond its end."""
    gained, lost = _moment(feed, 0), _moment(d, 0)
    beyond = [d[k] * gained / lost for k in range(1, 5)]
    return [[*d[1 : 1 + known], *beyond[known:]] for known in range(5)]
