"""Habitat features of patients: fitted on some patients' tumours, worked out for all.

The habitats are learned, so that each training part of the cross-validation finds its own.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from pipeline.config.train import HabitatSettings
from pipeline.domain.features import FeatureGroup, FeatureSpec, FeatureTable
from pipeline.domain.scan import Timepoint
from pipeline.features.lesions import combine_lesions
from pipeline.imaging.habitat_table import from_cells
from pipeline.imaging.habitat_voxels import HabitatVoxels
from pipeline.imaging.habitats import HabitatModel, find_habitats, fit_habitats

Models = Mapping[str, HabitatModel]
"""The habitats of each modality: HU and MR signal are never mixed."""

UNIT = "standard deviations of reference liver from its mean"
"""Of the centres, as the bundle says it."""

_TUMOUR = ("patient_id", "timepoint", "modality", "lesion_id")
_EARLIER = {Timepoint.PREOP: Timepoint.BASELINE}


@dataclass(frozen=True, slots=True)
class HabitatData:
    """The tumours that stand for patients.

    Parameters
    ----------
    tumours : mapping of (str, str, str, str) to HabitatVoxels
        By patient, time point, modality and lesion; those without voxels are not in it.
    weights : pandas.DataFrame
        ``patient_id, timepoint, modality, lesion_id, weight, change``, as the stage assemble writes
        it: which lesions stand for a patient in a visit, and which ones in the change over time.
    timepoint : Timepoint
        Of the prediction. The change is that from baseline.
    """

    tumours: Mapping[tuple[str, ...], HabitatVoxels] = field(repr=False)
    weights: pd.DataFrame = field(repr=False)
    timepoint: Timepoint

    @classmethod
    def read(
        cls, voxels: pd.DataFrame, weights: pd.DataFrame, timepoint: Timepoint
    ) -> "HabitatData":
        """Decode the table of voxels, but for lesions that stand for nobody."""
        wanted = set(weights[list(_TUMOUR)].astype(str).itertuples(index=False, name=None))
        tumours = {}
        for row in voxels.sort_values(list(_TUMOUR)).to_dict("records"):
            key = tuple(str(row[name]) for name in _TUMOUR)
            found = from_cells({str(name): cell for name, cell in row.items()})
            if key in wanted and found is not None:
                tumours[key] = found
        return cls(tumours, weights, timepoint)

    @property
    def modalities(self) -> list[str]:
        """Modalities with a tumour, in alphabetical order."""
        return sorted({modality for _, _, modality, _ in self.tumours})


def fit_models(
    data: HabitatData, patient_ids: Collection[str], settings: HabitatSettings
) -> dict[str, HabitatModel]:
    """Find the habitats in the tumours of some patients, at all time points.

    Parameters
    ----------
    data : HabitatData
        Tumours of these and of other patients, which are not looked at.
    patient_ids : collection of str
        The training patients.
    settings : HabitatSettings
        A modality with fewer tumours than ``minimum_tumours`` has no model.
    """
    trained = set(patient_ids)
    models = {}
    for modality in data.modalities:
        own = [
            voxels
            for (patient_id, _, kind, _), voxels in data.tumours.items()
            if kind == modality and patient_id in trained
        ]
        if own and len(own) >= settings.minimum_tumours:
            values = [voxels.values.astype(np.float64) for voxels in own]
            models[modality] = fit_habitats(values, own[0].phases, settings)
    return models


def habitat_features(
    data: HabitatData, models: Models, patient_ids: Sequence[str], clusters: int
) -> FeatureTable:
    """Work out the habitat features of patients by given models.

    Parameters
    ----------
    data : HabitatData
        The patients' tumours.
    models : mapping of str to HabitatModel
        Of these or other patients.
    patient_ids : sequence of str
        The rows of the result.
    clusters : int
        Habitats of each model; with the modalities of data and models it decides the columns.

    Returns
    -------
    FeatureTable
        For each modality (prefix ``ct_``, ``mr_``), at the time point of prediction: share of each
        habitat in %, ``habitat_1_percent`` enhancing least; ``habitat_dispersion``, the root mean
        square distance of the voxels from their habitat's centre in standard deviations of liver;
        ``habitat_boundary_percent`` of neighbouring voxels that differ in habitat. The same with
        ``_change``: now minus baseline, of matched lesions. NaN where a lesion that stands for the
        patient has no voxels, or the modality no model.
    """
    rows = _measure(data, models, clusters)
    now = _of_patients(data, rows, data.timepoint, change=False)
    parts = [now]
    earlier = _EARLIER.get(data.timepoint)
    if earlier is not None:
        later = _of_patients(data, rows, data.timepoint, change=True)
        parts.append(later - _of_patients(data, rows, earlier, change=True))
    specs = [
        FeatureSpec(f"{modality.lower()}_{name}{suffix}", FeatureGroup.HABITAT, unit)
        for suffix in ("", "_change")[: len(parts)]
        for modality in sorted({*data.modalities, *models})
        for name, unit in _units(clusters).items()
    ]
    frame = pd.concat([parts[0], *(part.add_suffix("_change") for part in parts[1:])], axis=1)
    frame.index = frame.index.astype(str)
    index = pd.Index(patient_ids, name="patient_id")
    return FeatureTable(
        frame.reindex(index=index, columns=[spec.name for spec in specs]), tuple(specs)
    )


@dataclass(frozen=True, slots=True)
class HabitatsOfFold:
    """Columns that a training part works out anew; given to the cross-validation.

    Parameters
    ----------
    data : HabitatData
        Tumours of all patients.
    patient_ids : tuple of str
        In the order of the rows.
    settings : HabitatSettings
        How habitats are found.
    """

    data: HabitatData
    patient_ids: tuple[str, ...] = field(repr=False)
    settings: HabitatSettings

    def __call__(self, training: "np.typing.NDArray[np.intp]") -> pd.DataFrame:
        """Return the columns of all patients, a row each, by habitats of the training rows."""
        trained = [self.patient_ids[row] for row in training]
        models = fit_models(self.data, trained, self.settings)
        clusters = self.settings.clusters
        return habitat_features(self.data, models, self.patient_ids, clusters).values


def learn_habitats(
    table: FeatureTable, trained: tuple[str, ...], data: HabitatData, settings: HabitatSettings
) -> tuple[FeatureTable, Models, HabitatsOfFold]:
    """Add the features by habitats of all training patients; the cross-validation takes others.

    Parameters
    ----------
    table : FeatureTable
        One row a patient, also of those that are not trained on.
    trained : tuple of str
        The training patients, in the order in which they are cross-validated.
    data, settings
        As :class:`HabitatsOfFold` has them.

    Returns
    -------
    table : FeatureTable
        With the habitat features.
    models : mapping of str to HabitatModel
        For the bundle.
    fold_features : HabitatsOfFold
        For the cross-validation.
    """
    models = fit_models(data, trained, settings)
    features = habitat_features(data, models, tuple(table.values.index), settings.clusters)
    return append(table, features), models, HabitatsOfFold(data, trained, settings)


def to_plain(models: Models) -> dict[str, dict[str, Any]]:
    """Return models as JSON holds them."""
    return {modality: {**asdict(model), "unit": UNIT} for modality, model in models.items()}


def from_plain(plain: Mapping[str, Mapping[str, Any]]) -> dict[str, HabitatModel]:
    """Restore what :func:`to_plain` returned."""
    return {modality: HabitatModel.from_plain(model) for modality, model in plain.items()}


def append(table: FeatureTable, more: FeatureTable) -> FeatureTable:
    """Return a table with further columns of the same patients."""
    values = pd.concat([table.values, more.values], axis=1)
    return FeatureTable(values, (*table.specs, *more.specs))


def _units(clusters: int) -> dict[str, str]:
    shares = [f"habitat_{number}_percent" for number in range(1, clusters + 1)]
    return {
        **dict.fromkeys(shares, "%"),
        "habitat_dispersion": "SD of liver",
        "habitat_boundary_percent": "%",
    }


def _measure(data: HabitatData, models: Models, clusters: int) -> pd.DataFrame:
    """Return the features of each lesion: a row a tumour of a modality with a model."""
    names = list(_units(clusters))
    rows = [
        (*key, *_describe(models[key[2]], voxels))
        for key, voxels in data.tumours.items()
        if key[2] in models
    ]
    frame = pd.DataFrame(rows, columns=[*_TUMOUR, *names])
    return frame.astype(dict.fromkeys(names, float)).assign(phase="", region="")


def _describe(model: HabitatModel, voxels: HabitatVoxels) -> tuple[float, ...]:
    found = find_habitats(model, voxels.values.astype(np.float64), voxels.inside)
    shares = (100 * share for share in found.fractions)
    return (*shares, found.dispersion, 100 * found.boundary_share)


def _of_patients(
    data: HabitatData, rows: pd.DataFrame, timepoint: Timepoint, *, change: bool
) -> pd.DataFrame:
    """Return the features at a time point, a row a patient, columns with their modality."""
    weights = data.weights[data.weights["change"] == change].drop(columns="change")
    combined = combine_lesions(rows, weights)
    here = combined[combined["timepoint"] == timepoint]
    blocks = [
        group.set_index("patient_id")
        .drop(columns=["timepoint", "modality", "phase", "region"])
        .add_prefix(f"{str(modality).lower()}_")
        for modality, group in here.groupby("modality", sort=True)
    ]
    if not blocks:
        return pd.DataFrame(index=pd.Index([], name="patient_id", dtype=str))
    return pd.concat(blocks, axis=1)
