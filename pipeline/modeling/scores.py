"""A few simple figures of out-of-fold predictions; intervals and tests are evaluation's."""

import numpy as np
import pandas as pd
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score


def summarise_predictions(predictions: pd.DataFrame) -> dict[str, float | None]:
    """Compute the mean AUC of the test folds, Brier score and log-loss.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Columns ``repeat, fold, y, p`` of one candidate on one feature set, each row once a
        repeat.

    Returns
    -------
    dict of str to float or None
        ``auc`` is the mean over the folds that hold both classes, None where none does;
        ``brier`` and ``log_loss`` (nats) are over all rows of all repeats.
    """
    aucs = [
        roc_auc_score(fold["y"], fold["p"])
        for _, fold in predictions.groupby(["repeat", "fold"])
        if fold["y"].nunique() == 2
    ]
    y, p = predictions["y"].to_numpy(), predictions["p"].to_numpy()
    return {
        "auc": float(np.mean(aucs)) if aucs else None,
        "brier": float(brier_score_loss(y, p)),
        "log_loss": float(log_loss(y, p, labels=[0, 1])),
    }
