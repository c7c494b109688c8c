"""Target lesions of a patient: chosen at baseline, summed at every time point."""

from collections.abc import Mapping, Sequence

from pipeline.response.measured import Measured, Missing

MOST_PER_ORGAN = 2
"""RECIST 1.1 takes up to two lesions an organ (doi 10.1016/j.ejca.2008.10.026)."""

LEAST_DIAMETER_MM = 10.0
"""Smaller lesions cannot be measured reliably (as above). With slices thicker than 5 mm it is twice
the slice thickness: pass that."""


def choose_target_lesions(
    baseline_mm: Mapping[str, Measured],
    most: int = MOST_PER_ORGAN,
    least_mm: float = LEAST_DIAMETER_MM,
) -> tuple[str, ...]:
    """Return the largest lesions of an organ that are large enough; ties by name.

    Parameters
    ----------
    baseline_mm : mapping of str to float or Missing
        Longest diameter (RECIST) or longest viable diameter (mRECIST) of each lesion at baseline.
    """
    sizes = [
        (-size, name)
        for name, size in baseline_mm.items()
        if not isinstance(size, Missing) and size >= least_mm
    ]
    return tuple(name for _, name in sorted(sizes)[:most])


def sum_over_targets(targets: Sequence[str], values: Mapping[str, Measured]) -> Measured:
    """Return the sum of a measure over target lesions; missing where one of them is.

    A lesion that vanished must be given as 0: one that is not in ``values`` was not looked at.
    """
    if not targets:
        return Missing("no lesion was large enough to be a target")
    total = 0.0
    for name in targets:
        value = values.get(name, Missing("not measured"))
        if isinstance(value, Missing):
            return Missing(f"target lesion {name}: {value.reason}")
        total += value
    return total
