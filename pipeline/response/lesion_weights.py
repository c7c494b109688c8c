"""Which lesions stand for which patients, as a table for what is worked out of lesions later."""

import pandas as pd

from pipeline.response.lesion_standing import list_weights
from pipeline.response.patient import LesionView


def tabulate_weights(view: LesionView) -> pd.DataFrame:
    """Return the weights of values and of change, told apart by the column ``change``.

    See :func:`pipeline.response.lesion_standing.list_weights` for the other columns.
    """
    kinds = [
        list_weights(view.visits, view.standings, view.rule, change).assign(change=change)
        for change in (False, True)
    ]
    return pd.concat(kinds, ignore_index=True)
