"""Logistic regression with elastic-net penalty, tuned on log-loss."""

import warnings
from typing import Self

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.svm import l1_min_c

from pipeline.config.train import TrainConfig
from pipeline.modeling.estimators import Classifier, Groups, Labels, Matrix
from pipeline.modeling.splits import Rows, split_for_tuning


class ElasticNet(Classifier):
    """Elastic-net logistic regression (Zou and Hastie 2005, 10.1111/j.1467-9868.2005.00503.x).

    The penalty is searched from the point where every coefficient is zero (``l1_min_c``)
    towards weaker ones; the mix and strength with the least log-loss on inner folds is refitted.
    SAGA stops early on purpose: the last digits of a coefficient do not move a probability, and
    exact solutions cost about ten times as much.

    Parameters
    ----------
    l1_ratios : tuple of float
        Mixes to try, within (0, 1]; 1 is the lasso.
    strengths : tuple of float
        Values of C to try, ascending, in multiples of the smallest C that has a non-zero
        coefficient.
    tolerance : float
        Relative change of the coefficients at which SAGA stops.
    max_passes : int
        Passes over the rows at which it stops anyway.
    inner_folds : int
        Tuning folds; fewer where the rarer class has fewer members.
    seed : int
        Of the folds and of SAGA's order.

    Attributes
    ----------
    l1_ratio_, strength_ : float
        The chosen penalty; the first of each where no inner fold could be made.
    model_ : sklearn.linear_model.LogisticRegression
        Refitted on all rows given to ``fit``.
    """

    def __init__(
        self,
        l1_ratios: tuple[float, ...],
        strengths: tuple[float, ...],
        tolerance: float,
        max_passes: int,
        inner_folds: int,
        seed: int,
    ) -> None:
        self.l1_ratios = l1_ratios
        self.strengths = strengths
        self.tolerance = tolerance
        self.max_passes = max_passes
        self.inner_folds = inner_folds
        self.seed = seed

    def fit(self, X: Matrix, y: Labels, groups: Groups = None) -> Self:
        """Tune and refit; ``X`` is z-scored."""
        self.classes_ = np.array([0, 1])
        losses = np.zeros((len(self.l1_ratios), len(self.strengths)))
        for fold in split_for_tuning(y, groups, self.inner_folds, self.seed):
            for row, l1_ratio in enumerate(self.l1_ratios):
                losses[row] += self._path_losses(X, y, fold, l1_ratio)
        # argmin takes the first of equals, so ties go to the stronger penalty.
        row, column = divmod(int(np.argmin(losses)), len(self.strengths))
        self.l1_ratio_, self.strength_ = self.l1_ratios[row], self.strengths[column]
        self.model_ = self._make(self.l1_ratio_)
        _fit(self.model_, X, y, self.strength_)
        return self

    def predict_proba(self, X: Matrix) -> Matrix:
        """Return the probabilities of (negative, positive), shape (patients, 2)."""
        probabilities: Matrix = self.model_.predict_proba(X)
        return probabilities

    @property
    def chosen(self) -> dict[str, float]:
        """What tuning chose, by name."""
        return {
            "l1_ratio": self.l1_ratio_,
            "strength": self.strength_,
            "nonzero_coefficients": int(np.count_nonzero(self.model_.coef_)),
        }

    def _path_losses(
        self, X: Matrix, y: Labels, fold: tuple[Rows, Rows], l1_ratio: float
    ) -> Matrix:
        """Return the summed log-loss for each strength, each fit starting from the last."""
        train, test = fold
        model = self._make(l1_ratio, warm_start=True)
        losses = []
        for strength in self.strengths:
            _fit(model, X[train], y[train], strength)
            p = model.predict_proba(X[test])
            losses.append(log_loss(y[test], p, labels=[0, 1], normalize=False))
        return np.array(losses)

    def _make(self, l1_ratio: float, warm_start: bool = False) -> LogisticRegression:
        return LogisticRegression(
            l1_ratio=l1_ratio,
            solver="saga",
            tol=self.tolerance,
            max_iter=self.max_passes,
            random_state=self.seed,
            warm_start=warm_start,
        )


def _fit(model: LogisticRegression, X: Matrix, y: Labels, strength: float) -> None:
    lowest = l1_min_c(X, y, loss="log", fit_intercept=False) / model.l1_ratio
    model.set_params(C=strength * lowest)
    with warnings.catch_warnings():
        # Stopping at max_iter is part of the early stop described above.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y)


def build(config: TrainConfig) -> ElasticNet:
    """Make the candidate from its settings."""
    settings = config.elastic_net
    return ElasticNet(
        l1_ratios=settings.l1_ratios,
        strengths=settings.strengths,
        tolerance=settings.tolerance,
        max_passes=settings.max_passes,
        inner_folds=config.inner_folds,
        seed=config.seed,
    )
