"""What each tissue looks like in each contrast phase, before the scanner."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from pipeline.domain.scan import Modality
from pipeline.synthetic.anatomy import Labels, Tissue

Floats = npt.NDArray[np.float64]

ENHANCEMENT: Mapping[Modality, Mapping[str, float]] = {
    Modality.CT: {"native": 0.0, "arterial": 55.0, "portal": 42.0},
    Modality.MR: {"native": 0.0, "arterial": 240.0, "portal": 185.0},
}
"""Rise of living tumour over native by phase: more than liver in the arterial phase, less in the
portal phase (washout). HU on CT, arbitrary units on MR."""

_CT: Mapping[Tissue, tuple[float, float, float]] = {
    Tissue.AIR: (-1000, -1000, -1000),
    Tissue.FAT: (-95, -95, -94),
    Tissue.MUSCLE: (50, 54, 62),
    Tissue.BONE: (220, 225, 230),
    Tissue.AORTA: (42, 300, 150),
    Tissue.LIVER: (58, 67, 108),
    Tissue.VESSEL: (44, 70, 165),
    Tissue.VIABLE: (44, 44, 44),
    Tissue.NECROSIS: (26, 27, 28),
    Tissue.LIPIODOL: (320, 321, 322),
}

_MR: Mapping[Tissue, tuple[float, float, float]] = {
    Tissue.AIR: (0, 0, 0),
    Tissue.FAT: (120, 122, 124),
    Tissue.MUSCLE: (230, 245, 270),
    Tissue.BONE: (90, 95, 100),
    Tissue.AORTA: (160, 900, 620),
    Tissue.LIVER: (300, 335, 480),
    Tissue.VESSEL: (170, 260, 640),
    Tissue.VIABLE: (220, 220, 220),
    Tissue.NECROSIS: (190, 194, 198),
    Tissue.LIPIODOL: (190, 194, 198),  # not seen on fat-suppressed MR
}

_PHASES = ("native", "arterial", "portal")
_TISSUES_WITH_TEXTURE = (Tissue.LIVER, Tissue.VIABLE, Tissue.NECROSIS)
_LIPIODOL_SPREAD_HU = 80.0
_VIABLE_SPREAD = 0.15


def paint(
    labels: Labels, phase: str, modality: Modality, arterial_gain: float, texture: Floats
) -> Floats:
    """Return ideal voxel values of one phase: no noise, no blur.

    Parameters
    ----------
    labels : numpy.ndarray of uint8, shape (z, y, x)
        Values of :class:`~pipeline.synthetic.anatomy.Tissue`.
    phase : str
        ``native``, ``arterial`` or ``portal``.
    modality : Modality
        ``CT`` gives HU, ``MR`` arbitrary units with liver at 300 on the native phase.
    arterial_gain : float
        The patient's factor on the enhancement of living tumour.
    texture : numpy.ndarray, shape (z, y, x)
        Smooth, mean 0, standard deviation 1: the tissue's own variation, equal in all phases.
    """
    table = _CT if modality is Modality.CT else _MR
    column = _PHASES.index(phase)
    values = np.array([table[tissue][column] for tissue in Tissue], dtype=float)[labels]
    unit = 1.0 if modality is Modality.CT else 4.0
    values += 3 * unit * texture * np.isin(labels, _TISSUES_WITH_TEXTURE)
    if modality is Modality.CT:
        values += _LIPIODOL_SPREAD_HU * texture * (labels == Tissue.LIPIODOL)
    rise = ENHANCEMENT[modality][phase] * arterial_gain * (1 + _VIABLE_SPREAD * texture)
    return np.where(labels == Tissue.VIABLE, values + rise, values)
