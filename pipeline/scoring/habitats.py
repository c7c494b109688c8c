"""Habitat features of new patients by the habitats that a bundle carries."""

from dataclasses import dataclass

import pandas as pd

from pipeline.config.cohort import CohortConfig
from pipeline.domain.features import FeatureTable
from pipeline.modeling.habitat_data import HabitatData
from pipeline.modeling.habitat_features import habitat_features
from pipeline.modeling.habitat_models import Models
from pipeline.stages.assemble import Assembled


@dataclass(frozen=True, slots=True)
class ScoredHabitats:
    """What was found.

    Parameters
    ----------
    features : FeatureTable
        A row a patient.
    absent : dict
        By patient, the lesions without habitats at the time of prediction, with the reason.
    """

    features: FeatureTable
    absent: dict[str, list[str]]


def score_habitats(
    voxels: pd.DataFrame, assembled: Assembled, cohort: CohortConfig, habitats: Models
) -> ScoredHabitats:
    """Apply habitats to new patients; nothing is fitted.

    Parameters
    ----------
    voxels : pandas.DataFrame
        As the stage measure makes it.
    assembled : Assembled
        The patients, and which lesions stand for them.
    cohort : CohortConfig
        For the time point of prediction.
    habitats : mapping of str to HabitatModel
        At least one, by modality.
    """
    timepoint, weights = cohort.scoring_timepoint, assembled.weights
    data = HabitatData.read(voxels, weights, timepoint)
    patient_ids = tuple(assembled.features.values.index)
    clusters = len(next(iter(habitats.values())).centres)
    features = habitat_features(data, habitats, patient_ids, clusters)
    now = weights[(weights["timepoint"] == str(timepoint)) & ~weights["change"]]
    keys = ["patient_id", "timepoint", "modality", "lesion_id"]
    standing = voxels.merge(now[keys], on=keys)
    standing = standing[standing["modality"].isin(list(habitats))]
    return ScoredHabitats(features, _explain(standing))


def _explain(lesions: pd.DataFrame) -> dict[str, list[str]]:
    absent: dict[str, list[str]] = {}
    for row in lesions[lesions["habitat_missing"].fillna("") != ""].to_dict("records"):
        place = f"{row['timepoint']} {row['modality']} lesion {row['lesion_id']}"
        reason = f"{place}: no habitats: {row['habitat_missing']}"
        absent.setdefault(str(row["patient_id"]), []).append(reason)
    return absent
