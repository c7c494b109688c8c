"""Curves behind single thresholds: enhancing share by k, oily share by HU, signal by time."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.domain.scan import Modality
from pipeline.response.lesion_images import LesionImages
from pipeline.response.lipiodol import CURVE_HU, OIL_HU, compute_lipiodol_curve
from pipeline.response.measured import Missing
from pipeline.response.qeasl import CURVE_FACTORS, compute_enhancement_curve
from pipeline.response.time_series import read_course
from pipeline.response.viability import read_enhancement

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Curve:
    """Points of a curve.

    Parameters
    ----------
    name : str
        ``qeasl``: share of the tumour in % that gains more than liver's mean plus ``at`` standard
        deviations; ``lipiodol``: share in % above ``at`` HU on unenhanced CT; ``dce``: mean signal
        at ``at`` seconds.
    at, value : numpy.ndarray, shape (n,)
        Where it is read, and what is read there.
    """

    name: str
    at: Numbers
    value: Numbers


def read_curves(images: LesionImages, oil_hu: float = OIL_HU) -> list[Curve]:
    """Return the curves that a lesion's images support; oil from ``oil_hu`` on enhances nowhere.

    Why one is not there, the measures of the same images say (``qeasl_k0_percent``,
    ``lipiodol_percent``).
    """
    found = []
    if images.modality is not Modality.PT:
        enhancement = read_enhancement(images, oil_hu)
        if not isinstance(enhancement, Missing):
            shares = compute_enhancement_curve(
                enhancement.gain, enhancement.tumour, enhancement.liver
            )
            found.append(_curve("qeasl", CURVE_FACTORS, shares))
    native = images.phases.get("native")
    if native is not None and not native.misplaced and images.modality is Modality.CT:
        oily = compute_lipiodol_curve(native.scan, native.tumour)
        found.append(_curve("lipiodol", CURVE_HU, oily))
    course = read_course(images)
    if course is not None and not isinstance(course, Missing):
        found.append(Curve("dce", *course))
    return [curve for curve in found if curve is not None]


def _curve(name: str, at: tuple[float, ...], value: Numbers | Missing) -> Curve | None:
    return None if isinstance(value, Missing) else Curve(name, np.asarray(at, np.float64), value)
