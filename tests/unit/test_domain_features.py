"""A feature table is consistent or does not exist."""

import pandas as pd
import pytest

from pipeline.domain.features import FeatureGroup, FeatureSpec, FeatureTable

AGE = FeatureSpec("age", FeatureGroup.CLINICAL, "years")
VOLUME = FeatureSpec("volume", FeatureGroup.SIZE, "mm3")


def table(*columns: str, patients: tuple[str, ...] = ("P1", "P2")) -> pd.DataFrame:
    return pd.DataFrame(dict.fromkeys(columns, 1.0), index=pd.Index(patients, name="patient_id"))


def test_names_of_groups_in_table_order() -> None:
    features = FeatureTable(table("age", "volume"), (AGE, VOLUME))
    assert features.names_in({FeatureGroup.SIZE}) == ["volume"]
    assert features.names_in(list(FeatureGroup)) == ["age", "volume"]


def test_inconsistent_tables() -> None:
    with pytest.raises(ValueError, match=r"unique, repeated: \['age'\]"):
        FeatureTable(table("age"), (AGE, AGE))
    with pytest.raises(ValueError, match=r"differing: \['volume'\]"):
        FeatureTable(table("age"), (AGE, VOLUME))
    with pytest.raises(ValueError, match="name and order"):
        FeatureTable(table("volume", "age"), (AGE, VOLUME))
    with pytest.raises(ValueError, match=r"one row a patient expected, several for \['P1'\]"):
        FeatureTable(table("age", patients=("P1", "P1")), (AGE,))
