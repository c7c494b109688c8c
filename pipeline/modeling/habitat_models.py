"""The habitats of each modality, as a bundle holds them."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from pipeline.domain.errors import BundleError
from pipeline.imaging.habitats import HabitatModel

Models = Mapping[str, HabitatModel]
"""The habitats of each modality: HU and MR signal are never mixed."""

UNIT = "standard deviations of reference liver from its mean"
"""Of the centres, as the bundle says it."""


def to_plain(models: Models) -> dict[str, dict[str, Any]]:
    """Return models as JSON holds them."""
    return {modality: {**asdict(model), "unit": UNIT} for modality, model in models.items()}


def from_plain(plain: Mapping[str, Any]) -> dict[str, HabitatModel]:
    """Restore what :func:`to_plain` returned.

    Raises
    ------
    BundleError
        If phases or centres are not a model's, or the modalities differ in the number of habitats.
    """
    models = {modality: _restore(modality, model) for modality, model in plain.items()}
    counts = {modality: len(model.centres) for modality, model in models.items()}
    if len(set(counts.values())) > 1:
        raise _refuse("", f"expected the same number of centres everywhere, got {counts}")
    return models


def _restore(modality: str, plain: Any) -> HabitatModel:
    where = f".{modality}"
    if not isinstance(plain, Mapping) or not {"phases", "centres"} <= plain.keys():
        raise _refuse(where, f"expected phases and centres, got {plain!r}")
    phases, centres = plain["phases"], plain["centres"]
    if not isinstance(phases, list | tuple) or not _are_names(phases):
        raise _refuse(where, f"phases: expected different names, got {phases!r}")
    try:
        rows = np.asarray(centres, dtype=np.float64)
    except (TypeError, ValueError):  # rows of several lengths, or text
        rows = np.empty(0)
    if rows.ndim != 2 or len(rows) < 2 or rows.shape[1] != len(phases):
        expected = f"at least 2 rows of {len(phases)} numbers, one a phase"
        raise _refuse(where, f"centres: expected {expected}, got {centres!r}")
    if not np.isfinite(rows).all():
        raise _refuse(where, f"centres: expected finite numbers, got {centres!r}")
    return HabitatModel(tuple(phases), tuple(tuple(row) for row in rows.tolist()))


def _are_names(phases: "list[Any] | tuple[Any, ...]") -> bool:
    texts = [phase for phase in phases if isinstance(phase, str) and phase]
    return bool(texts) and len(set(texts)) == len(phases)


def _refuse(where: str, problem: str) -> BundleError:
    return BundleError(f"bundle: habitats{where}: {problem}. Fetch it anew or train again.")
