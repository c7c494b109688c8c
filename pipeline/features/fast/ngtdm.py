"""Neighbourhood grey tone difference matrix: how far voxels are from their surroundings."""

import numpy as np
import numpy.typing as npt

from pipeline.domain.errors import CaseError
from pipeline.features.fast.neighbourhood import Neighbourhoods

_Floats = npt.NDArray[np.float64]

MOST_LEVELS = 4096
"""Most grey levels, as of the GLCM: the formulas take every pair of levels."""

HOMOGENEOUS_COARSENESS = 1e6
"""PyRadiomics' coarseness of a region in which no voxel differs from its surroundings."""


def compute_ngtdm(neighbourhoods: Neighbourhoods) -> dict[str, float]:
    """Compute PyRadiomics' 5 NGTDM features.

    Amadasun and King 1989, doi:10.1109/21.44046; IBSI: neighbourhood grey tone difference matrix
    (IPET). Sums run over pairs of levels i, j with shares p and summed differences s. Unlike there,
    voxels without a neighbour count, with a difference of 0, as in PyRadiomics.

    Parameters
    ----------
    neighbourhoods : Neighbourhoods
        Counted with ``ngtdm=True``.

    Raises
    ------
    CaseError
        If the region has more than :data:`MOST_LEVELS` grey levels.
    """
    levels = np.flatnonzero(neighbourhoods.voxels)
    if len(levels) > MOST_LEVELS:
        msg = (
            f"the region has {len(levels)} grey levels, too many for the NGTDM. Set a larger"
            " binWidth, or check the intensities of the scan."
        )
        raise CaseError(msg)
    counts = neighbourhoods.voxels[levels].astype(float)
    differences = neighbourhoods.differences[levels]
    voxels = float(counts.sum())
    share = counts / voxels
    weighted = share * differences
    coarse, differing = float(weighted.sum()), float(differences.sum())
    step = np.abs(_minus(levels.astype(float)))
    return {
        "Coarseness": 1 / coarse if coarse else HOMOGENEOUS_COARSENESS,
        "Complexity": float((step * _plus(weighted) / _plus(share)).sum()) / voxels,
        "Contrast": _contrast(share, step) * differing / voxels,
        "Busyness": _ratio(coarse, float(np.abs(_minus(levels * share)).sum())),
        "Strength": _ratio(float((_plus(share) * step**2).sum()), differing),
    }


def _contrast(share: _Floats, step: _Floats) -> float:
    """Mean squared step between levels; 0 where there is one level."""
    pairs = len(share) * (len(share) - 1)
    return _ratio(float((np.outer(share, share) * step**2).sum()), pairs)


def _ratio(numerator: float, denominator: float) -> float:
    """Divide; 0 where the denominator is 0."""
    return numerator / denominator if denominator else 0.0


def _plus(values: _Floats) -> _Floats:
    """Return values[i] + values[j], shape (i, j)."""
    return values[:, None] + values


def _minus(values: _Floats) -> _Floats:
    """Return values[i] - values[j], shape (i, j)."""
    return values[:, None] - values
