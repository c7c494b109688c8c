"""A matrix of grey levels and sizes, and the features that GLDM and GLSZM compute from it alike."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pipeline.features.fast.grey_levels import EPSILON

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LevelSizes:
    """The elements of the matrix that are not 0.

    Parameters
    ----------
    levels : numpy.ndarray of float64, shape (elements,)
        Grey level.
    sizes : numpy.ndarray of float64, shape (elements,)
        Voxels of a zone, or dependent voxels of a voxel.
    counts : numpy.ndarray of float64, shape (elements,)
        How many there are; each pair of level and size occurs once.
    """

    levels: _Floats = field(repr=False)
    sizes: _Floats = field(repr=False)
    counts: _Floats = field(repr=False)

    @classmethod
    def from_table(cls, table: npt.NDArray[np.int64]) -> "LevelSizes":
        """Take the elements of a dense matrix, shape (levels from 0, sizes from 0)."""
        levels, sizes = np.nonzero(table)
        return cls(levels.astype(float), sizes.astype(float), table[levels, sizes].astype(float))


def compute_emphases(matrix: LevelSizes) -> dict[str, float]:
    """Compute what depends on levels and sizes.

    The formulas are those of the grey level size zone matrix in the IBSI reference manual (9SAK,
    arXiv:1612.07003), of which those of the neighbouring grey level dependence matrix (REQY) are
    copies under other names. Entropy adds :data:`EPSILON` to the probabilities.

    Parameters
    ----------
    matrix : LevelSizes

    Returns
    -------
    dict of str to float
        Small, Large: emphasis of sizes; Low, High: of levels; SmallLow and so on: of both.
        ...NonUniformity, ...NonUniformityNormalized, ...Variance of Level and Size; Entropy.
    """
    total = matrix.counts.sum()
    levels2, sizes2, share = matrix.levels**2, matrix.sizes**2, matrix.counts / total
    found = {
        "Small": share / sizes2,
        "Large": share * sizes2,
        "Low": share / levels2,
        "High": share * levels2,
        "SmallLow": share / (levels2 * sizes2),
        "SmallHigh": share * levels2 / sizes2,
        "LargeLow": share * sizes2 / levels2,
        "LargeHigh": share * levels2 * sizes2,
        "Entropy": -share * np.log2(share + EPSILON),
    }
    return {
        **{name: float(terms.sum()) for name, terms in found.items()},
        **_spread("Level", matrix.levels, matrix.counts),
        **_spread("Size", matrix.sizes, matrix.counts),
    }


def _spread(name: str, values: _Floats, counts: _Floats) -> dict[str, float]:
    """Non-uniformity and variance of levels or sizes; exactly 0 variance where all are equal."""
    values, where = np.unique(values, return_inverse=True)
    occurring = np.bincount(where, weights=counts)
    total = occurring.sum()
    share = occurring / total
    mean = (share * values).sum()
    squares = float((occurring**2).sum())
    return {
        f"{name}NonUniformity": squares / total,
        f"{name}NonUniformityNormalized": squares / total**2,
        f"{name}Variance": float((share * (values - mean) ** 2).sum()),
    }
