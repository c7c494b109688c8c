"""What each response measure is: its unit, and how lesions combine to a patient's value."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from pipeline.domain.scan import Modality

PREFIXES = {modality.lower(): modality for modality in Modality}
"""How the names of a table's measures begin; HU, MR signal and SUV must never share a column."""

SIZE_MEASURES = {"volume_ml": "volume_ml", "recist_diameter_mm": "longest_diameter_mm"}
"""Measures of size, and what the size features are called."""

_NOT_A_FEATURE = re.compile(r"_curve_|_centre_[xyz]_mm$|^mr_gain_entropy_bits$")
"""Readings of curves, of which a parameter is a measure; places, which differ by scanner; entropy
of MR signal in bins of a fixed width, which follows the signal's scale."""

_ARBITRARY_UNIT = "a.u."
"""Of MR signal, whose scale differs by scanner, coil and day: only ratios of it are features."""


class UnionOf(StrEnum):
    """How a measure of the union follows from those of disjoint lesions."""

    SUM = "sum"
    """Volumes, glycolysis: add."""
    MEAN = "mean"
    """Shares of volume and voxel means: the volume-weighted mean is exact."""
    MAXIMUM = "maximum"
    """Maxima such as SUVmax; diameters, which lie within one lesion: the gap is no tumour."""
    VOXELS = "voxels"
    """Percentiles, areas, entropy: only the union's voxels tell."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a rule must know of a measure.

    Parameters
    ----------
    union_of : UnionOf
        How it behaves under union.
    worse : {"higher", "lower"} or None
        Which end speaks for living tumour: a viable volume is worse higher, a necrosis fraction
        lower; None where neither is known.
    unit : str
        ``signal`` stands for the unit of the modality's voxels.
    """

    union_of: UnionOf
    worse: str | None = None
    unit: str = "1"

    def __post_init__(self) -> None:
        if self.worse not in {"higher", "lower", None}:
            msg = f"worse must be higher, lower or None, got {self.worse!r}"
            raise ValueError(msg)


_SUM, _MEAN, _MAXIMUM, _VOXELS = UnionOf.SUM, UnionOf.MEAN, UnionOf.MAXIMUM, UnionOf.VOXELS

BEHAVIOURS: dict[str, Behaviour] = {
    # size
    r"volume_ml": Behaviour(_SUM, "higher", "mL"),
    r"recist_diameter_mm": Behaviour(_MAXIMUM, "higher", "mm"),
    # enhancing part
    r"mrecist_diameter_mm": Behaviour(_MAXIMUM, "higher", "mm"),
    r"easl_product_mm2": Behaviour(_MAXIMUM, "higher", "mm2"),
    r"enhancing_volume_ml|qeasl_k.*_ml": Behaviour(_SUM, "higher", "mL"),
    r"enhancing_area_mm2": Behaviour(_VOXELS, "higher", "mm2"),
    r"largest_cluster_ml": Behaviour(_MAXIMUM, "higher", "mL"),
    r"largest_cluster_diameter_mm": Behaviour(_VOXELS, "higher", "mm"),
    r"(.*_)?necrosis_fraction": Behaviour(_MEAN, "lower", "1"),
    r"qeasl_k.*_percent": Behaviour(_MEAN, "higher", "%"),
    # gain from the native to the arterial phase
    r"gain_mean": Behaviour(_MEAN, "higher", "signal"),
    r"gain_p95": Behaviour(_VOXELS, "higher", "signal"),
    r"gain_sd": Behaviour(_VOXELS, None, "signal"),
    r"gain_entropy_bits": Behaviour(_VOXELS, None, "bit"),
    # lipiodol: complete, even deposition goes with necrosis (PMID 8402781)
    r"lipiodol_percent(_.*)?": Behaviour(_MEAN, "lower", "%"),
    r"lipiodol_complete": Behaviour(_VOXELS, "lower", "1"),
    r"lipiodol_variation": Behaviour(_VOXELS, "higher", "1"),
    r"lipiodol_largest_defect_ml": Behaviour(_MAXIMUM, "higher", "mL"),
    # means and ratios of phases
    r"mean_arterial": Behaviour(_MEAN, "higher", "signal"),
    r"mean_.*": Behaviour(_MEAN, None, "signal"),
    r"tumour_liver_ratio_arterial": Behaviour(_VOXELS, "higher", "1"),
    r"tumour_liver_ratio_.*|tumour_muscle_ratio_.*": Behaviour(_VOXELS, None, "1"),
    r"aphe_ratio": Behaviour(_VOXELS, "higher", "1"),
    r"enhancement_arterial": Behaviour(_VOXELS, "higher", "gain"),
    r"enhancement_.*": Behaviour(_VOXELS, None, "gain"),
    r"arterial_enhancement_fraction_percent": Behaviour(_VOXELS, "higher", "%"),
    r"washout_percent(_.*)?": Behaviour(_VOXELS, "higher", "%"),
    # diffusion: viable tissue is dense
    r"adc_mean": Behaviour(_MEAN, "lower", "1e-3 mm2/s"),
    r"adc_p10": Behaviour(_VOXELS, "lower", "1e-3 mm2/s"),
    r"adc_viable_fraction": Behaviour(_MEAN, "higher", "1"),
    r"adc_liver_ratio": Behaviour(_VOXELS, "lower", "1"),
    # uptake
    r"suv_max|suv_peak": Behaviour(_MAXIMUM, "higher", "SUV"),
    r"suv_mean": Behaviour(_MEAN, "higher", "SUV"),
    r"suv_max_liver_ratio": Behaviour(_MAXIMUM, "higher", "1"),
    r"mtv_ml": Behaviour(_SUM, "higher", "mL"),
    r"tlg_ml": Behaviour(_SUM, "higher", "SUV mL"),
    # enhancement over time
    r"(.*_)?peak_gain|(.*_)?auc60": Behaviour(_VOXELS, "higher", "signal"),
    r"(.*_)?peak_gain_relative": Behaviour(_VOXELS, "higher", "1"),
    r"(.*_)?time_to_peak_s": Behaviour(_VOXELS, None, "s"),
    r"(.*_)?(steepest_)?wash_(in|out)_per_s": Behaviour(_VOXELS, "higher", "signal/s"),
}
"""Pattern of a measure's name without its modality, and what it is; the first that fits counts.

``easl_product_mm2`` of the union is the largest of the lesions' products: as a diameter, it lies
within one lesion."""

UNKNOWN = Behaviour(UnionOf.VOXELS)
"""Of a measure that the table does not have: only its own voxels and lesion tell."""

SUFFIX_UNITS = {"ml": "mL", "mm": "mm", "mm2": "mm2", "hu": "HU", "percent": "%", "s": "s"}
"""Units of such a measure by the end of its name."""

_SIGNAL = {Modality.CT: "HU", Modality.MR: _ARBITRARY_UNIT, Modality.PT: "SUV"}
_GAIN = {Modality.CT: "HU", Modality.MR: "1", Modality.PT: "1"}


def split_name(column: str) -> tuple[Modality, str] | None:
    """Return modality and measure of a column such as ``ct_volume_ml``; None for other columns."""
    prefix, _, name = column.partition("_")
    return (PREFIXES[prefix], name) if prefix in PREFIXES and name else None


def list_measures(columns: Iterable[str]) -> list[str]:
    """Return the columns that can be features, in their order.

    Places, readings of curves and MR signal in arbitrary units are left out.
    """
    return [
        name
        for name in columns
        if split_name(name)
        and not _NOT_A_FEATURE.search(name)
        and not find_unit(name).startswith(_ARBITRARY_UNIT)
    ]


def find_behaviour(name: str) -> Behaviour:
    """Return what is known of a measure, named without its modality."""
    for pattern, behaviour in BEHAVIOURS.items():
        if re.fullmatch(pattern, name):
            return behaviour
    return UNKNOWN


def find_unit(column: str) -> str:
    """Return the unit of a measure, named with its modality; ``1`` where it has none."""
    parts = split_name(column)
    if parts is None:
        return "1"
    modality, name = parts
    behaviour = find_behaviour(name)
    if behaviour is UNKNOWN:
        return SUFFIX_UNITS.get(name.rpartition("_")[2], "1")
    unit = behaviour.unit
    if unit == "gain":
        return _GAIN[modality]
    return unit.replace("signal", _SIGNAL[modality])
