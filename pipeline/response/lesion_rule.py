"""From a patient's lesions to one value of a measure, by a declared rule.

No rule is right for all: pCR is a statement about every lesion, so ``worst`` and ``union`` match it
best; ``largest`` is what single-lesion studies report.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from pipeline.domain.errors import GeometryError
from pipeline.domain.scan import Region
from pipeline.response.measured import Measured, Missing


class LesionRule(StrEnum):
    """How lesions become a patient."""

    LARGEST = "largest"
    """The value of the lesion with the greatest volume."""
    VOLUME_WEIGHTED = "volume_weighted"
    """The mean, weighted by lesion volume."""
    UNION = "union"
    """The value of all lesions taken as one."""
    WORST = "worst"
    """The value that speaks most for living tumour."""


class UnionOf(StrEnum):
    """How a measure of the union follows from those of disjoint lesions."""

    SUM = "sum"
    """Volumes, glycolysis: add."""
    MEAN = "mean"
    """Shares of volume and voxel means: the volume-weighted mean is exact."""
    MAXIMUM = "maximum"
    """Maxima such as SUVmax."""
    VOXELS = "voxels"
    """Percentiles, diameters, entropy: only the union's voxels tell (see ``unite``)."""


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
    """

    union_of: UnionOf
    worse: str | None = None

    def __post_init__(self) -> None:
        if self.worse not in {"higher", "lower", None}:
            msg = f"worse must be higher, lower or None, got {self.worse!r}"
            raise ValueError(msg)


def combine_lesions(
    rule: LesionRule,
    values: Mapping[str, Measured],
    volumes_ml: Mapping[str, float],
    behaviour: Behaviour,
) -> Measured:
    """Return a patient's value of one measure.

    Parameters
    ----------
    rule : LesionRule
        Declared before the analysis.
    values : mapping of str to float or Missing
        By lesion.
    volumes_ml : mapping of str to float
        Of the same lesions, at the time point that ranks them: at baseline, because a lesion that
        dies may shrink below another.
    behaviour : Behaviour
        Of the measure.

    Notes
    -----
    ``largest`` looks at one lesion; the others need the value of every lesion and are missing
    where one is, with its reason.
    """
    if not values:
        return Missing("no lesion")
    if rule is LesionRule.LARGEST:
        return values[min(values, key=lambda name: (-volumes_ml[name], name))]
    numbers: dict[str, float] = {}
    for name, value in values.items():
        if isinstance(value, Missing):
            return Missing(f"lesion {name}: {value.reason}")
        numbers[name] = value
    if rule is LesionRule.WORST:
        return _worst(numbers, behaviour)
    if rule is LesionRule.VOLUME_WEIGHTED:
        return _weighted_mean(numbers, volumes_ml)
    return _union(numbers, volumes_ml, behaviour)


def unite(lesions: Mapping[str, Region]) -> Region:
    """Return the union of lesions drawn on one grid, to be measured as one.

    Raises
    ------
    GeometryError
        If they are on different grids.
    ValueError
        If there is none.
    """
    if not lesions:
        msg = "no lesion to unite"
        raise ValueError(msg)
    first = next(iter(lesions.values()))
    inside = first.inside.copy()
    for name, other in lesions.items():
        difference = first.geometry.difference(other.geometry)
        if difference:
            msg = f"lesion {name} is not on the grid of the first: {difference}; resample it"
            raise GeometryError(msg)
        inside |= other.inside
    return Region(inside, first.geometry, first.name)


def _worst(numbers: Mapping[str, float], behaviour: Behaviour) -> Measured:
    if behaviour.worse is None:
        return Missing("neither end of this measure is known to be the worse")
    return max(numbers.values()) if behaviour.worse == "higher" else min(numbers.values())


def _weighted_mean(numbers: Mapping[str, float], volumes_ml: Mapping[str, float]) -> Measured:
    weights = np.array([volumes_ml[name] for name in numbers])
    if not weights.sum() > 0:
        return Missing("the lesions have no volume")
    return float(np.average(list(numbers.values()), weights=weights))


def _union(
    numbers: Mapping[str, float], volumes_ml: Mapping[str, float], behaviour: Behaviour
) -> Measured:
    match behaviour.union_of:
        case UnionOf.SUM:
            return sum(numbers.values())
        case UnionOf.MEAN:
            return _weighted_mean(numbers, volumes_ml)
        case UnionOf.MAXIMUM:
            return max(numbers.values())
        case UnionOf.VOXELS:
            return Missing("of the union only its voxels tell: measure the united region")
