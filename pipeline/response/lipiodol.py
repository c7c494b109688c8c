"""Lipiodol (iodised oil of TACE) in a tumour on unenhanced CT: how much, how even.

Volume of oil as a share of tumour volume predicted necrosis in resected tumours (Najmi Varzaneh
2018) and matched the necrotic share on MRI (R2 0.979, doi 10.1007/s00270-015-1129-9). Attenuation
of 365 HU or more marked massive necrosis (doi 10.1007/BF02602962). The bands' limits are in use,
their origin is not verified: they are parameters.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from pipeline.domain.scan import Modality, Region, Scan
from pipeline.imaging.crop import bounding_box
from pipeline.response.measured import Measured, Missing
from pipeline.response.values import Values, read_values

BANDS_HU = ((75.0, 150.0), (150.0, 300.0), (300.0, np.inf))
"""Weak, medium and dense oil; the lower limit belongs to the band, the upper to the next."""

NECROSIS_HU = 365.0
"""Mean attenuation of tumours with massive necrosis (doi 10.1007/BF02602962)."""

COMPLETE_PERCENT = 90.0
"""Oil in this share or more is called complete deposition; papers say >90 % or >=90 %
(doi 10.1186/s40644-016-0090-4)."""

OIL_HU = 150.0
"""A voxel of this attenuation or more holds oil: guard of this project, above bone-free tissue."""

CURVE_HU = tuple(range(50, 801, 25))
"""Where the curve of the oily share against the threshold is read."""


@dataclass(frozen=True, slots=True)
class LipiodolSettings:
    """Limits of ``measure_lipiodol_deposition``.

    Parameters
    ----------
    threshold_hu : float
        From this on a voxel holds oil.
    bands_hu : tuple of (float, float)
        Lower and upper limit of each band of density.
    complete_percent : float
        The deposition is complete from this share on.
    """

    threshold_hu: float = OIL_HU
    bands_hu: tuple[tuple[float, float], ...] = BANDS_HU
    complete_percent: float = COMPLETE_PERCENT


def measure_lipiodol_deposition(
    native: Scan | None, tumour: Region, settings: LipiodolSettings | None = None
) -> dict[str, Measured]:
    """Return share, bands, evenness and defects of the oil in a tumour.

    Parameters
    ----------
    native : Scan or None
        Unenhanced CT after TACE; None where there is none. Contrast phases would be wrong.
    tumour : Region
        On its grid.
    settings : LipiodolSettings, optional
        Limits.

    Returns
    -------
    dict
        ``lipiodol_percent`` (of the tumour from the threshold on), ``lipiodol_percent_LOW_HIGH_hu``
        for each band, ``lipiodol_percent_365_hu``, ``lipiodol_variation`` (standard deviation over
        mean HU of the oily voxels), ``lipiodol_largest_defect_ml`` (largest part without oil,
        26 neighbours), ``lipiodol_complete`` (1 or 0).
    """
    settings = settings or LipiodolSettings()
    values = read_native_values(native, tumour)
    if isinstance(values, Missing):
        return dict.fromkeys(_names(settings), values)
    oily = values >= settings.threshold_hu
    percent = 100 * float(oily.mean())
    bands = {
        _band_name(low, high): 100 * float(((values >= low) & (values < high)).mean())
        for low, high in settings.bands_hu
    }
    return {
        "lipiodol_percent": percent,
        **bands,
        "lipiodol_percent_365_hu": 100 * float((values >= NECROSIS_HU).mean()),
        "lipiodol_variation": _variation(values[oily]),
        "lipiodol_largest_defect_ml": _largest_defect_ml(~oily, tumour),
        "lipiodol_complete": float(percent >= settings.complete_percent),
    }


def draw_lipiodol(native: Scan | None, tumour: Region, from_hu: float) -> Region | Missing:
    """Return the part of a tumour that holds oil, which may be empty.

    Parameters
    ----------
    native : Scan or None
        Unenhanced CT; None where there is none.
    tumour : Region
        On its grid.
    from_hu : float
        A voxel at or above this holds oil, as in :func:`measure_lipiodol_deposition`.
    """
    values = read_native_values(native, tumour)
    if isinstance(values, Missing):
        return values
    inside = np.zeros_like(tumour.inside)
    inside[tumour.inside] = values >= from_hu
    return Region(inside, tumour.geometry, "lipiodol")


def compute_lipiodol_curve(
    native: Scan | None, tumour: Region, thresholds_hu: tuple[float, ...] = CURVE_HU
) -> Values | Missing:
    """Return the share of the tumour at or above each threshold, in percent; never rising."""
    values = read_native_values(native, tumour)
    if isinstance(values, Missing):
        return values
    below = np.searchsorted(np.sort(values), thresholds_hu, side="left")
    return np.asarray(100 * (1 - below / values.size), dtype=np.float64)


def find_lipiodol(
    native: Scan | None, tumour: Region, from_hu: float, at_most_percent: float
) -> Missing | None:
    """Return why attenuation and texture of a tumour on contrast-enhanced CT say nothing, if so.

    Oil is as dense as enhancing tissue on every phase. With a native phase that shows little oil,
    or without CT, nothing is against it; without a native phase nothing is known.

    Parameters
    ----------
    from_hu : float
        A voxel at or above this on unenhanced CT holds oil.
    at_most_percent : float
        Share of the tumour that may.
    """
    values = read_native_values(native, tumour)
    if isinstance(values, Missing):
        return None
    percent = 100 * float((values >= from_hu).mean())
    if percent <= at_most_percent:
        return None
    return Missing(f"lipiodol: {percent:.0f} % of the tumour is above {from_hu:.0f} HU unenhanced")


def read_native_values(native: Scan | None, tumour: Region) -> Values | Missing:
    """Return a tumour's HU on unenhanced CT, or why there are none."""
    if native is None:
        return Missing("no native phase")
    if native.modality is not Modality.CT:
        return Missing(f"lipiodol is measured on CT, the image is {native.modality}")
    return read_values(native, tumour)


def _names(settings: LipiodolSettings) -> tuple[str, ...]:
    bands = (_band_name(low, high) for low, high in settings.bands_hu)
    return (
        "lipiodol_percent",
        *bands,
        "lipiodol_percent_365_hu",
        "lipiodol_variation",
        "lipiodol_largest_defect_ml",
        "lipiodol_complete",
    )


def _band_name(low: float, high: float) -> str:
    upper = "up" if np.isinf(high) else f"{high:.0f}"
    return f"lipiodol_percent_{low:.0f}_{upper}_hu"


def _variation(oily: Values) -> Measured:
    if oily.size < 2:
        return Missing("fewer than two voxels hold lipiodol")
    return float(oily.std(ddof=1) / oily.mean())


def _largest_defect_ml(dry: npt.NDArray[np.bool_], tumour: Region) -> float:
    """Return the largest connected part of the tumour voxels, shape (n,), without oil."""
    defects = np.zeros_like(tumour.inside)
    defects[tumour.inside] = dry
    box = bounding_box([tumour], tumour.geometry, 0.0).slices_zyx
    labels, _ = ndimage.label(defects[box], structure=np.ones((3, 3, 3)))
    largest = int(np.bincount(labels.ravel())[1:].max(initial=0))
    return largest * tumour.geometry.voxel_volume_mm3 / 1000
