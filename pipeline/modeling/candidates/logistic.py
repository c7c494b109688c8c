"""Plain logistic regression, for comparators of one or a few columns."""

from typing import Self

import numpy as np
from sklearn.linear_model import LogisticRegression

from pipeline.config.train import TrainConfig
from pipeline.modeling.estimators import Classifier, Groups, Labels, Matrix

WEAK_RIDGE_C = 100.0
"""Inverse penalty on z-scored columns: next to nothing, but finite where a column separates the
classes perfectly and maximum likelihood has no answer."""


class Logistic(Classifier):
    """Logistic regression with a ridge too weak to matter.

    Attributes
    ----------
    model_ : sklearn.linear_model.LogisticRegression
        The fitted regression.
    """

    def fit(self, X: Matrix, y: Labels, groups: Groups = None) -> Self:  # noqa: ARG002 # no tuning
        """Fit on z-scored columns."""
        self.classes_ = np.array([0, 1])
        self.model_ = LogisticRegression(C=WEAK_RIDGE_C, max_iter=1000).fit(X, y)
        return self

    def predict_proba(self, X: Matrix) -> Matrix:
        """Return the probabilities of (negative, positive), shape (patients, 2)."""
        probabilities: Matrix = self.model_.predict_proba(X)
        return probabilities


def build(config: TrainConfig) -> Logistic:  # noqa: ARG001 # every candidate is built from config
    """Make the candidate; it has no settings."""
    return Logistic()
