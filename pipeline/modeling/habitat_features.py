"""Habitat features of patients: fitted on some patients' tumours, worked out for all.

The habitats are learned, so that each training part of the cross-validation finds its own.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from pipeline.config.train import HabitatSettings
from pipeline.domain.errors import ModelingError
from pipeline.domain.features import FeatureGroup, FeatureSpec, FeatureTable
from pipeline.domain.scan import Timepoint
from pipeline.features.lesions import combine_lesions
from pipeline.imaging.habitat_voxels import HabitatVoxels
from pipeline.imaging.habitats import HabitatModel, find_habitats, fit_habitats
from pipeline.modeling.habitat_data import TUMOUR, HabitatData, TumourCount, count_modalities
from pipeline.modeling.habitat_models import Models
from pipeline.modeling.splits import Repeats, Rows, training_rows

_LOG = logging.getLogger(__name__)

_EARLIER = {Timepoint.PREOP: Timepoint.BASELINE}


def fit_models(
    data: HabitatData,
    patient_ids: Collection[str],
    settings: HabitatSettings,
    modalities: Collection[str],
) -> dict[str, HabitatModel]:
    """Find the habitats in the tumours of some patients, at all time points.

    Parameters
    ----------
    data : HabitatData
        Tumours of these and of other patients, which are not looked at.
    patient_ids : collection of str
        The training patients.
    settings : HabitatSettings
        How.
    modalities : collection of str
        Those that get a model, see :func:`pipeline.modeling.habitat_data.count_modalities`.

    Raises
    ------
    CaseError
        If a modality has fewer different voxels than there are habitats.
    """
    trained = set(patient_ids)
    models = {}
    for modality in sorted(modalities):
        own = [
            voxels
            for (patient_id, _, kind, _), voxels in data.tumours.items()
            if kind == modality and patient_id in trained
        ]
        values = [voxels.values.astype(np.float64) for voxels in own]
        phases = own[0].phases if own else ()
        models[modality] = fit_habitats(values, phases, settings)
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
        Habitats of each model; with the models' modalities it decides the columns.

    Returns
    -------
    FeatureTable
        For each modality with a model (prefix ``ct_``, ``mr_``), at the time point of prediction:
        share of each habitat in %, ``habitat_1_percent`` enhancing least; ``habitat_dispersion``,
        the root mean square distance of the voxels from their habitat's centre in standard
        deviations of liver.
        The same with ``_change``: now minus baseline, of matched lesions. NaN where a lesion that
        stands for the patient has no voxels.

    Raises
    ------
    ModelingError
        If a tumour has other phases than its modality's model.
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
        for modality in sorted(models)
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
    modalities : tuple of str
        Those with habitats, the same in every fold.
    """

    data: HabitatData
    patient_ids: tuple[str, ...] = field(repr=False)
    settings: HabitatSettings
    modalities: tuple[str, ...]

    def __call__(self, training: Rows) -> pd.DataFrame:
        """Return the columns of all patients, a row each, by habitats of the training rows."""
        trained = [self.patient_ids[row] for row in training]
        models = fit_models(self.data, trained, self.settings, self.modalities)
        clusters = self.settings.clusters
        return habitat_features(self.data, models, self.patient_ids, clusters).values


@dataclass(frozen=True, slots=True)
class LearnedHabitats:
    """What training learned.

    Parameters
    ----------
    table : FeatureTable
        With the habitat features.
    models : mapping of str to HabitatModel
        For the bundle.
    fold_features : HabitatsOfFold, optional
        For the cross-validation; None without habitats.
    tumours : mapping of str to TumourCount
        By modality, also those that are left out.
    """

    table: FeatureTable = field(repr=False)
    models: Models = field(default_factory=dict)
    fold_features: HabitatsOfFold | None = field(default=None, repr=False)
    tumours: Mapping[str, TumourCount] = field(default_factory=dict)


def learn_habitats(
    table: FeatureTable,
    patient_ids: Sequence[str],
    repeats: Repeats,
    data: HabitatData | None,
    settings: HabitatSettings,
) -> LearnedHabitats:
    """Add the features by habitats of all training patients; the cross-validation takes others.

    Parameters
    ----------
    table : FeatureTable
        One row a patient, also of those that are not trained on.
    patient_ids : sequence of str
        The training patients, in the order in which they are cross-validated.
    repeats : sequence of sequence of numpy.ndarray
        Tested rows by repeat and fold.
    data : HabitatData, optional
        As :class:`HabitatsOfFold` has it; without, no habitats are learned.
    settings : HabitatSettings
        How, or that none are learned.
    """
    if data is None or not settings.enabled:
        return LearnedHabitats(table)
    trained = tuple(patient_ids)
    parts = [
        [trained[row] for row in training_rows(tested, len(trained))]
        for folds in repeats
        for tested in folds
    ]
    tumours = count_modalities(data, trained, parts, settings.minimum_tumours)
    modalities = tuple(name for name, count in tumours.items() if not count.left_out)
    for name, count in tumours.items():
        if count.left_out:
            _LOG.warning("no habitats on %s: %s", name, count.left_out)
    models = fit_models(data, trained, settings, modalities)
    features = habitat_features(data, models, tuple(table.values.index), settings.clusters)
    of_fold = HabitatsOfFold(data, trained, settings, modalities)
    return LearnedHabitats(append(table, features), models, of_fold, tumours)


def append(table: FeatureTable, more: FeatureTable) -> FeatureTable:
    """Return a table with further columns of the same patients."""
    values = pd.concat([table.values, more.values], axis=1)
    return FeatureTable(values, (*table.specs, *more.specs))


def _units(clusters: int) -> dict[str, str]:
    shares = [f"habitat_{number}_percent" for number in range(1, clusters + 1)]
    return {**dict.fromkeys(shares, "%"), "habitat_dispersion": "SD of liver"}


def _measure(data: HabitatData, models: Models, clusters: int) -> pd.DataFrame:
    """Return the features of each lesion: a row a tumour of a modality with a model."""
    names = list(_units(clusters))
    rows = [
        (*key, *_describe(models[key[2]], voxels, key))
        for key, voxels in data.tumours.items()
        if key[2] in models
    ]
    frame = pd.DataFrame(rows, columns=[*TUMOUR, *names])
    return frame.astype(dict.fromkeys(names, float)).assign(phase="", region="")


def _describe(
    model: HabitatModel, voxels: HabitatVoxels, key: tuple[str, ...]
) -> tuple[float, ...]:
    if voxels.phases != model.phases:
        msg = (
            f"{' '.join(key)}: expected voxels of the phases {', '.join(model.phases)}, from which"
            f" the habitats were learned, got {', '.join(voxels.phases)}. Measure the tumour and"
            " train with the same version."
        )
        raise ModelingError(msg)
    found = find_habitats(model, voxels.values.astype(np.float64))
    shares = (100 * share for share in found.fractions)
    return (*shares, found.dispersion)


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
