"""Pull extreme z-scores in to a limit."""

from typing import Self

import numpy as np

from pipeline.modeling.estimators import Matrix, Transformer


class Winsoriser(Transformer):
    """Clip z-scored columns at plus and minus a limit.

    Radiomics columns have long tails, and one patient ten standard deviations out decides a
    linear coefficient alone. Nothing is learned here: the z-scores carry the training scale.

    Parameters
    ----------
    limit : float
        In training standard deviations.
    """

    def __init__(self, limit: float = 2.5) -> None:
        self.limit = limit

    def fit(self, X: Matrix, _y: object = None) -> Self:
        """Note the number of columns."""
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: Matrix) -> Matrix:
        """Return the clipped columns."""
        return np.clip(X, -self.limit, self.limit)
