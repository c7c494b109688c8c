"""Variance of the voxel positions of a region along its principal axes."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.features.fast.kernels.index_sums import sum_indices

# PyRadiomics takes eigenvalues between this and 0, in mm2, for rounding errors of 0.
ROUNDING_MM2 = -1e-10


class PrincipalAxes(NamedTuple):
    """Lengths 4 sqrt(eigenvalue) in mm, ascending; not a number where an eigenvalue is negative."""

    voxels: int
    lengths_mm: npt.NDArray[np.float64]

    def ratio(self, axis: int) -> float:
        """Divide the length of an axis by that of the major one; not a number for one voxel."""
        with np.errstate(invalid="ignore"):
            return float(self.lengths_mm[axis] / self.lengths_mm[-1])


def measure_axes(padded: npt.NDArray[np.uint8], spacing_mm: tuple[float, ...]) -> PrincipalAxes:
    """Find the principal axes of the covariance of the voxel centres.

    IBSI: TDIC, P9VJ, 7J51 (major, minor and least axis length).

    Parameters
    ----------
    padded : numpy.ndarray of uint8, shape (z, y, x) or (y, x), C-contiguous
        1 in the region, at least one voxel; 0 outside.
    spacing_mm : tuple of float
        Distance of voxels in the order of the array's axes.
    """
    sums = np.zeros(10, dtype=np.int64)
    sum_indices(padded.reshape((-1, *padded.shape[-2:])), sums)
    scatter = _exact_scatter([int(value) for value in sums], padded.ndim)
    if _determinant(scatter) == 0:
        covariance = _rounded_covariance(padded, spacing_mm)
    else:
        covariance = np.array(scatter) / int(sums[0]) ** 2 * np.outer(spacing_mm, spacing_mm)
    eigenvalues = np.linalg.eigvals(covariance)
    eigenvalues[(eigenvalues < 0) & (eigenvalues > ROUNDING_MM2)] = 0
    with np.errstate(invalid="ignore"):
        return PrincipalAxes(int(sums[0]), 4 * np.sqrt(np.sort(eigenvalues)))


def _exact_scatter(sums: list[int], dimensions: int) -> list[list[int]]:
    """Return n^2 times the covariance of the last indices, in Python's unbounded integers."""
    n, z, y, x, zz, yy, xx, zy, zx, yx = sums
    scatter = [
        [n * zz - z * z, n * zy - z * y, n * zx - z * x],
        [n * zy - z * y, n * yy - y * y, n * yx - y * x],
        [n * zx - z * x, n * yx - y * x, n * xx - x * x],
    ]
    return [row[-dimensions:] for row in scatter[-dimensions:]]


def _determinant(matrix: list[list[int]]) -> int:
    """Return the exact determinant (Laplace's expansion); 0 tells a flat region."""
    if not matrix:
        return 1
    top, *rest = matrix
    minors = [[row[:k] + row[k + 1 :] for row in rest] for k in range(len(top))]
    return sum((-1) ** k * top[k] * _determinant(minor) for k, minor in enumerate(minors))


def _rounded_covariance(
    padded: npt.NDArray[np.uint8], spacing_mm: tuple[float, ...]
) -> npt.NDArray[np.float64]:
    """Return the covariance with PyRadiomics' rounding errors, by its steps on its array layout.

    In a flat region they are all that its least axis holds: a length of 1e-8 mm instead of 0.
    """
    indices = np.array(np.nonzero(padded)).T
    centred = indices * np.array(spacing_mm)
    centred -= centred.mean(axis=0)
    centred /= np.sqrt(len(indices))
    covariance: npt.NDArray[np.float64] = np.dot(centred.T.copy(), centred)
    return covariance
