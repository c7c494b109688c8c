"""Keep text that a spreadsheet would run as a formula out of the tables that are written.

Source of the signs: OWASP, CSV Injection.
"""

import pandas as pd

from pipeline.ingest.description_words import WITHHELD

_SIGNS = ("=", "+", "-", "@", "\t", "\r")
"""A field that begins with one of them, and is no number, may be run."""


def is_formula(text: str) -> bool:
    """Tell whether a spreadsheet may run a text; numbers such as -5 it does not."""
    return text.startswith(_SIGNS) and not _is_number(text)


def without_formulas(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of texts with those withheld that a spreadsheet may run."""
    return table.map(lambda text: WITHHELD if is_formula(str(text)) else text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
