"""The dynamic series of a lesion: the mean of the tumour over time."""

import numpy as np

from pipeline.domain.time_series import series_seconds
from pipeline.response.dynamic import DYNAMIC_MEASURES, Series, measure_dynamic_curve
from pipeline.response.lesion_images import LesionImages
from pipeline.response.measured import Measured, Missing

LEAST_IMAGES = 3
"""One before contrast and two after it: fewer have no course."""


def measure_time_series(images: LesionImages, arrival_s: float) -> dict[str, Measured]:
    """Return the parameters of the tumour's mean signal over the phases ``dce_<seconds>s``.

    Parameters
    ----------
    images : LesionImages
        Each image of the series with the tumour as it lies there.
    arrival_s : float
        When contrast arrives, on the clock of the phases' names.

    Returns
    -------
    dict
        ``dce_`` and the names of :data:`DYNAMIC_MEASURES`; empty where there is no image of a
        series.
    """
    course = read_course(images)
    if course is None:
        return {}
    if isinstance(course, Missing):
        return {f"dce_{name}": course for name in DYNAMIC_MEASURES}
    found = measure_dynamic_curve(*course, arrival_s)
    return {f"dce_{name}": value for name, value in found.items()}


def read_course(images: LesionImages) -> tuple[Series, Series] | Missing | None:
    """Return times in s, rising, and the tumour's mean signals; None where there is no series."""
    times = {phase: series_seconds(phase) for phase in images.phases}
    seconds = {phase: time for phase, time in times.items() if time is not None}
    if not seconds:
        return None
    if len(seconds) < LEAST_IMAGES:
        return Missing(f"the dynamic series has {len(seconds)} images, fewer than {LEAST_IMAGES}")
    means = images.tumour_means()
    signals = []
    for phase in sorted(seconds, key=lambda name: seconds[name]):
        mean = means.on(phase)
        if isinstance(mean, Missing):
            return Missing(f"{phase}: {mean.reason}")
        signals.append(mean)
    return np.array(sorted(seconds.values())), np.array(signals)
