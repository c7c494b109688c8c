"""LI-RADS treatment response category, as a reader writes it."""

import re
from enum import StrEnum


class LrTr(StrEnum):
    """Treatment response of a lesion after local therapy (ACR LI-RADS CT/MRI v2018)."""

    VIABLE = "viable"
    """Nodular, mass-like or thick irregular enhancement as in living tumour."""
    EQUIVOCAL = "equivocal"
    """Enhancement atypical for the treatment, but not as in living tumour."""
    NONVIABLE = "nonviable"
    """No enhancement, or as expected after the treatment."""
    NONEVALUABLE = "nonevaluable"
    """The images do not allow a verdict."""


def read_lr_tr(written: str) -> LrTr:
    """Return the category that a reader wrote, such as ``LR-TR Viable`` or ``non-viable``.

    Upper and lower case, the prefix ``LR-TR``, blanks and hyphens do not matter.

    Raises
    ------
    ValueError
        If it is none of the four categories.
    """
    letters = re.sub(r"[\s_()-]", "", written.lower())
    return LrTr(letters.removeprefix("lrtr"))
