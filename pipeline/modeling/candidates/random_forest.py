"""Random forest with fixed settings: tuning it gains less than the noise of tuning."""

from typing import Self

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from pipeline.config.train import TrainConfig
from pipeline.modeling.estimators import Classifier, Groups, Labels, Matrix


class RandomForest(Classifier):
    """Random forest (Breiman 2001, 10.1023/A:1010933404324); probabilities are leaf shares.

    Parameters
    ----------
    trees : int
        Number of trees.
    min_leaf_patients : int
        Training patients a leaf; above 1, so that a leaf's share is not just 0 or 1.
    seed : int
        Of the draws of patients and columns.

    Attributes
    ----------
    model_ : sklearn.ensemble.RandomForestClassifier
        The fitted forest.
    """

    def __init__(self, trees: int, min_leaf_patients: int, seed: int) -> None:
        self.trees = trees
        self.min_leaf_patients = min_leaf_patients
        self.seed = seed

    def fit(self, X: Matrix, y: Labels, groups: Groups = None) -> Self:  # noqa: ARG002 # no tuning
        """Grow the trees."""
        self.classes_ = np.array([0, 1])
        self.model_ = RandomForestClassifier(
            n_estimators=self.trees,
            min_samples_leaf=self.min_leaf_patients,
            random_state=self.seed,
            n_jobs=1,
        ).fit(X, y)
        return self

    def predict_proba(self, X: Matrix) -> Matrix:
        """Return the probabilities of (negative, positive), shape (patients, 2)."""
        probabilities: Matrix = self.model_.predict_proba(X)
        return probabilities


def build(config: TrainConfig) -> RandomForest:
    """Make the candidate from its settings."""
    settings = config.random_forest
    return RandomForest(settings.trees, settings.min_leaf_patients, config.seed)
