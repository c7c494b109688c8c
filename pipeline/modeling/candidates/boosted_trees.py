"""Gradient-boosted trees by LightGBM, set up for tens of patients instead of thousands."""

from typing import Any, Self

import lightgbm
import numpy as np

from pipeline.config.train import TrainConfig
from pipeline.modeling.estimators import Classifier, Groups, Labels, Matrix, as_two_columns
from pipeline.modeling.splits import Rows, split_for_tuning

PATIENCE = 20
"""Trees without a better log-loss on the inner folds after which no more are tried."""


class BoostedTrees(Classifier):
    """LightGBM (Ke et al., NeurIPS 2017) with the number of trees chosen on inner folds.

    LightGBM's own defaults ask for 20 patients a leaf, which leaves a cohort of 40 with a
    constant model; here leaves are small, trees have few of them, and the number of trees is
    where the log-loss on inner folds is least.

    Parameters
    ----------
    settings : dict
        The keys of :class:`pipeline.config.train.LightGBMSettings`.
    inner_folds, seed : int
        Tuning folds, and the seed of folds and column draws.

    Attributes
    ----------
    trees_ : int
        The chosen number of trees; a third of the maximum where no inner fold could be made.
    model_text_ : str
        The fitted model in LightGBM's text format, from which every prediction is made, so that
        a stored model answers exactly as the one just trained.
    """

    def __init__(self, settings: dict[str, float], inner_folds: int, seed: int) -> None:
        self.settings = settings
        self.inner_folds = inner_folds
        self.seed = seed

    def fit(self, X: Matrix, y: Labels, groups: Groups = None) -> Self:
        """Choose the number of trees and refit."""
        self.classes_ = np.array([0, 1])
        data = lightgbm.Dataset(X, y, params=self._parameters(), free_raw_data=False)
        folds = split_for_tuning(y, groups, self.inner_folds, self.seed)
        self.trees_ = self._choose_trees(data, folds)
        booster = lightgbm.train(self._parameters(), data, num_boost_round=self.trees_)
        self.model_text_: str = booster.model_to_string()
        return self

    def predict_proba(self, X: Matrix) -> Matrix:
        """Return the probabilities of (negative, positive), shape (patients, 2)."""
        booster = lightgbm.Booster(model_str=self.model_text_)
        return as_two_columns(np.asarray(booster.predict(X, num_threads=1)))

    @property
    def chosen(self) -> dict[str, float]:
        """What tuning chose, by name."""
        return {"trees": self.trees_}

    def _choose_trees(self, data: lightgbm.Dataset, folds: list[tuple[Rows, Rows]]) -> int:
        most = int(self.settings["max_trees"])
        if not folds:
            return max(1, most // 3)
        stop = lightgbm.early_stopping(PATIENCE, verbose=False)
        history = lightgbm.cv(
            self._parameters(), data, num_boost_round=most, folds=folds, callbacks=[stop]
        )
        return 1 + int(np.argmin(np.asarray(history["valid binary_logloss-mean"])))

    def _parameters(self) -> dict[str, Any]:
        return {
            "objective": "binary",
            "num_leaves": self.settings["leaves"],
            "min_data_in_leaf": self.settings["min_leaf_patients"],
            "learning_rate": self.settings["learning_rate"],
            "feature_fraction": self.settings["column_share"],
            "min_sum_hessian_in_leaf": 0.0,  # min_data_in_leaf alone decides
            "min_data_in_bin": 1,
            "max_bin": 63,
            "seed": self.seed,
            "num_threads": 1,  # several fight with the parallel folds and gain nothing here
            "deterministic": True,
            "force_col_wise": True,
            "verbosity": -1,
        }


def build(config: TrainConfig) -> BoostedTrees:
    """Make the candidate from its settings."""
    return BoostedTrees(config.lightgbm.model_dump(), config.inner_folds, config.seed)
