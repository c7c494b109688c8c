"""New patients get the habitats of the bundle, and a reason where they have none."""

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.config.cohort import load_cohort_config
from pipeline.domain.features import FeatureTable
from pipeline.imaging.habitat_table import to_cells, without_voxels
from pipeline.imaging.habitat_voxels import HabitatVoxels
from pipeline.imaging.habitats import HabitatModel
from pipeline.scoring.habitats import score_habitats
from pipeline.stages.assemble import Assembled

COHORT = load_cohort_config(Path(__file__).parents[2] / "configs" / "cohort.yaml")
MODEL = HabitatModel(("native", "arterial"), ((0.0, -2.0), (0.0, 0.0), (0.0, 4.0)))


def test_habitats_of_the_bundle_are_applied_and_a_lack_is_explained() -> None:
    """A: 3 voxels of the first habitat, 1 of the third. B has oil, C no lesion that stands."""
    values = np.array([[0, -2], [0, -3], [0, -1.5], [0, 3]], dtype=np.float32)
    sample = HabitatVoxels(("native", "arterial"), values)
    oil = without_voxels("lipiodol: 40 % of the tumour is above 150 HU unenhanced")
    key = {"timepoint": str(COHORT.scoring_timepoint), "modality": "CT", "lesion_id": "1"}
    voxels = pd.DataFrame(
        [{"patient_id": "A", **key, **to_cells(sample)}, {"patient_id": "B", **key, **oil}]
    )
    weights = pd.DataFrame(
        [{"patient_id": name, **key, "weight": 1.0, "change": False} for name in "AB"]
    )
    index = pd.Index(["A", "B", "C"], name="patient_id")
    features = FeatureTable(pd.DataFrame(index=index), ())
    assembled = Assembled(features, pd.DataFrame(), pd.DataFrame(), weights)
    found = score_habitats(voxels, assembled, COHORT, {"CT": MODEL})
    row = found.features.values.loc["A"]
    assert [row[f"ct_habitat_{n}_percent"] for n in (1, 2, 3)] == [75, 0, 25]
    assert found.features.values.loc[["B", "C"]].isna().all(axis=None)
    assert found.absent == {
        "B": [
            f"{COHORT.scoring_timepoint} CT lesion 1: no habitats: lipiodol: 40 % of the tumour is"
            " above 150 HU unenhanced"
        ]
    }
