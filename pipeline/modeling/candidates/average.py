"""The mean probability of several candidates."""

from typing import Self

import numpy as np
from sklearn.base import clone

from pipeline.modeling.estimators import Classifier, Groups, Labels, Matrix, as_two_columns


class Average(Classifier):
    """Soft vote: each member is tuned and fitted alone, their probabilities are averaged.

    On small radiomics tables averaging diverse members beats choosing the one that looks best
    on inner folds, and the mean is calibrated well enough to need no further step.

    Parameters
    ----------
    members : list of (str, Classifier)
        Names and unfitted candidates.

    Attributes
    ----------
    members_ : list of (str, Classifier)
        The fitted candidates.
    """

    def __init__(self, members: list[tuple[str, Classifier]]) -> None:
        self.members = members

    def fit(self, X: Matrix, y: Labels, groups: Groups = None) -> Self:
        """Fit every member on the same rows."""
        self.classes_ = np.array([0, 1])
        self.members_ = [
            (name, clone(member).fit(X, y, groups=groups)) for name, member in self.members
        ]
        return self

    def predict_each(self, X: Matrix) -> dict[str, Matrix]:
        """Return each member's probabilities of the positive class, shape (patients,)."""
        return {name: member.predict_proba(X)[:, 1] for name, member in self.members_}

    def predict_proba(self, X: Matrix) -> Matrix:
        """Return the mean probabilities of (negative, positive), shape (patients, 2)."""
        return as_two_columns(np.mean(list(self.predict_each(X).values()), axis=0))
