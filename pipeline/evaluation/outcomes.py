"""The two arrays that every figure is computed from, checked once."""

import numpy as np
import numpy.typing as npt

from pipeline.domain.errors import ModelingError

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


def check_outcomes(y_true: npt.ArrayLike, p: npt.ArrayLike) -> tuple[Bools, Floats]:
    """Return outcomes and probabilities as arrays, or say what is wrong with them.

    Parameters
    ----------
    y_true : array-like, shape (n,)
        1 or True where the outcome is positive, 0 or False where not.
    p : array-like, shape (n,)
        Predicted probability of the positive outcome.

    Returns
    -------
    (numpy.ndarray of bool, numpy.ndarray of float)
        Both of shape (n,).

    Raises
    ------
    ModelingError
        If the shapes differ, an outcome is not 0 or 1, a probability is not within 0 and 1, or
        only one class is present.
    """
    outcomes = np.asarray(y_true)
    probabilities = np.asarray(p, dtype=np.float64)
    if outcomes.ndim != 1 or outcomes.shape != probabilities.shape:
        msg = (
            "y_true and p: expected two arrays of one length,"
            f" got shapes {outcomes.shape} and {probabilities.shape}."
        )
        raise ModelingError(msg)
    if not np.isin(outcomes, (0, 1)).all():
        odd = sorted({str(value) for value in outcomes[~np.isin(outcomes, (0, 1))]})
        msg = f"y_true: expected 0 or 1 for each patient, got {', '.join(odd[:5])}."
        raise ModelingError(msg)
    inside = (probabilities >= 0) & (probabilities <= 1)
    if not inside.all():
        msg = f"p: expected probabilities from 0 to 1, got {probabilities[~inside][:5].tolist()}."
        raise ModelingError(msg)
    positive = outcomes.astype(np.bool_)
    if positive.all() or not positive.any():
        msg = (
            f"y_true: expected patients with and without the outcome, got {positive.sum()} with"
            f" among {len(positive)}. No figure can be computed from one class."
        )
        raise ModelingError(msg)
    return positive, probabilities
