"""Fill missing values with the training median, and say where values were often missing."""

from typing import Self

import numpy as np

from pipeline.modeling.estimators import Matrix, Transformer


class MedianImputer(Transformer):
    """Fill missing values and append an indicator for each column that is often incomplete.

    scikit-learn's ``SimpleImputer(add_indicator=True)`` appends one for every column with a
    single gap. Scattered gaps in a thousand radiomics columns would then nearly double the
    table with columns of noise, so here a column must lack a given share of its values.

    Parameters
    ----------
    indicator_share : float
        Share of missing training values from which a column gets an indicator, above 0.

    Attributes
    ----------
    medians_ : numpy.ndarray, shape (columns,)
        Of the values present in training.
    indicated_ : numpy.ndarray of int
        Positions of the columns with an indicator.
    """

    def __init__(self, indicator_share: float = 0.1) -> None:
        self.indicator_share = indicator_share

    def fit(self, X: Matrix, _y: object = None) -> Self:
        """Learn medians; every column must have a value (see ``InformativeColumns``)."""
        self.medians_ = np.nanmedian(X, axis=0)
        self.indicated_ = np.flatnonzero(np.isnan(X).mean(axis=0) >= self.indicator_share)
        return self

    def transform(self, X: Matrix) -> Matrix:
        """Return the filled columns, then the indicators (1 missing, 0 present)."""
        missing = np.isnan(X)
        filled = np.where(missing, self.medians_, X)
        return np.hstack([filled, missing[:, self.indicated_].astype(np.float64)])
