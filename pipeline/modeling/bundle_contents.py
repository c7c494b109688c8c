"""What a bundle says about its model, apart from the fitted estimator."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from pipeline.domain.features import FeatureGroup, FeatureSpec

SCHEMA_VERSION = 2
"""Raised whenever the meaning of a file in the bundle changes; others are refused."""


@dataclass(frozen=True, slots=True)
class OutcomeDescription:
    """What is predicted, as ``cohort.yaml`` said at training.

    Parameters
    ----------
    column, positive, name : str
        Column of ``patients.csv``, rule of the positive outcome, how reports call it.
    """

    column: str
    positive: str
    name: str


@dataclass(frozen=True, slots=True)
class TrainingCounts:
    """How much the model learned from.

    Parameters
    ----------
    patients, events : int
        Patients with an outcome, and those of them with the positive one.
    """

    patients: int
    events: int


@dataclass(frozen=True, slots=True)
class TrainingRange:
    """Values of one feature in training.

    Parameters
    ----------
    minimum, maximum : float or None
        In the feature's unit; None where every training value was missing.
    missing_share : float
        Share of training patients without a value.
    """

    minimum: float | None
    maximum: float | None
    missing_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleContents:
    """Everything in ``bundle.json``.

    Parameters
    ----------
    features : tuple of FeatureSpec
        Inputs of the model, in order.
    outcome : OutcomeDescription
        What is predicted.
    synthetic : bool
        True where the cohort was simulated: such a model is no evidence.
    training : TrainingCounts
        Patients and events.
    training_ranges : tuple of TrainingRange
        One a feature.
    out_of_fold : dict
        Simple figures of the declared procedure, such as ``auc``.
    declared : dict
        ``feature_set`` and ``candidate``.
    seed : int
        Of training.
    sha256 : dict
        Hash of the feature table and of each settings file, by name.
    versions : dict
        Of Python and the packages that decide the numbers.
    revision : str or None
        Git revision, where it was given.
    habitats : dict
        By modality, the habitats found in all training tumours: ``phases``, ``centres`` and their
        ``unit``; empty where the model has no such features.
    """

    features: tuple[FeatureSpec, ...]
    outcome: OutcomeDescription
    synthetic: bool
    training: TrainingCounts
    training_ranges: tuple[TrainingRange, ...]
    out_of_fold: dict[str, float | None]
    declared: dict[str, str]
    seed: int
    sha256: dict[str, str]
    versions: dict[str, str]
    revision: str | None = None
    habitats: dict[str, dict[str, Any]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the contents for JSON."""
        return {"schema_version": SCHEMA_VERSION, **asdict(self)}

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "BundleContents":
        """Rebuild what :meth:`as_dict` returned.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it is something else.
        """
        fields = {key: value for key, value in content.items() if key != "schema_version"}
        features = tuple(
            FeatureSpec(item["name"], FeatureGroup(item["group"]), item["unit"])
            for item in fields.pop("features")
        )
        return cls(
            features=features,
            outcome=OutcomeDescription(**fields.pop("outcome")),
            training=TrainingCounts(**fields.pop("training")),
            training_ranges=tuple(TrainingRange(**item) for item in fields.pop("training_ranges")),
            **fields,
        )


def measure_ranges(values: pd.DataFrame, names: Sequence[str]) -> tuple[TrainingRange, ...]:
    """Return the range of each named column; NaN counts as missing."""
    return tuple(_measure_range(values[name].to_numpy(dtype=np.float64)) for name in names)


def _measure_range(column: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> TrainingRange:
    present = column[~np.isnan(column)]
    share = 1 - present.size / column.size
    if present.size == 0:
        return TrainingRange(None, None, share)
    return TrainingRange(float(present.min()), float(present.max()), share)
