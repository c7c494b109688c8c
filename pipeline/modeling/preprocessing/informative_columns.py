"""Leave out columns that cannot tell two patients apart."""

from typing import Self

import numpy as np

from pipeline.domain.errors import ModelingError
from pipeline.modeling.estimators import Matrix, Transformer

RELATIVE_SPREAD = 1e-9
"""Columns whose values differ by less than this share of their size count as constant.

Radiomics of constant regions carry rounding noise of about 1e-15; z-scoring would blow it up to
the size of a real feature."""


class InformativeColumns(Transformer):
    """Keep the columns that have at least two distinct values among the training rows.

    Attributes
    ----------
    kept_ : numpy.ndarray of int, shape (kept,)
        Positions of the columns that stay, in order.
    """

    def fit(self, X: Matrix, _y: object = None) -> Self:
        """Find the columns worth keeping.

        Raises
        ------
        ModelingError
            If none is left.
        """
        present = np.isfinite(X)
        lowest = np.where(present, X, np.inf).min(axis=0)
        highest = np.where(present, X, -np.inf).max(axis=0)
        size = np.maximum(np.abs(lowest), np.abs(highest))
        # An empty column has lowest above highest, so its spread is negative: it goes as well.
        self.kept_ = np.flatnonzero(highest - lowest > RELATIVE_SPREAD * size)
        if self.kept_.size == 0:
            msg = (
                f"training part of {X.shape[0]} rows: expected at least one column with two"
                f" different values, got {X.shape[1]} columns that are constant or empty."
                " Check how the columns were made, or leave this feature set out."
            )
            raise ModelingError(msg)
        return self

    def transform(self, X: Matrix) -> Matrix:
        """Return the kept columns."""
        kept: Matrix = X[:, self.kept_]
        return kept
