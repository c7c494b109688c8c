"""Phases of a dynamic series: images of one place at known times (DCE-MRI, perfusion CT)."""

import re

_SERIES = re.compile(r"dce_(\d+)s")


def series_seconds(phase: str) -> float | None:
    """Return the time of an image of a dynamic series; None for any other phase.

    Parameters
    ----------
    phase : str
        ``dce_<seconds>s``, whole seconds on one clock for all images of the series: ``dce_35s``.
    """
    found = _SERIES.fullmatch(phase)
    return float(found[1]) if found else None
