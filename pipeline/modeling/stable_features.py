"""Leave radiomic features out that small perturbations of the image would change too much.

The coefficients come from the stage stability, which never sees an outcome. Choosing features by
them, before folds are made, therefore tells the model nothing about the patients it is tested on.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from math import isnan
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api.types import is_float_dtype

from pipeline.domain.errors import ModelingError
from pipeline.domain.features import FeatureGroup, FeatureSpec, FeatureTable
from pipeline.tabular import read_parquet

_FEATURE = ("modality", "phase", "region", "feature")

STABILITY_COLUMNS = (*_FEATURE, "low", "reason")
"""Of the table of the stage stability, those that training needs."""


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


def read_stability(path: Path) -> pd.DataFrame:
    """Read the table of the stage stability."""
    return read_parquet(path, STABILITY_COLUMNS, "stability")


def keep_stable(
    table: FeatureTable, stability: pd.DataFrame | None, minimum_icc: float | None
) -> StableFeatures:
    """Keep radiomic features whose ICC(1,1) reaches a limit even at the lower end of its interval.

    The lower end, because a stability that was measured on few scans is not yet shown (Koo TK, Li
    MY. J Chiropr Med 2016;15:155-163, doi:10.1016/j.jcm.2016.02.012). A change over treatment goes
    with the feature that it is the change of. Other columns stay. Agreement between readers is not
    asked for here.

    Parameters
    ----------
    table : FeatureTable
        One row a patient.
    stability : pandas.DataFrame, optional
        :data:`STABILITY_COLUMNS`, as the stage stability writes it. Needed for a limit.
    minimum_icc : float, optional
        The limit; without, every feature stays.

    Raises
    ------
    ModelingError
        If ``stability`` is absent or not what its stage writes, or a radiomic feature has no row in
        it. One whose row has no coefficient is left out, for the reason there.
    """
    if minimum_icc is None:
        return StableFeatures(table)
    if stability is None:
        msg = (
            f"train.yaml: preprocessing.minimum_icc: expected no limit without --stability, got"
            f" {minimum_icc}. Give the table of the stage stability, or set minimum_icc: null."
        )
        raise ModelingError(msg)
    _check_table(stability)
    known = _coefficients(stability)
    radiomic = {spec.name for spec in table.specs if spec.group is FeatureGroup.RADIOMICS}
    names = radiomic | known.keys()
    sources = {
        spec.name: source for spec in table.specs if (source := _source(spec, names)) is not None
    }
    _check_all_known(sources.values(), known)
    dropped = {
        name: reason
        for name, source in sources.items()
        if (reason := _objection(*known[source], minimum_icc))
    }
    specs = tuple(spec for spec in table.specs if spec.name not in dropped)
    return StableFeatures(FeatureTable(table.values[[spec.name for spec in specs]], specs), dropped)


def _check_table(stability: pd.DataFrame) -> None:
    """Refuse a table that was not written by the stage stability, or was altered."""
    problem = _find_problem(stability)
    if problem:
        msg = f"table of the stage stability: {problem}. Run the stage stability again."
        raise ModelingError(msg)


def _find_problem(stability: pd.DataFrame) -> str:
    absent = [name for name in STABILITY_COLUMNS if name not in stability]
    if absent:
        return f"expected the columns {', '.join(STABILITY_COLUMNS)}, lacking {', '.join(absent)}"
    texts = [name for name in STABILITY_COLUMNS if name != "low"]
    wrong = [name for name in texts if not all(isinstance(cell, str) for cell in stability[name])]
    if wrong:
        return f"column {wrong[0]}: expected text in every row, got {stability[wrong[0]].dtype}"
    low = stability["low"]
    if not is_float_dtype(low):
        return f"column low: expected numbers, got {low.dtype}"
    beyond = low[np.isinf(low) | (low > 1)]
    if len(beyond):
        return f"column low: expected at most 1, or NaN, got {beyond.iloc[0]}"
    twice = stability.loc[stability.duplicated(list(_FEATURE)), list(_FEATURE)]
    if len(twice):
        return f"expected one row a feature, got several of {' '.join(twice.iloc[0])}"
    return ""


def _coefficients(stability: pd.DataFrame) -> dict[str, tuple[float, str]]:
    """Return lower limit and reason by the name that a feature has in feature tables."""
    place = stability["modality"] + "_" + stability["phase"] + "_" + stability["region"] + "_"
    names = place.str.lower() + stability["feature"]
    columns = (names, stability["low"], stability["reason"])
    return {name: (float(low), str(why)) for name, low, why in zip(*columns, strict=True)}


def _source(spec: FeatureSpec, names: Collection[str]) -> str | None:
    """Return the radiomic feature behind a column; None where there is none.

    ``names`` are those of the table and those that have an ICC: a change may be in the table
    without the feature that it is the change of.
    """
    if spec.group is FeatureGroup.RADIOMICS:
        return spec.name
    if spec.group is not FeatureGroup.DELTA:
        return None
    words = spec.name.split("_")  # delta_<form>_<name of the feature>
    tails = ("_".join(words[start:]) for start in range(1, len(words)))
    return next((tail for tail in tails if tail in names), None)


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
