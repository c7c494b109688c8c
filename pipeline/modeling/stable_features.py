"""Leave radiomic features out that small perturbations of the image would change too much.

The coefficients come from the stage stability, which never sees an outcome. Choosing features by
them, before folds are made, therefore tells the model nothing about the patients it is tested on.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from math import isnan

import pandas as pd

from pipeline.domain.errors import ModelingError
from pipeline.domain.features import FeatureGroup, FeatureSpec, FeatureTable


@dataclass(frozen=True, slots=True)
class StableFeatures:
    """A table without its unstable features.

    Parameters
    ----------
    table : FeatureTable
        What is left.
    dropped : dict of str to str
        The columns left out, each with the reason.
    """

    table: FeatureTable
    dropped: dict[str, str] = field(default_factory=dict)


def keep_stable(table: FeatureTable, stability: pd.DataFrame, minimum_icc: float) -> StableFeatures:
    """Keep radiomic features whose ICC(1,1) reaches a limit even at the lower end of its interval.

    The lower end, because a stability that was measured on few scans is not yet shown (Koo TK, Li
    MY. J Chiropr Med 2016;15:155-163, doi:10.1016/j.jcm.2016.02.012). A change over treatment goes
    with the feature that it is the change of. Other columns stay. Agreement between readers is not
    asked for here.

    Parameters
    ----------
    table : FeatureTable
        One row a patient.
    stability : pandas.DataFrame
        ``modality, phase, region, feature, low, reason``, as the stage stability writes it.
    minimum_icc : float
        The limit.

    Raises
    ------
    ModelingError
        If a radiomic feature has no row in ``stability``. One whose row has no coefficient is left
        out, for the reason there.
    """
    known = _coefficients(stability)
    radiomic = {spec.name for spec in table.specs if spec.group is FeatureGroup.RADIOMICS}
    sources = {
        spec.name: source for spec in table.specs if (source := _source(spec, radiomic)) is not None
    }
    _check_all_known(sources.values(), known)
    dropped = {
        name: reason
        for name, source in sources.items()
        if (reason := _objection(*known[source], minimum_icc))
    }
    specs = tuple(spec for spec in table.specs if spec.name not in dropped)
    return StableFeatures(FeatureTable(table.values[[spec.name for spec in specs]], specs), dropped)


def _coefficients(stability: pd.DataFrame) -> dict[str, tuple[float, str]]:
    """Return lower limit and reason by the name that a feature has in feature tables."""
    place = stability["modality"] + "_" + stability["phase"] + "_" + stability["region"] + "_"
    names = place.str.lower() + stability["feature"]
    columns = (names, stability["low"], stability["reason"])
    return {name: (float(low), str(why)) for name, low, why in zip(*columns, strict=True)}


def _source(spec: FeatureSpec, radiomic: Collection[str]) -> str | None:
    """Return the radiomic feature behind a column; None where there is none."""
    if spec.group is FeatureGroup.RADIOMICS:
        return spec.name
    if spec.group is not FeatureGroup.DELTA:
        return None
    words = spec.name.split("_")  # delta_<form>_<name of the feature>
    tails = ("_".join(words[start:]) for start in range(1, len(words)))
    return next((tail for tail in tails if tail in radiomic), None)


def _check_all_known(sources: Collection[str], known: Mapping[str, tuple[float, str]]) -> None:
    unknown = sorted(set(sources) - known.keys())
    if unknown:
        some = ", ".join(unknown[:3])
        msg = (
            "train.yaml: preprocessing.minimum_icc: expected an ICC of every radiomic feature, got"
            f" none of {len(unknown)}, such as {some}. Run the stage stability again with the same"
            " extraction_*.yaml; it knows the region tumour only: take other regions out of"
            " pipeline.regions there, or set minimum_icc: null."
        )
        raise ModelingError(msg)


def _objection(low: float, reason: str, minimum_icc: float) -> str:
    if isnan(low):
        return f"no ICC: {reason}"
    return "" if low >= minimum_icc else f"lower limit of ICC {low:.3f}"
