"""Common bases of our own scikit-learn estimators, so that the missing types are met once."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin

Matrix: TypeAlias = npt.NDArray[np.float64]
"""Feature values, shape (patients, features)."""
Labels: TypeAlias = npt.NDArray[np.int64]
"""0 or 1 for each patient, shape (patients,)."""
Groups: TypeAlias = npt.NDArray[Any] | None
"""For each row the label of a unit that folds must not split; None where each row is one."""


class Transformer(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """Base of the preprocessing steps."""


class Classifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """Base of the candidates: binary, probabilities from ``predict_proba``.

    ``fit`` takes ``groups`` besides the usual arguments, for tuning on inner folds that keep a
    patient's rows together.
    """

    def predict(self, X: Matrix) -> Labels:
        """Return 1 where the probability of the positive class is at least one half."""
        positive: Matrix = self.predict_proba(X)[:, 1]
        return (positive >= 0.5).astype(np.int64)


def as_two_columns(positive: Matrix) -> Matrix:
    """Turn probabilities of the positive class into scikit-learn's (negative, positive) columns."""
    return np.column_stack([1.0 - positive, positive])
