"""From a patient's lesions to one value of a measure, by a declared rule.

No rule is right for all: pCR is a statement about every lesion, so ``worst`` and ``union`` match it
best; ``largest`` is what single-lesion studies report.
"""

from collections.abc import Mapping

import numpy as np

from pipeline.config.assemble import LesionRule
from pipeline.response.measure_names import Behaviour, UnionOf
from pipeline.response.measured import Measured, Missing


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
        Of the same lesions. For ``union`` at the time of the values; for the other rules at
        baseline, because a lesion that dies may shrink below another.
    behaviour : Behaviour
        Of the measure.

    Notes
    -----
    ``largest`` looks at one lesion; the others need the value of every lesion and are missing
    where one is, with its reason. An only lesion is the patient by every rule.
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
    if len(numbers) == 1:
        return next(iter(numbers.values()))
    if rule is LesionRule.WORST:
        return _worst(numbers, behaviour)
    if rule is LesionRule.VOLUME_WEIGHTED:
        return _weighted_mean(numbers, volumes_ml)
    return _union(numbers, volumes_ml, behaviour)


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
