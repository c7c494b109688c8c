"""Discrimination and accuracy scores, for the cohort and all its resamples at once.

Every function takes ``weights`` of shape (resamples, n), how often each patient counts, and
returns one value a resample, NaN where a resample lacks one of the classes.
"""

import numpy as np

from pipeline.evaluation.outcomes import Bools, Floats

SMALLEST_PROBABILITY = 1e-6
"""Probabilities are kept this far from 0 and 1 where their logarithm is taken: a single wrong
certainty would otherwise make the figure infinite."""


def weighted_auc(y: Bools, p: Floats, weights: Floats) -> Floats:
    """Return the area under the ROC curve: the chance that a positive outranks a negative."""
    positives, negatives = _counts_by_value(y, p, weights)
    below = np.cumsum(negatives, axis=1) - negatives
    wins = (positives * (below + negatives / 2)).sum(axis=1)
    return _divide(wins, positives.sum(axis=1) * negatives.sum(axis=1))


def weighted_average_precision(y: Bools, p: Floats, weights: Floats) -> Floats:
    """Return the sum over thresholds of precision times gain in recall (no interpolation)."""
    positives, negatives = _counts_by_value(y, p, weights)
    found = np.cumsum(positives[:, ::-1], axis=1)
    called = found + np.cumsum(negatives[:, ::-1], axis=1)
    precision = np.divide(found, called, out=np.zeros_like(found), where=called > 0)
    return _divide((positives[:, ::-1] * precision).sum(axis=1), positives.sum(axis=1))


def weighted_brier(y: Bools, p: Floats, weights: Floats) -> Floats:
    """Return the mean squared difference between probability and outcome; 0 is perfect."""
    return _divide(weights @ (p - y) ** 2, weights.sum(axis=1))


def weighted_scaled_brier(y: Bools, p: Floats, weights: Floats) -> Floats:
    """Return the Brier skill: 1 perfect, 0 as good as giving everyone the prevalence."""
    prevalence = _divide(weights @ y, weights.sum(axis=1))
    return 1 - _divide(weighted_brier(y, p, weights), prevalence * (1 - prevalence))


def weighted_log_loss(y: Bools, p: Floats, weights: Floats) -> Floats:
    """Return the mean negative log-likelihood in nats."""
    kept = np.clip(p, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    losses = -np.log(np.where(y, kept, 1 - kept))
    return _divide(weights @ losses, weights.sum(axis=1))


def _counts_by_value(y: Bools, p: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return positives and negatives at each distinct probability, ascending: (resamples, k)."""
    order = np.argsort(p, kind="stable")
    _, starts = np.unique(p[order], return_index=True)
    ordered, positive = weights[:, order], y[order]
    return (
        np.add.reduceat(ordered * positive, starts, axis=1),
        np.add.reduceat(ordered * ~positive, starts, axis=1),
    )


def _divide(over: Floats, under: Floats) -> Floats:
    ratio = np.full(len(over), np.nan)
    np.divide(over, under, out=ratio, where=under > 0)
    return ratio
